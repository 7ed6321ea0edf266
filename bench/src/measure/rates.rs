//! The rates of open loops, which depend on earlier runs.

use crate::analysis::capacity::{self, Probe};
use crate::analysis::summary::Cell;
use crate::servers::workload::{Rate, Workload};
use crate::store::record::Record;

/// Returns the rate of a server's next run, and the peak that it is derived from: the server's
/// throughput in the first repetition, so that the rate is the same in all repetitions. The rate of
/// a search depends on the repetitions before this one, so that a disturbed attempt is made again
/// at the same rate. `None` for a closed loop; an error says why the rate is unknown.
pub(super) fn next(
    done: &[Record],
    workload: &Workload,
    server: &str,
    repetition: u32,
) -> Result<Option<(f64, Option<f64>)>, String> {
    let tool = workload.tool();
    Ok(match workload.load().and_then(|load| load.rate.as_ref()) {
        None => None,
        Some(Rate::PerSecond(rate)) => Some((*rate, None)),
        Some(Rate::OfPeak { share, peak }) => {
            let peak = peak_of(done, peak, tool, server)?;
            Some((share * peak, Some(peak)))
        }
        Some(Rate::Searched { peak, .. }) => {
            let peak = peak_of(done, peak, tool, server)?;
            let probes = tried(done, &workload.name, tool, server, repetition);
            Some((capacity::next(peak, &probes), Some(peak)))
        }
        Some(Rate::OfFound { share, search }) => {
            let probes = tried(done, search, tool, server, u32::MAX);
            let found = capacity::found(f64::INFINITY, &probes);
            let found = found.ok_or_else(|| format!("{search} has found no rate that keeps the limit"))?;
            Some((share * found.kept, None))
        }
    })
}

/// A server's throughput in the first repetition of the workload of this name.
fn peak_of(done: &[Record], workload: &str, tool: &str, server: &str) -> Result<f64, String> {
    let is_first = |run: &&Record| {
        run.workload.name == workload && run.server.name == server && run.repetition == Some(1)
    };
    let runs = own_or_all(done.iter().filter(is_first).collect(), tool);
    // Uses the attempt that a report would use.
    let found = (!runs.is_empty()).then(|| Cell::new(runs).median(Record::per_second)).flatten();
    let found = found.filter(|found| *found > 0.0);
    found.ok_or_else(|| format!("its peak is unknown: {workload} has no figures"))
}

/// Returns the rates that a server's runs of a search have tried in the repetitions before this
/// one. Of several attempts, only the one that a report would use counts.
fn tried(done: &[Record], workload: &str, tool: &str, server: &str, before: u32) -> Vec<Probe> {
    let runs = done.iter().filter(|run| run.is_of(workload, tool, server));
    let runs: Vec<&Record> =
        runs.filter(|run| run.repetition.is_some_and(|repetition| repetition < before)).collect();
    if runs.is_empty() {
        return Vec::new();
    }
    let limit = |run: &Record| run.workload.rate.as_ref().and_then(|rate| rate.limit);
    Cell::new(runs).runs.into_iter().filter_map(|run| Probe::from_run(run, limit(run)?)).collect()
}

/// Returns the measured runs by a tool. If it has none, for example because it has no closed loops,
/// returns all runs.
fn own_or_all<'r>(runs: Vec<&'r Record>, tool: &str) -> Vec<&'r Record> {
    let is_own = |run: &&Record| run.tool.name == tool && run.is_measured();
    let own: Vec<&Record> = runs.iter().copied().filter(is_own).collect();
    if own.is_empty() { runs } else { own }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::record::{Bound, ErrorKind, ErrorRecord, LimitRecord, OpenLoopRecord, RateRecord};

    #[test]
    fn a_tool_without_closed_loops_takes_the_peak_of_another() {
        let run = |tool: &str, repetition, is_failed: bool| {
            let mut run = Record::example("one", repetition);
            run.tool.name = tool.into();
            let message = String::new();
            run.error = is_failed.then_some(ErrorRecord { kind: ErrorKind::Unavailable, message });
            run
        };
        // The existing runs, and the repetitions of those that are used for the tool `b`.
        let cases: [(&[Record], &[u32]); 4] = [
            (&[run("a", 1, false), run("b", 2, false)], &[2]),
            (&[run("a", 1, false), run("b", 2, true)], &[1, 2]),
            (&[run("a", 1, false)], &[1]),
            (&[], &[]),
        ];
        for (runs, expected) in cases {
            let found = own_or_all(runs.iter().collect(), "b");
            assert_eq!(found.iter().filter_map(|run| run.repetition).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn a_disturbed_attempt_does_not_decide_which_rate_is_tried() {
        let run = |repetition, rate_per_second: f64, bound| {
            let mut run = Record::example("one", repetition);
            let load = run.load.as_mut().unwrap();
            (load.answered, load.elapsed_seconds) = (1000, 1000.0 / rate_per_second);
            load.open_loop = Some(OpenLoopRecord {
                rate_per_second,
                peak_per_second: None,
                held: Some(bound != Bound::Disturbed),
                lag_p99_seconds: None,
            });
            let limit = Some(LimitRecord { percentile: 99.0, seconds: 1000.0 });
            run.workload.rate = Some(RateRecord { limit, ..RateRecord::default() });
            run.latency.as_mut().unwrap().percentiles.insert(99, 0.001);
            run.set_bound(bound);
            run
        };
        let runs = [
            run(1, 80.0, Bound::Disturbed),
            run(1, 80.0, Bound::LatencyBound),
            run(2, 120.0, Bound::Disturbed),
        ];
        let kept = |rate| Probe { rate, is_kept: true };
        let (workload, tool) = (&runs[0].workload.name, &runs[0].tool.name);
        let tried_before = |repetition| tried(&runs, workload, tool, "one", repetition);
        assert_eq!(tried_before(1), []);
        assert_eq!(tried_before(2), [kept(80.0)]);
        assert_eq!(tried_before(u32::MAX), [kept(80.0), Probe { rate: 120.0, is_kept: false }]);
    }
}
