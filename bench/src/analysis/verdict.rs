//! Classifies what limited a run or a cell: the server, the load tool, the round trip, or something
//! that makes its figures invalid. Every threshold is here; METHODOLOGY.md has the reasons.
//!
//! The side that reaches its limit first determines the throughput. A run is *server-bound* only
//! where the server used nearly all of its cores' time and the load tool did not. Where the tool
//! did, the run is *client-bound*, and the throughput is the tool's. A server with fewer busy
//! threads than cores cannot use all of its cores: where one of its threads was at the limit of a
//! core, and its cores as a whole had time left, the run is *thread-bound*. Where none of these was
//! at its limit, each request waited for its round trip, and the run is *latency-bound*. Runs whose
//! figures mean nothing are sorted out first: a run is *invalid* where requests failed or the load
//! was not the one that was asked for, and *disturbed* where other processes or machines took the
//! cores' time.
//!
//! Over several hosts, the load is at its limit where one of its machines is, and a run that would
//! be latency-bound is *network-bound* where the link of the server's host was nearly full.

use std::collections::BTreeSet;

use crate::analysis::statistics::median;
use crate::store::record::{Bound, From, HostsRecord, LoadHostRecord, OpenLoopRecord, Record, VerdictRecord};
use crate::text::numbers::{as_f64, counted};

/// A side that used this share of its cores' time was at its limit, and so was a thread that used
/// this share of one core's time. The rest is the start and the end of the load, and the moments in
/// which the load waits for the slowest connection.
pub const BUSY_FROM: f64 = 0.9;

/// The share of the used cores' time that other processes and machines may take before a run is
/// disturbed. The kernel counts in hundredths of a second, so that up to 4 % of a second on two
/// cores may be rounding.
pub const DISTURBED_FROM: f64 = 0.05;

/// The unit in which the kernel counts a core's time. In a slice, a core may seem to have been busy
/// for this much longer than it was.
const CORE_TICK_SECONDS: f64 = 0.01;

/// A run is disturbed if the machine was suspended for this long: the clocks, caches and timeouts
/// are different afterwards. A shorter time is the time between reading two clocks.
pub const SUSPENDED_FROM: f64 = 1.0;

/// The share of an open loop's rate that has to be answered, as `visit` judges it too.
pub const HELD_FROM: f64 = 0.99;

/// The valid range of the requests in flight by Little's law, as a share of those asked for. Tools
/// reach 0.9 to 1.0 here, and 0.65 where a short run begins by opening thousands of connections;
/// more than 1 is impossible.
pub const IN_FLIGHT: std::ops::Range<f64> = 0.5..1.1;

/// The lower limit of the share in [`IN_FLIGHT`] where the tool's mean latency is not the whole
/// wait of a connection. An example is wrk, which had 0.43 and more with 1 to 1,000 connections,
/// kept or not. Below the limit, connections were never answered again.
pub const IN_FLIGHT_FROM: f64 = 0.1;

/// In the modes `close` and `close-after-N`, the share of the connections required for the answers
/// that the server's host has to have accepted. A server that closes as it has to reaches 1.
pub const CLOSED_FROM: f64 = 0.5;

/// The share of the number of requests asked for that has to be made. hey prints rate and time in
/// four digits, so that beyond a million requests one may seem to be missing.
pub const MADE_FROM: f64 = 0.999;

/// The largest part of the share in [`IN_FLIGHT`] that may be due to the tool's resolution. For one
/// connection with 20,000 answers per second, `hey` prints 0.0000 s or 0.0001 s for each answer.
const BLUR: f64 = 0.1;

/// An answer that took this long, and [`STILL_SHARE`] of the run, shows that the server or the tool
/// stalled. The kernel's timers for acknowledgements and for a first loss are shorter.
pub const STILL_SECONDS: f64 = 0.25;
/// See [`STILL_SECONDS`].
pub const STILL_SHARE: f64 = 0.05;

/// The median latency that indicates delayed acknowledgements. The client's kernel delays them by
/// at least 40 ms (`TCP_DELACK_MIN`), and until the next tick of its timer: 44 ms were seen here.
pub const DELAYED_SECONDS: std::ops::Range<f64> = 0.039..0.046;

/// The share of the time in which all hosts of a load have to make load for the run to be valid.
pub const OVERLAP_FROM: f64 = 0.99;

/// Like [`OVERLAP_FROM`], for a load by count: each host ends when its part is answered.
pub const OVERLAP_BY_COUNT_FROM: f64 = 0.9;

/// A link whose busier direction carried this share of its capacity was at its limit: the rest is
/// packet headers and gaps.
pub const LINK_BUSY_FROM: f64 = 0.9;

/// Where both sides used less than this share of their cores' time, requests did not wait for other
/// requests to be answered.
pub const QUIET_BELOW: f64 = 0.5;

/// What limited a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// What limited the cell.
    pub bound: Bound,
    /// The reason, where the cell is invalid, disturbed, thread-bound or network-bound, and where
    /// the tool on one of several hosts was at its limit.
    pub reason: Option<String>,
}

/// Returns the verdict on a run; `None` where the run has no figures of a load.
pub fn judge_run(record: &Record) -> Option<VerdictRecord> {
    let (load, cpu) = (record.load.as_ref()?, record.cpu.as_ref()?);
    let utilisation = |seconds: f64, cores: usize| seconds / (load.elapsed_seconds * as_f64(cores as u64));
    let cores_seconds = cpu.wall_seconds * as_f64(record.cores() as u64);
    let external_share = cpu.external_seconds.map(|seconds| seconds / cores_seconds);
    // With several hosts, it is not known which host was throttled. As a share of the time of all
    // cores, throttling of the server would not show.
    let throttled_cores = if record.hosts.is_some() { record.server_cores.len() } else { record.cores() };
    let throttled_seconds = cpu.wall_seconds * as_f64(throttled_cores as u64);
    let throttled_share = cpu.throttled_seconds.map(|seconds| seconds / throttled_seconds);
    let threads = thread_utilisations(record);
    let mut verdict = VerdictRecord {
        bound: Bound::LatencyBound,
        reason: None,
        server_utilisation: cpu.server.map(|server| utilisation(server.seconds, record.server_cores.len())),
        thread_utilisation: threads.first().copied(),
        tool_utilisation: tool_utilisation(record)?,
        external_share,
        concurrency: concurrency(record),
    };
    let (server, tool) = (verdict.server_utilisation, verdict.tool_utilisation);
    let thread = verdict.thread_utilisation;
    let taken = [(external_share, "other work took"), (throttled_share, "the container's quota throttled")];
    // Disturbed slices are left out already, by a limit that allows for rounding. Rounding is much
    // of the sum over slices, since each takes two hundredths of a second.
    let is_left_out = record.slices.as_ref().is_some_and(|slices| !slices.is_disturbed());
    let taken = taken
        .into_iter()
        .filter(|_| !is_left_out)
        .find_map(|(share, who)| Some((share.filter(|s| *s > DISTURBED_FROM)?, who)));
    // The tool's counts come first: the harness may have seen little of a brief load.
    let not_as_asked =
        failed(record).or_else(|| short(record)).or_else(|| missing(record)).or_else(|| kept_open(record));
    (verdict.bound, verdict.reason) = if let Some(reason) = not_as_asked {
        (Bound::Invalid, Some(reason))
    } else if let Some(seconds) = cpu.suspended_seconds.filter(|seconds| *seconds >= SUSPENDED_FROM) {
        (Bound::Disturbed, Some(format!("the machine was suspended for {seconds:.0} s meanwhile")))
    } else if let Some(reason) = disturbed_host(record).filter(|_| !is_left_out) {
        // This comes before the share of all hosts' cores, which does not name the host.
        (Bound::Disturbed, Some(reason))
    } else if let Some((share, who)) = taken {
        (Bound::Disturbed, Some(format!("{who} {:.0} % of the cores' time", share * 100.0)))
    } else if let Some(reason) = apart(record)
        .or_else(|| not_held(record, tool))
        .or_else(|| breaks_littles_law(record, verdict.concurrency))
        .or_else(|| stalled(record, server?.max(tool).max(thread.unwrap_or_default())))
    {
        (Bound::Invalid, Some(reason))
    } else {
        match limit(server, thread, tool, record.workload.rate.is_some()) {
            Bound::LatencyBound if busy_link(record).is_some() => (Bound::NetworkBound, busy_link(record)),
            Bound::ThreadBound => {
                (Bound::ThreadBound, Some(busy_threads(&threads, record.server_cores.len())))
            }
            Bound::ClientBound => (Bound::ClientBound, busy_host(record)),
            bound => (bound, None),
        }
    };
    Some(verdict)
}

/// Whether a slice does not count, since other work (beyond possible rounding) or throttling took
/// more than [`DISTURBED_FROM`] of the cores' time.
pub(crate) fn is_slice_disturbed(
    wall_seconds: f64,
    external_seconds: Option<f64>,
    throttled_seconds: Option<f64>,
    cores: usize,
) -> bool {
    let cores = as_f64(cores as u64);
    let limit = wall_seconds * cores * DISTURBED_FROM;
    external_seconds.is_some_and(|seconds| seconds - CORE_TICK_SECONDS * cores > limit)
        || throttled_seconds.is_some_and(|seconds| seconds > limit)
}

/// Returns the verdict on a cell; `None` where no run has figures of a load. One failed request or
/// connection makes a cell invalid. Where at least half of its runs are invalid or disturbed, the
/// cell is the one that more of its runs are, and invalid where the numbers are equal. Otherwise
/// the medians of its runs' utilisations decide, and a cell that would be latency-bound is
/// network-bound where at least half of its runs are.
pub(crate) fn judge_runs(runs: &[&Record]) -> Option<Verdict> {
    let runs: Vec<(&Record, &VerdictRecord)> =
        runs.iter().filter_map(|run| Some((*run, run.verdict.as_ref()?))).collect();
    let errors: u64 = runs.iter().map(|(run, _)| run.error_count()).sum();
    let answered: u64 = runs.iter().filter_map(|(run, _)| run.load.as_ref()).map(|load| load.answered).sum();
    let reason = |bound: Bound| {
        let mut reasons = runs.iter().filter(|(_, verdict)| verdict.bound == bound);
        reasons.find_map(|(_, verdict)| verdict.reason.clone())
    };
    let share = |bound: Bound| {
        let of_bound = runs.iter().filter(|(_, verdict)| verdict.bound == bound).count();
        as_f64(of_bound as u64) / as_f64(runs.len() as u64)
    };
    let middle = |share: &dyn Fn(&VerdictRecord) -> Option<f64>| {
        median(&mut runs.iter().filter_map(|(_, verdict)| share(verdict)).collect::<Vec<_>>())
    };
    let server = middle(&|verdict| verdict.server_utilisation);
    let thread = middle(&|verdict| verdict.thread_utilisation);
    let tool = middle(&|verdict| Some(verdict.tool_utilisation))?;
    let connections: u64 =
        runs.iter().filter_map(|(run, _)| run.load.as_ref()).map(|load| load.failed_connections).sum();
    let (invalid, disturbed) = (share(Bound::Invalid), share(Bound::Disturbed));
    let (bound, reason) = if let Some(reason) = failures(errors, connections, answered) {
        (Bound::Invalid, Some(reason))
    } else if invalid + disturbed >= 0.5 {
        let bound = if invalid >= disturbed { Bound::Invalid } else { Bound::Disturbed };
        (bound, reason(bound))
    } else {
        let bound = limit(server, thread, tool, runs.iter().any(|(run, _)| run.workload.rate.is_some()));
        let is_link = bound == Bound::LatencyBound && share(Bound::NetworkBound) >= 0.5;
        let bound = if is_link { Bound::NetworkBound } else { bound };
        (bound, reason(bound))
    };
    Some(Verdict { bound, reason })
}

/// Whether each answer seems to wait for an acknowledgement that the client's kernel delays. This
/// is so where most runs are latency-bound closed loops in which the median latency is in
/// [`DELAYED_SECONDS`] and both sides are quiet.
pub(crate) fn waits_for_acknowledgements(runs: &[&Record]) -> bool {
    let judged = || runs.iter().filter_map(|run| Some((*run, run.verdict.as_ref()?)));
    let is_quiet = |verdict: &VerdictRecord| {
        let server = verdict.server_utilisation.unwrap_or(1.0);
        verdict.bound == Bound::LatencyBound && server.max(verdict.tool_utilisation) < QUIET_BELOW
    };
    let is_delayed = |(run, verdict): &(&Record, &VerdictRecord)| {
        let is_closed_loop = run.workload.rate.is_none();
        is_closed_loop
            && is_quiet(verdict)
            && run.percentile(50).is_some_and(|seconds| DELAYED_SECONDS.contains(&seconds))
    };
    judged().filter(is_delayed).count() * 2 > judged().count()
}

/// Returns what limited a load, by the shares of time that the server, its busiest thread and the
/// tool used. An open loop is latency-bound, however busy the sides were.
fn limit(server: Option<f64>, thread: Option<f64>, tool: f64, is_open: bool) -> Bound {
    if is_open {
        Bound::LatencyBound
    } else if tool >= BUSY_FROM {
        Bound::ClientBound
    } else {
        match server {
            None => Bound::Unknown,
            Some(server) if server >= BUSY_FROM => Bound::ServerBound,
            Some(_) if thread.is_some_and(|thread| thread >= BUSY_FROM) => Bound::ThreadBound,
            Some(_) => Bound::LatencyBound,
        }
    }
}

/// The share of its cores' time that the tool used. With several load hosts, this is the share on
/// the busiest machine, since the load is at its limit where one of its machines is.
fn tool_utilisation(record: &Record) -> Option<f64> {
    let (load, cpu) = (record.load.as_ref()?, record.cpu.as_ref()?);
    match &record.hosts {
        None => Some(cpu.tool.seconds / (load.elapsed_seconds * as_f64(record.tool_cores.len() as u64))),
        Some(hosts) => busiest(hosts, load.elapsed_seconds).map(|(share, _)| share),
    }
}

/// Finds the machine of the load that used the largest share of its cores' time: returns the share,
/// and the names of its hosts.
fn busiest(hosts: &HostsRecord, elapsed_seconds: f64) -> Option<(f64, String)> {
    let share = |(loads, cores): &(Vec<&LoadHostRecord>, BTreeSet<usize>)| {
        let used: f64 = loads.iter().map(|load| load.tool.seconds).sum();
        let names: Vec<&str> = loads.iter().map(|load| load.label()).collect();
        (used / (elapsed_seconds * as_f64(cores.len() as u64)), names.join(" and "))
    };
    hosts.load_machines().values().map(share).max_by(|(a, _), (b, _)| a.total_cmp(b))
}

/// Names the load host that was at its limit, where there are several load hosts.
fn busy_host(record: &Record) -> Option<String> {
    let (load, hosts) = (record.load.as_ref()?, record.hosts.as_ref()?);
    let (_, names) = busiest(hosts, load.elapsed_seconds)?;
    (hosts.loads.len() > 1).then(|| format!("the tool on {names}"))
}

/// Reports load hosts that did not make load at the same time.
fn apart(record: &Record) -> Option<String> {
    let overlap = record.hosts.as_ref()?.overlap;
    let is_by_count = record.workload.requests.is_some();
    (overlap < if is_by_count { OVERLAP_BY_COUNT_FROM } else { OVERLAP_FROM })
        .then(|| format!("the load hosts made load together for only {:.1} % of the time", overlap * 100.0))
}

/// Reports a host whose cores other work used: a load host, or the server's host, whose time is the
/// sum of all hosts' times without the load hosts'.
fn disturbed_host(record: &Record) -> Option<String> {
    let (cpu, hosts) = (record.cpu.as_ref()?, record.hosts.as_ref()?);
    let said = |seconds: f64, cores: usize, name: &str| {
        let share = seconds / (cpu.wall_seconds * as_f64(cores as u64));
        (share > DISTURBED_FROM)
            .then(|| format!("other work took {:.0} % of the cores' time on {name}", share * 100.0))
    };
    let of_load = |host: &LoadHostRecord| said(host.external_seconds?, host.cores.len(), host.label());
    let of_server = || {
        let known: Option<f64> = hosts.loads.iter().map(|host| host.external_seconds).sum();
        let name = hosts.server.as_deref().unwrap_or("this machine");
        said(cpu.external_seconds? - known?, record.server_cores.len(), name)
    };
    hosts.loads.iter().find_map(of_load).or_else(of_server)
}

/// Reports a link that carried nearly its capacity.
fn busy_link(record: &Record) -> Option<String> {
    let share = record.hosts.as_ref()?.network?.utilisation()?;
    (share >= LINK_BUSY_FROM).then(|| format!("the link carried {:.0} % of its capacity", share * 100.0))
}

/// The shares of a core's time that the server's busiest threads used, the largest first. Empty for
/// a server with a single core, whose own share includes all threads.
fn thread_utilisations(record: &Record) -> Vec<f64> {
    let seconds = record.cpu.as_ref().and_then(|cpu| cpu.thread_seconds.as_deref());
    let seconds = seconds.filter(|_| record.server_cores.len() > 1).unwrap_or_default();
    let elapsed = record.load.as_ref().map(|load| load.elapsed_seconds);
    seconds.iter().filter_map(|seconds| Some(seconds / elapsed?)).collect()
}

/// How many threads were at the limit of a core: `1 busy thread on 2 cores`.
fn busy_threads(utilisations: &[f64], cores: usize) -> String {
    let busy = utilisations.iter().filter(|share| **share >= BUSY_FROM).count();
    format!("{} on {}", counted(busy, "busy thread"), counted(cores, "core"))
}

/// Reports failed requests and connections, or that nothing was answered.
fn failed(record: &Record) -> Option<String> {
    let load = record.load.as_ref()?;
    let nothing = (load.answered == 0).then(|| "nothing was answered".to_owned());
    failures(record.error_count(), load.failed_connections, load.answered).or(nothing)
}

/// Reports failed requests and failed connections. Failed connections say nothing about the number
/// of failed requests.
fn failures(errors: u64, connections: u64, answered: u64) -> Option<String> {
    let requests = errors.saturating_sub(connections);
    match (requests, connections) {
        (0, 0) => None,
        (0, _) => Some(format!("{connections} connections failed, beside {answered} answers")),
        (_, 0) => Some(format!("{requests} of {} requests failed", requests + answered)),
        _ => Some(format!(
            "{requests} of {} requests failed, and {connections} connections",
            requests + answered
        )),
    }
}

/// Reports missing connections. No connection has to be open where connections are closed after
/// some requests, or after the wrong requests of a mix. A single connection exists where there are
/// answers, though a server that closes it each time may have none at the moment of the count.
fn missing(record: &Record) -> Option<String> {
    let is_kept = record.requests_per_connection().is_none() && record.workload.mix.is_empty();
    let connections = record.connections.filter(|_| is_kept)?;
    let (asked, seen) = (u64::from(connections.asked), connections.seen?);
    (seen < asked && asked > 1).then(|| format!("only {seen} of {asked} connections were open"))
}

/// Reports a server that kept connections open where it had to close them: the load was not the one
/// asked for.
fn kept_open(record: &Record) -> Option<String> {
    let each = record.requests_per_connection()?;
    let (accepted, answered) = (record.connections?.accepted?, record.load.as_ref()?.answered);
    (as_f64(accepted) < as_f64(answered) / each * CLOSED_FROM)
        .then(|| format!("the server kept connections open: {answered} answers over {accepted} of them"))
}

/// Reports a tool that made fewer requests than asked for.
fn short(record: &Record) -> Option<String> {
    let asked = record.workload.requests?;
    let made = record.load.as_ref()?.answered;
    (as_f64(made) < as_f64(asked) * MADE_FROM).then(|| format!("only {made} of {asked} requests were made"))
}

/// Whether the rate of an open loop was held, according to the tool and to the share of the rate
/// that was answered; `None` for a closed loop.
pub(crate) fn is_held(record: &Record) -> Option<bool> {
    let (open_loop, achieved) = achieved(record)?;
    Some(open_loop.held.unwrap_or(true) && achieved >= HELD_FROM)
}

/// An open loop, and the share of its rate that was answered.
fn achieved(record: &Record) -> Option<(&OpenLoopRecord, f64)> {
    let open_loop = record.load.as_ref()?.open_loop.as_ref()?;
    Some((open_loop, record.per_second()? / open_loop.rate_per_second))
}

/// Reports the rate of an open loop that was not held.
fn not_held(record: &Record, tool_utilisation: f64) -> Option<String> {
    if is_held(record)? {
        return None;
    }
    let (open_loop, achieved) = achieved(record)?;
    let how = match open_loop.lag_p99_seconds.filter(|_| achieved >= HELD_FROM) {
        Some(lag) => format!("one request in a hundred began more than {:.1} ms late", lag * 1e3),
        None => format!("{:.1} % of it was answered", achieved * 100.0),
    };
    let tool = if tool_utilisation >= BUSY_FROM { "used all of its cores' time" } else { "had time left" };
    Some(format!("the rate of {:.0}/s was not held: {how}, and the tool {tool}", open_loop.rate_per_second))
}

/// Requests in flight by Little's law, as a share of those asked for, where the tool's latency is the
/// whole wait of a connection.
fn concurrency(record: &Record) -> Option<f64> {
    in_flight(record).filter(|_| is_whole_wait(record))
}

/// Throughput times mean wait, as a share of the requests that were to be in flight. `None` for an
/// open loop, and where the tool's resolution is too coarse.
fn in_flight(record: &Record) -> Option<f64> {
    let mode = record.workload.mode.as_deref().filter(|_| record.workload.rate.is_none())?;
    let depth: f64 = mode.strip_prefix("pipelined-").map_or(Some(1.0), |depth| depth.parse().ok())?;
    let streams = record.workload.streams.map_or(1.0, f64::from);
    let asked = f64::from(record.workload.connections) * depth * streams;
    // In a run in slices, the tool's mean latency includes the disturbed slices, which do not count
    // in `per_second`.
    let per_second = match record.slices {
        Some(_) => record.load.as_ref()?.claimed_per_second?,
        None => record.per_second()?,
    };
    let resolution = record.tool.semantics.as_ref()?.resolution_seconds.unwrap_or(0.0);
    let wait = record.latency.as_ref()?.mean_seconds? + opening_seconds(record).unwrap_or_default();
    let share = per_second * wait / asked;
    (per_second * resolution / asked <= BLUR).then_some(share)
}

/// The time per request of the connect and the handshake of its connection, where the tool reports
/// them separately from the latency. `None` where connections are kept.
fn opening_seconds(record: &Record) -> Option<f64> {
    let per_connection = record.requests_per_connection()?;
    let latency = record.latency.as_ref()?;
    let steps = [latency.connect, latency.handshake].into_iter().flatten();
    Some(steps.filter_map(|step| step.mean_seconds).sum::<f64>() / per_connection)
}

/// Whether the tool's latency is measured, and is the whole wait of a connection.
fn is_whole_wait(record: &Record) -> bool {
    record.tool.semantics.as_ref().is_some_and(|semantics| {
        let connects = record.requests_per_connection().is_some();
        semantics.from == From::Sent && !semantics.synthetic && (!connects || semantics.connect_included)
    })
}

fn breaks_littles_law(record: &Record, concurrency: Option<f64>) -> Option<String> {
    let share = match concurrency {
        Some(share) if IN_FLIGHT.contains(&share) => return None,
        Some(share) => share,
        None => in_flight(record).filter(|share| *share < IN_FLIGHT_FROM)?,
    };
    Some(format!(
        "Little's law is broken: throughput times mean latency is {:.0} % of the requests that were to be in flight",
        share * 100.0
    ))
}

/// Reports an answer that is so late that the server or the tool must have stalled.
fn stalled(record: &Record, busiest: f64) -> Option<String> {
    let (latest, elapsed) = (record.latency.as_ref()?.max_seconds?, record.load.as_ref()?.elapsed_seconds);
    let is_still = busiest < BUSY_FROM && latest >= STILL_SECONDS && latest >= elapsed * STILL_SHARE;
    is_still
        .then(|| format!("something stood still: an answer took {latest:.2} s, and neither side was busy"))
}

#[cfg(test)]
mod tests;
