//! Divides the CPU time per request into parts that were measured separately.
//!
//! ```text
//! CPU time per request = floor + switches + framework + own code + unexplained
//! ```
//!
//! The floor is the least that the kernel needs, measured with the floor server under the same
//! load. Switches are the context switches beyond the floor's, times the cost of one switch in a
//! microbenchmark. Framework and own code are sums of microbenchmarks that the server's manifest
//! names. The rest is unexplained; for a server without such benchmarks, it is the server's runtime
//! and code. All parts are in seconds. `report/section/breakdown.rs` writes the text.

use crate::analysis::summary::{Cell, RunFigure, WorkloadSummary};
use crate::store::microbench::MicrobenchRecord;
use crate::store::record::{Record, TaskRecord, UsageRecord, WorkloadRecord};
use crate::text::numbers::as_f64;

/// The parts do not explain the CPU time where the rest is at least this share of it, positive or
/// negative.
pub(crate) const OPEN_FROM: f64 = 0.25;

/// The benchmark of a switch between two threads, by a write and a read.
pub(crate) const HAND_OFF: &str = "kernel/thread hand-off";

/// The benchmark of two writes and two reads without a switch.
pub(crate) const ROUND_TRIP: &str = "kernel/socket pair";

/// The mode of a load whose requests come one at a time, as in the benchmarks.
const KEPT: &str = "keep-alive";

/// The CPU time per request in parts, server by server, under one workload.
#[derive(Debug)]
pub(crate) struct Breakdown<'a> {
    pub summary: &'a WorkloadSummary<'a>,
    /// The breakdown of the floor server.
    pub floor: ServerBreakdown<'a>,
    /// The servers that have figures, in the summary's order.
    pub servers: Vec<ServerBreakdown<'a>>,
}

/// The CPU time per request of a server, or of the floor, in parts: medians of its repetitions, in
/// seconds. A part that is not known is absent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerBreakdown<'a> {
    pub cell: &'a Cell<'a>,
    /// The CPU time per request.
    pub seconds: f64,
    /// The CPU time per request in user mode.
    pub user_seconds: Option<f64>,
    /// The number of context switches of the server per request, voluntary and involuntary.
    pub switch_count: Option<f64>,
    /// The floor's part: `seconds` divided by the ratio to the floor server in the same
    /// repetitions.
    pub floor: f64,
    pub switches: Option<f64>,
    pub framework: Option<f64>,
    pub own: Option<f64>,
}

/// Returns the breakdown of a workload. `None` unless the workload is a closed loop of requests
/// that come one at a time over kept connections, the floor has valid figures, and a server has
/// figures.
pub(crate) fn breakdown<'a>(
    summary: &'a WorkloadSummary<'a>,
    code: &MicrobenchRecord,
) -> Option<Breakdown<'a>> {
    let floor = summary.floor.as_ref().filter(|floor| floor.not_ranked().is_none());
    let floor = floor.filter(|_| is_explained(summary.workload)).and_then(ServerBreakdown::from_cell)?;
    let servers = summary.cells.iter().filter_map(|cell| ServerBreakdown::new(cell, &floor, code));
    let servers: Vec<ServerBreakdown> = servers.collect();
    (!servers.is_empty()).then_some(Breakdown { summary, floor, servers })
}

fn is_explained(workload: &WorkloadRecord) -> bool {
    workload.task == TaskRecord::Load && workload.rate.is_none() && workload.mode.as_deref() == Some(KEPT)
}

/// The time per operation of a benchmark, in seconds, if it was run.
pub(crate) fn time(code: &MicrobenchRecord, name: &str) -> Option<f64> {
    let bench = code.benches.iter().find(|bench| bench.full_name() == name)?;
    Some(bench.per_operation().seconds)
}

/// The cost of a switch in seconds, without the write and the read of its benchmark: the floor
/// includes those.
pub(crate) fn switch(code: &MicrobenchRecord) -> Option<f64> {
    Some((time(code, HAND_OFF)? - time(code, ROUND_TRIP)? / 2.0).max(0.0))
}

/// The sum of the benchmarks' times; `None` where there are none, or one was not run.
fn sum(code: &MicrobenchRecord, names: &[String]) -> Option<f64> {
    let seconds: Option<f64> = names.iter().map(|name| time(code, name)).sum();
    seconds.filter(|_| !names.is_empty())
}

/// A figure of the server's usage, per request.
fn per_request(run: &Record, figure: impl Fn(&UsageRecord) -> Option<f64>) -> Option<f64> {
    let answered = run.load.as_ref()?.answered;
    let figure = figure(run.cpu.as_ref()?.server.as_ref()?)?;
    (answered > 0).then_some(figure / as_f64(answered))
}

fn switches(server: &UsageRecord) -> Option<f64> {
    Some(as_f64(server.voluntary_switches? + server.involuntary_switches?))
}

impl<'a> ServerBreakdown<'a> {
    /// Creates a breakdown in which the floor's part is the whole, as for the floor server itself;
    /// `None` where the cell has no CPU time.
    fn from_cell(cell: &'a Cell<'a>) -> Option<Self> {
        let seconds = cell.median(Record::cpu_per_request)?;
        Some(Self {
            cell,
            seconds,
            user_seconds: cell.median(|run| per_request(run, |server| Some(server.user_seconds))),
            switch_count: cell.median(|run| per_request(run, switches)),
            floor: seconds,
            switches: None,
            framework: None,
            own: None,
        })
    }

    fn new(cell: &'a Cell<'a>, floor: &Self, code: &MicrobenchRecord) -> Option<Self> {
        let whole = Self::from_cell(cell)?;
        // Paired by repetition, so that a drift of the machine cancels out. Cells that are not
        // ranked have a breakdown too.
        let ratio = cell.raw_ratio_to(floor.cell, RunFigure::COST)?.median;
        let switches = || {
            let more = (whole.switch_count? - floor.switch_count?).max(0.0);
            Some(more * switch(code)?)
        };
        let costs = code.costs.iter().find(|costs| costs.server == cell.server.name);
        Some(Self {
            floor: whole.seconds / ratio,
            switches: switches(),
            framework: costs.and_then(|costs| sum(code, &costs.framework)),
            own: costs.and_then(|costs| sum(code, &costs.own)),
            ..whole
        })
    }

    /// The rest after all known parts; `None` unless the part of the framework or of the own code
    /// is known. The rest is below 0 where the parts add up to more than was measured.
    pub(crate) fn unexplained(&self) -> Option<f64> {
        self.code().map(|_| self.left())
    }

    /// The rest for a server without these two parts: its runtime and its code together. `None` for
    /// the floor.
    pub(crate) fn runtime_and_code(&self) -> Option<f64> {
        (self.code().is_none() && !self.cell.server.is_floor).then(|| self.left())
    }

    /// The sum of the parts of the framework and of the own code; `None` where neither is known.
    pub(crate) fn code(&self) -> Option<f64> {
        [self.framework, self.own].into_iter().flatten().reduce(|framework, own| framework + own)
    }

    /// A part of the whole, as a share.
    pub(crate) fn share(&self, seconds: f64) -> f64 {
        seconds / self.seconds
    }

    /// Whether the parts explain the whole; `None` where they are not known.
    pub(crate) fn is_explained(&self) -> Option<bool> {
        self.unexplained().map(|seconds| self.share(seconds).abs() < OPEN_FROM)
    }

    fn left(&self) -> f64 {
        let known = [self.switches, self.framework, self.own].into_iter().flatten().sum::<f64>();
        self.seconds - self.floor - known
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::summary::summarise;
    use crate::store::record::RateRecord;

    /// A run with this CPU time per request, of which 2 µs are in user mode, and this number of
    /// switches per request.
    fn run(server: &str, microseconds: f64, switches: Option<u64>) -> Record {
        let mut record = Record::example(server, 1);
        record.server.is_floor = server == "floor";
        let usage = record.cpu.as_mut().unwrap().server.as_mut().unwrap();
        usage.seconds = microseconds / 1e3;
        usage.user_seconds = 2e-3;
        (usage.voluntary_switches, usage.involuntary_switches) = (switches.map(|each| each * 1000), Some(0));
        record
    }

    /// The parts in nanoseconds. The last two are the unexplained part, and runtime and code
    /// together.
    fn parts(server: &ServerBreakdown) -> [Option<f64>; 5] {
        let ServerBreakdown { switches, framework, own, .. } = *server;
        let parts = [switches, framework, own, server.unexplained(), server.runtime_and_code()];
        parts.map(|part| part.map(|seconds| (seconds * 1e9).round()))
    }

    #[test]
    fn parts_add_up_to_what_was_measured() {
        let mut silent = run("silent", 10.0, None);
        silent.cpu.as_mut().unwrap().server.as_mut().unwrap().voluntary_switches = None;
        let cases = [
            ("framed", run("framed", 10.0, Some(1)), "0 1700 350 2950 -", Some(false)),
            ("switched", run("own", 10.0, Some(3)), "2600 - 250 2150 -", Some(true)),
            ("fewer switches than the floor", run("own", 6.0, Some(0)), "0 - 250 750 -", Some(true)),
            ("more than was measured", run("framed", 5.1, Some(1)), "0 1700 350 -1950 -", Some(false)),
            ("no costs", run("attached", 30.0, Some(2)), "1300 - - - 23700", None),
            ("switches that are not known", silent, "- - - - 5000", None),
            ("benchmarks that were not run", run("filtered", 10.0, Some(1)), "0 - 250 4750 -", Some(false)),
        ];
        let code = MicrobenchRecord::example();
        for (name, record, expected, is_explained) in cases {
            let records = [run("floor", 5.0, Some(1)), record];
            let summaries = summarise(&records);
            let breakdown = breakdown(&summaries[0], &code).unwrap();
            let [server] = breakdown.servers.as_slice() else { panic!("{name}: {breakdown:?}") };
            let shown = parts(server).map(|part| part.map_or("-".into(), |part| format!("{part}"))).join(" ");
            assert_eq!((shown.as_str(), server.is_explained()), (expected, is_explained), "{name}");
            let sum: f64 = parts(server).iter().flatten().sum::<f64>() + server.floor * 1e9;
            assert!((sum - server.seconds * 1e9).abs() < 3.0, "{name}: {sum}");
        }
    }

    #[test]
    fn a_breakdown_needs_a_floor_a_server_and_requests_that_come_one_at_a_time() {
        let rate = RateRecord { per_second: Some(1.0), ..RateRecord::default() };
        type Change<'a> = &'a dyn Fn(&mut Record);
        let cases: [(&str, Change, bool); 5] = [
            ("a closed loop", &|_| (), true),
            ("pipelined", &|run| run.workload.mode = Some("pipelined-16".into()), false),
            ("one connection per request", &|run| run.workload.mode = Some("close".into()), false),
            ("an open loop", &|run| run.workload.rate = Some(rate.clone()), false),
            ("connections that are held", &|run| run.workload.task = TaskRecord::Hold, false),
        ];
        let both = [run("floor", 5.0, None), run("own", 10.0, None)];
        let is_there =
            |records: &[Record]| breakdown(&summarise(records)[0], &MicrobenchRecord::example()).is_some();
        for (name, change, expected) in cases {
            let mut records = both.clone();
            records.iter_mut().for_each(change);
            assert_eq!(is_there(&records), expected, "{name}");
        }
        assert!(!is_there(&both[..1]) && !is_there(&both[1..]));
    }
}
