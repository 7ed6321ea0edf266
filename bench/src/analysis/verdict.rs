//! Classifies what limited a run or a cell: the server, the load tool, the round trip, or something
//! that makes its figures invalid. Every threshold is here; METHODOLOGY.md has the reasons.
//!
//! Throughput is that of whichever side is at its limit first. So a run is *server-bound* only
//! where the server used nearly all of its cores' time and the load tool did not; where the tool
//! did, it is *client-bound*, and the throughput is the tool's. A server with fewer busy threads than
//! cores cannot use all of its cores: where one of its threads was at the limit of a core, and its
//! cores as a whole had time left, it is *thread-bound*. Where none of these was at its limit, each
//! request waited for its round trip: *latency-bound*. Before these come the runs whose figures mean
//! nothing: a run is *invalid* where requests failed or the load was not the one that was asked
//! for, and *disturbed* where other processes or machines took the cores' time.

use crate::analysis::statistics::median;
use crate::store::record::{Bound, From, Record, VerdictRecord};
use crate::text::numbers::{as_f64, counted};

/// A side that used this share of its cores' time was at its limit, and so was a thread that used this
/// share of one core's. What is missing to 1 is the
/// start and the end of the load, and the moments in which it waits for the slowest connection.
pub const BUSY_FROM: f64 = 0.9;

/// The share of the used cores' time that others may take before a run is disturbed. The kernel
/// counts in hundredths of a second, so that up to 4 % of a second on two cores may be rounding.
pub const DISTURBED_FROM: f64 = 0.05;

/// The unit in which the kernel counts a core's time: in a slice a core may seem to have been busy for
/// so much longer than it was.
const CORE_TICK_SECONDS: f64 = 0.01;

/// A machine that was suspended for this long during a run had other clocks, caches and timeouts after
/// it. Less is the time between reading two clocks.
pub const SUSPENDED_FROM: f64 = 1.0;

/// The share of an open loop's rate that has to be answered, as `visit` judges it too.
pub const HELD_FROM: f64 = 0.99;

/// Requests in flight by Little's law, as a share of those asked for. Tools reach 0.9 to 1.0 here,
/// 0.65 where a short run begins by opening thousands of connections; more than 1 is impossible.
pub const IN_FLIGHT: std::ops::Range<f64> = 0.5..1.1;

/// The least of that share where the tool's mean is not the whole wait of a connection, as wrk's is
/// not: with 1 to 1,000 connections, kept or not, wrk had 0.43 and more. With less, connections were
/// never answered again.
pub const IN_FLIGHT_FROM: f64 = 0.1;

/// In mode `close` the share of its answers that a run has to have accepted connections for. A server
/// that closes has one for each.
pub const CLOSED_FROM: f64 = 0.5;

/// The share of a number of requests that has to be made. hey, which prints rate and time in four
/// digits, may seem to be one short beyond a million.
pub const MADE_FROM: f64 = 0.999;

/// How much of that share may be due to the tool's resolution: for one connection with 20,000
/// answers per second, `hey` prints 0.0000 s or 0.0001 s for each.
const BLUR: f64 = 0.1;

/// An answer that took this long, and [`STILL_SHARE`] of the run, shows that the server or the tool
/// stalled. The kernel's timers for acknowledgements and for a first loss are shorter.
pub const STILL_SECONDS: f64 = 0.25;
/// See [`STILL_SECONDS`].
pub const STILL_SHARE: f64 = 0.05;

/// The median latency by which a delayed acknowledgement shows. The client's kernel waits 40 ms with it
/// at least (`TCP_DELACK_MIN`), and until the next tick of its timer: 44 ms were seen here.
pub const DELAYED_SECONDS: std::ops::Range<f64> = 0.039..0.046;

/// With less than this share of the cores' time on either side, requests did not wait for others that
/// were being answered.
pub const QUIET_BELOW: f64 = 0.5;

/// What limited a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// What limited it.
    pub bound: Bound,
    /// Why, where it is invalid, disturbed or thread-bound.
    pub reason: Option<String>,
}

/// The verdict on a run, from its figures; `None` where it has none of a load.
pub fn of_run(record: &Record) -> Option<VerdictRecord> {
    let (load, cpu) = (record.load.as_ref()?, record.cpu.as_ref()?);
    let utilisation = |seconds: f64, cores: usize| seconds / (load.elapsed_seconds * as_f64(cores as u64));
    let cores_seconds = cpu.wall_seconds * as_f64(record.cores() as u64);
    let external_share = cpu.external_seconds.map(|seconds| seconds / cores_seconds);
    let throttled_share = cpu.throttled_seconds.map(|seconds| seconds / cores_seconds);
    let threads = thread_utilisations(record);
    let mut verdict = VerdictRecord {
        bound: Bound::LatencyBound,
        reason: None,
        server_utilisation: cpu.server.map(|server| utilisation(server.seconds, record.server_cores.len())),
        thread_utilisation: threads.first().copied(),
        tool_utilisation: utilisation(cpu.tool.seconds, record.tool_cores.len()),
        external_share,
        concurrency: concurrency(record),
    };
    let (server, tool) = (verdict.server_utilisation, verdict.tool_utilisation);
    let thread = verdict.thread_utilisation;
    let taken = [(external_share, "other work took"), (throttled_share, "the container's quota throttled")];
    // Of slices those that were disturbed are left out already, by a limit that allows for rounding,
    // which is much of their sum: each is two hundredths of a second.
    let is_left_out = record.slices.as_ref().is_some_and(|slices| !slices.is_disturbed());
    let taken = taken
        .into_iter()
        .filter(|_| !is_left_out)
        .find_map(|(share, who)| Some((share.filter(|s| *s > DISTURBED_FROM)?, who)));
    let not_as_asked =
        failed(record).or_else(|| missing(record)).or_else(|| kept_open(record)).or_else(|| short(record));
    (verdict.bound, verdict.reason) = if let Some(reason) = not_as_asked {
        (Bound::Invalid, Some(reason))
    } else if let Some(seconds) = cpu.suspended_seconds.filter(|seconds| *seconds >= SUSPENDED_FROM) {
        (Bound::Disturbed, Some(format!("the machine was suspended for {seconds:.0} s meanwhile")))
    } else if let Some((share, who)) = taken {
        (Bound::Disturbed, Some(format!("{who} {:.0} % of the cores' time", share * 100.0)))
    } else if let Some(reason) = not_held(record, tool)
        .or_else(|| breaks_littles_law(record, verdict.concurrency))
        .or_else(|| stalled(record, server?.max(tool).max(thread.unwrap_or_default())))
    {
        (Bound::Invalid, Some(reason))
    } else {
        let bound = limit(server, thread, tool, record.workload.rate.is_some());
        (bound, (bound == Bound::ThreadBound).then(|| busy_threads(&threads, record.server_cores.len())))
    };
    Some(verdict)
}

/// Whether others took so much of the cores' time in a slice, beyond what may be rounding, that it does
/// not count.
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

/// The verdict on a cell, from its runs; `None` where none has figures of a load. One failed
/// request makes a cell invalid; otherwise it is what most of its runs are, as medians go.
pub(crate) fn of_runs(runs: &[&Record]) -> Option<Verdict> {
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
    let (bound, reason) = if let Some(reason) = failures(errors, connections, answered) {
        (Bound::Invalid, Some(reason))
    } else if share(Bound::Invalid) >= 0.5 {
        (Bound::Invalid, reason(Bound::Invalid))
    } else if share(Bound::Disturbed) >= 0.5 {
        (Bound::Disturbed, reason(Bound::Disturbed))
    } else {
        let bound = limit(server, thread, tool, runs.iter().any(|(run, _)| run.workload.rate.is_some()));
        (bound, reason(bound).filter(|_| bound == Bound::ThreadBound))
    };
    Some(Verdict { bound, reason })
}

/// Whether each answer seems to wait for an acknowledgement that the client's kernel delays: in most
/// runs of a closed loop, half of the answers took about as long as that, and both sides were quiet.
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

/// What limited a load, by the shares that the server, its busiest thread and the tool used: latency, however busy the sides were, if it was an open loop.
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

/// The shares of a core's time that the server's busiest threads used, the largest first. Of a server
/// with a single core there are none, since its share is theirs.
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

/// Failed requests, or no answer at all.
fn failed(record: &Record) -> Option<String> {
    let load = record.load.as_ref()?;
    let nothing = (load.answered == 0).then(|| "nothing was answered".to_owned());
    failures(record.error_count(), load.failed_connections, load.answered).or(nothing)
}

/// What failed: requests, or connections, which say nothing about how many requests.
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

/// Missing connections. In mode `close` none stays open. A single connection exists where there are
/// answers, though a server that closes it each time may have none at the moment of the count.
fn missing(record: &Record) -> Option<String> {
    let connections = record.connections.filter(|_| record.workload.mode.as_deref() != Some("close"))?;
    let (asked, seen) = (u64::from(connections.asked), connections.seen?);
    (seen < asked && asked > 1).then(|| format!("only {seen} of {asked} connections were open"))
}

/// In mode `close` connections that the server kept open: the load was not the one asked for.
fn kept_open(record: &Record) -> Option<String> {
    let accepted =
        record.connections.filter(|_| record.workload.mode.as_deref() == Some("close"))?.accepted?;
    let answered = record.load.as_ref()?.answered;
    (as_f64(accepted) < as_f64(answered) * CLOSED_FROM)
        .then(|| format!("the server kept connections open: {answered} answers over {accepted} of them"))
}

/// A load by count whose tool made fewer requests.
fn short(record: &Record) -> Option<String> {
    let asked = record.workload.requests?;
    let made = record.load.as_ref()?.answered;
    (as_f64(made) < as_f64(asked) * MADE_FROM).then(|| format!("only {made} of {asked} requests were made"))
}

/// The rate of an open loop that was not held, by what the tool says or by the number of answers.
fn not_held(record: &Record, tool_utilisation: f64) -> Option<String> {
    let open_loop = record.load.as_ref()?.open_loop.as_ref()?;
    let achieved = record.per_second()? / open_loop.rate_per_second;
    if open_loop.held.unwrap_or(true) && achieved >= HELD_FROM {
        return None;
    }
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

/// Throughput times mean latency, as a share of the requests that were to be in flight: in a closed
/// loop, where the tool's resolution is fine enough.
fn in_flight(record: &Record) -> Option<f64> {
    let mode = record.workload.mode.as_deref().filter(|_| record.workload.rate.is_none())?;
    let depth: f64 = mode.strip_prefix("pipelined-").map_or(Some(1.0), |depth| depth.parse().ok())?;
    let asked = f64::from(record.workload.connections) * depth;
    let per_second = record.per_second()?;
    let resolution = record.tool.semantics.as_ref()?.resolution_seconds.unwrap_or(0.0);
    let share = per_second * record.latency.as_ref()?.mean_seconds? / asked;
    (per_second * resolution / asked <= BLUR).then_some(share)
}

/// Whether the tool's latency is measured, and is all that a connection waits for.
fn is_whole_wait(record: &Record) -> bool {
    record.tool.semantics.as_ref().is_some_and(|semantics| {
        let connects = record.workload.mode.as_deref() == Some("close");
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

/// An answer so late that the server or the tool must have stalled.
fn stalled(record: &Record, busiest: f64) -> Option<String> {
    let (latest, elapsed) = (record.latency.as_ref()?.max_seconds?, record.load.as_ref()?.elapsed_seconds);
    let is_still = busiest < BUSY_FROM && latest >= STILL_SECONDS && latest >= elapsed * STILL_SHARE;
    is_still
        .then(|| format!("something stood still: an answer took {latest:.2} s, and neither side was busy"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::record::{OpenLoopRecord, RateRecord, SlicesRecord};

    /// A run of a second, with a core for each side, that used these seconds of CPU time.
    fn run(server: f64, tool: f64, attached: f64) -> Record {
        let mut record = Record::example("one", 1);
        let cpu = record.cpu.as_mut().unwrap();
        (cpu.server.as_mut().unwrap().seconds, cpu.tool.seconds, cpu.external_seconds) =
            (server, tool, Some(attached));
        record
    }

    fn with(mut record: Record, change: impl Fn(&mut Record)) -> Record {
        change(&mut record);
        record
    }

    #[test]
    fn a_run_is_bound_by_what_was_used_up() {
        let busy = || run(0.95, 0.95, 0.0);
        let unknown = |record: &mut Record| {
            let cpu = record.cpu.as_mut().unwrap();
            (cpu.server, cpu.external_seconds) = (None, None);
            record.latency.as_mut().unwrap().max_seconds = Some(0.3);
        };
        let errors = |record: &mut Record| {
            record.load.as_mut().unwrap().errors = [("status 503".to_owned(), 1)].into();
        };
        let reset = |record: &mut Record| {
            let load = record.load.as_mut().unwrap();
            (load.errors, load.failed_connections) = ([("read".to_owned(), 1)].into(), 1);
        };
        let both = |record: &mut Record| {
            reset(record);
            record.load.as_mut().unwrap().errors.insert("status 503".into(), 1);
        };
        let kept = |record: &mut Record| {
            record.workload.mode = Some("close".into());
            record.connections.as_mut().unwrap().accepted = Some(10);
        };
        let asked = |record: &mut Record| record.workload.requests = Some(1100);
        let synthetic = |share: f64| {
            move |record: &mut Record| {
                record.tool.semantics.as_mut().unwrap().synthetic = true;
                record.latency.as_mut().unwrap().mean_seconds = Some(0.01 * share);
            }
        };
        let open = |held, rate_per_second| {
            move |record: &mut Record| {
                let (peak_per_second, lag_p99_seconds) = (None, Some(0.1));
                record.load.as_mut().unwrap().open_loop =
                    Some(OpenLoopRecord { rate_per_second, peak_per_second, held, lag_p99_seconds });
                let rate = RateRecord { per_second: Some(rate_per_second), share: None, peak: None };
                record.workload.rate = Some(rate);
            }
        };
        let quota = |run: &mut Record| run.cpu.as_mut().unwrap().throttled_seconds = Some(0.2);
        let asleep = |run: &mut Record| run.cpu.as_mut().unwrap().suspended_seconds = Some(90.0);
        let unanswered = |run: &mut Record| run.load.as_mut().unwrap().answered = 0;
        let nine = |run: &mut Record| run.connections.as_mut().unwrap().seen = Some(9);
        let nine_in_mode_close = |run: &mut Record| {
            nine(run);
            run.workload.mode = Some("close".into());
            run.connections.as_mut().unwrap().accepted = Some(1000);
        };
        let fast = |run: &mut Record| run.latency.as_mut().unwrap().mean_seconds = Some(0.001);
        let coarse = |run: &mut Record| {
            run.latency.as_mut().unwrap().mean_seconds = Some(0.0);
            run.tool.semantics.as_mut().unwrap().resolution_seconds = Some(0.1);
        };
        let slow = |run: &mut Record| run.latency.as_mut().unwrap().max_seconds = Some(0.3);
        let late = "the rate of 1000/s was not held: one request in a hundred began more than 100.0 ms late, and the \
                    tool used all of its cores' time";
        let unheld = with(run(0.5, 0.95, 0.0), open(Some(false), 1000.0));
        let too_little = with(run(0.95, 0.5, 0.0), open(None, 1020.0));
        let unanswered_share = "98.0 % of it was answered, and the tool had time left";
        let broken = "Little's law is broken: throughput times mean latency is 10 %";
        let still = "something stood still: an answer took 0.30 s";
        let cases = [
            ("neither is busy", run(0.5, 0.5, 0.0), "latency-bound", ""),
            ("the server is", run(0.95, 0.5, 0.02), "server-bound", ""),
            ("the tool is", run(0.5, 0.95, 0.02), "client-bound", ""),
            ("both are", busy(), "client-bound", ""),
            ("the server's usage is unknown", with(run(0.95, 0.5, 0.0), unknown), "unknown", ""),
            ("the same, and the tool is busy", with(busy(), unknown), "client-bound", ""),
            ("other work takes a tenth", run(0.5, 0.5, 0.2), "disturbed", "other work took 10 %"),
            ("a quota takes a tenth", with(busy(), quota), "disturbed", "quota throttled 10 %"),
            ("a laptop is closed", with(busy(), asleep), "disturbed", "suspended for 90 s"),
            ("one in a thousand fails", with(busy(), errors), "invalid", "1 of 1001 requests failed"),
            ("there is no answer", with(busy(), unanswered), "invalid", "nothing was answered"),
            ("connections fail", with(busy(), reset), "invalid", "1 connections failed, beside 1000 answers"),
            ("both fail", with(busy(), both), "invalid", "1 of 1001 requests failed, and 1 connections"),
            ("a server does not close", with(busy(), kept), "invalid", "1000 answers over 10 of them"),
            ("fewer are made", with(busy(), asked), "invalid", "only 1000 of 1100 requests were made"),
            ("synthetic latency", with(busy(), synthetic(0.3)), "client-bound", ""),
            (
                "the same, and connections hang",
                with(busy(), synthetic(0.05)),
                "invalid",
                "mean latency is 5 %",
            ),
            ("connections are missing", with(busy(), nine), "invalid", "only 9 of 10 connections"),
            ("none stays open in mode close", with(busy(), nine_in_mode_close), "client-bound", ""),
            ("the tool says that it did not hold the rate", unheld, "invalid", late),
            ("too little was answered", too_little, "invalid", unanswered_share),
            ("the rate was held", with(busy(), open(Some(true), 1000.0)), "latency-bound", ""),
            ("answers come too fast for ten connections", with(busy(), fast), "invalid", broken),
            ("the tool counts in tenths of a second", with(busy(), coarse), "client-bound", ""),
            ("neither side was busy for a while", with(run(0.7, 0.7, 0.0), slow), "invalid", still),
            ("an unfair server is busy", with(busy(), slow), "client-bound", ""),
        ];
        for (name, record, expected, reason) in cases {
            let verdict = of_run(&record).unwrap();
            assert_eq!(verdict.bound.to_string(), expected, "{name}");
            assert!(verdict.reason.unwrap_or_default().contains(reason), "{name}");
        }
        let failed = Record { load: None, ..busy() };
        assert!(of_run(&failed).is_none());
    }

    /// Seconds of CPU time of a server on so many cores and of its busiest threads, in a run of a second.
    fn threaded(server: f64, cores: usize, threads: &[f64]) -> Record {
        with(run(server, 0.5, 0.0), |record| {
            record.server_cores = (0..cores).collect();
            record.tool_cores = vec![cores];
            record.cpu.as_mut().unwrap().thread_seconds = Some(threads.to_vec());
        })
    }

    #[test]
    fn a_server_with_fewer_busy_threads_than_cores_is_bound_by_them() {
        let busy_tool = |record: &mut Record| record.cpu.as_mut().unwrap().tool.seconds = 0.95;
        let unknown = |record: &mut Record| record.cpu.as_mut().unwrap().thread_seconds = None;
        let late = |record: &mut Record| record.latency.as_mut().unwrap().max_seconds = Some(0.3);
        let open = |record: &mut Record| {
            let rate = RateRecord { per_second: Some(1000.0), share: None, peak: None };
            record.workload.rate = Some(rate);
        };
        let disturbed = |record: &mut Record| record.cpu.as_mut().unwrap().external_seconds = Some(1.0);
        let one = || threaded(0.97, 2, &[0.97, 0.0]);
        let cases = [
            ("one thread, two cores", one(), "thread-bound", Some("1 busy thread on 2 cores"), Some(0.97)),
            (
                "one of two",
                threaded(1.4, 2, &[0.95, 0.45]),
                "thread-bound",
                Some("1 busy thread on 2 cores"),
                Some(0.95),
            ),
            (
                "three, four cores",
                threaded(2.9, 4, &[0.98, 0.97, 0.92, 0.03]),
                "thread-bound",
                Some("3 busy threads on 4 cores"),
                Some(0.98),
            ),
            ("threads take turns", threaded(0.98, 2, &[0.5, 0.48]), "latency-bound", None, Some(0.5)),
            ("threads that have ended", threaded(1.0, 2, &[0.02]), "latency-bound", None, Some(0.02)),
            ("all cores are busy", threaded(1.9, 2, &[0.96, 0.94]), "server-bound", None, Some(0.96)),
            ("a single core", threaded(0.95, 1, &[0.95]), "server-bound", None, None),
            ("a single core with time left", threaded(0.89, 1, &[0.9]), "latency-bound", None, None),
            ("the tool is busy too", with(one(), busy_tool), "client-bound", None, Some(0.97)),
            ("an old record", with(one(), unknown), "latency-bound", None, None),
            ("an open loop", with(one(), open), "latency-bound", None, Some(0.97)),
            (
                "an unfair one",
                with(one(), late),
                "thread-bound",
                Some("1 busy thread on 2 cores"),
                Some(0.97),
            ),
            (
                "a disturbed one",
                with(one(), disturbed),
                "disturbed",
                Some("other work took 33 % of the cores' time"),
                Some(0.97),
            ),
        ];
        for (name, record, expected, reason, utilisation) in cases {
            let verdict = of_run(&record).unwrap();
            let found = (verdict.bound.to_string(), verdict.reason, verdict.thread_utilisation);
            assert_eq!(found, (expected.to_owned(), reason.map(str::to_owned), utilisation), "{name}");
        }
        // A cell is bound by its threads where the median of its runs is.
        let runs = [one(), threaded(1.2, 2, &[0.7, 0.5]), threaded(0.93, 2, &[0.93])];
        let judged = runs.map(|run| with(run, |run| run.verdict = of_run(run)));
        let cell = of_runs(&judged.iter().collect::<Vec<_>>()).unwrap();
        let reason = Some("1 busy thread on 2 cores".to_owned());
        assert_eq!(cell, Verdict { bound: Bound::ThreadBound, reason });
    }

    #[test]
    fn a_wait_of_40_ms_in_a_quiet_closed_loop_looks_like_a_delayed_acknowledgement() {
        // Milliseconds of the median latency, and the shares of both sides.
        let delayed = |milliseconds: f64, server: f64, tool: f64| {
            with(run(server, tool, 0.0), |record| {
                let latency = record.latency.as_mut().unwrap();
                latency.percentiles = [(50, milliseconds / 1e3)].into();
                latency.mean_seconds = None;
                record.verdict = of_run(record);
            })
        };
        let open = |mut record: Record| {
            record.workload.rate = Some(RateRecord { per_second: Some(24.0), share: None, peak: None });
            record
        };
        let unknown = |mut record: Record| {
            record.cpu.as_mut().unwrap().server = None;
            record.verdict = of_run(&record);
            record
        };
        let disturbed = |mut record: Record| {
            record.verdict.as_mut().unwrap().bound = Bound::Disturbed;
            record
        };
        let without = |mut record: Record| {
            record.latency = None;
            record
        };
        let one = || delayed(44.0, 0.01, 0.02);
        let cases = [
            ("44 ms", vec![one()], true),
            ("40 ms, and a third of the cores' time", vec![delayed(40.0, 0.3, 0.3)], true),
            ("less", vec![delayed(38.0, 0.01, 0.01)], false),
            ("more", vec![delayed(47.0, 0.01, 0.01)], false),
            ("a server at work", vec![delayed(44.0, 0.6, 0.1)], false),
            ("a tool at work", vec![delayed(44.0, 0.1, 0.6)], false),
            ("an open loop", vec![open(one())], false),
            ("a server whose usage is not known", vec![unknown(one())], false),
            ("a disturbed run", vec![disturbed(one())], false),
            ("no latency", vec![without(one())], false),
            ("most runs", vec![one(), one(), delayed(20.0, 0.01, 0.01)], true),
            ("half of the runs", vec![one(), delayed(20.0, 0.01, 0.01)], false),
            ("no run", vec![], false),
        ];
        for (name, runs, expected) in cases {
            assert_eq!(waits_for_acknowledgements(&runs.iter().collect::<Vec<_>>()), expected, "{name}");
        }
    }

    #[test]
    fn a_cell_is_what_most_of_its_runs_are() {
        let run = |bound: Bound, errors: u64| {
            let mut record = run(0.5, 0.5, 0.0);
            if errors > 0 {
                record.load.as_mut().unwrap().errors = [("reset".to_owned(), errors)].into();
            }
            record.verdict = of_run(&record);
            record.verdict.as_mut().unwrap().bound = bound;
            record
        };
        let (fine, late, bad) = (Bound::LatencyBound, Bound::Disturbed, Bound::Invalid);
        type Case<'a> = (&'a str, &'a [(Bound, u64)], Bound);
        let cases: [Case; 5] = [
            ("all are fine", &[(fine, 0), (fine, 0), (fine, 0)], fine),
            ("one was disturbed", &[(fine, 0), (late, 0), (fine, 0)], fine),
            ("most were disturbed", &[(late, 0), (late, 0), (fine, 0)], late),
            ("half did not hold", &[(bad, 0), (fine, 0)], bad),
            ("one request failed", &[(bad, 1), (fine, 0), (fine, 0)], bad),
        ];
        for (name, runs, expected) in cases {
            let runs: Vec<Record> = runs.iter().map(|(bound, errors)| run(*bound, *errors)).collect();
            let runs: Vec<&Record> = runs.iter().collect();
            assert_eq!(of_runs(&runs).unwrap().bound, expected, "{name}");
        }
        assert_eq!(of_runs(&[]), None);
    }

    #[test]
    fn a_run_in_slices_is_disturbed_where_most_of_them_are() {
        for (disturbed, expected) in [
            (vec![], Bound::ServerBound),
            (vec![0, 1], Bound::ServerBound),
            (vec![0, 1, 2], Bound::Disturbed),
        ] {
            let record = with(run(0.95, 0.5, 0.2), |record| {
                let (answered, disturbed) = (vec![1; 4], disturbed.clone());
                record.slices = Some(SlicesRecord { answered, disturbed, ..SlicesRecord::default() });
            });
            assert_eq!(of_run(&record).unwrap().bound, expected, "{disturbed:?}");
        }
    }
}
