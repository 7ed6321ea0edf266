//! Searches for the highest rate at which a server keeps a limit of latency.
//!
//! Each probe is an open loop at one rate. A rate is *kept* if the loop holds it and the latency
//! stays within the limit. The server's closed-loop peak is the upper end: no open loop holds more.
//! The search halves, by ratio, the interval between the highest rate that was kept and the lowest
//! rate that was not, until the interval is narrow. The remaining probes repeat the lower end, so
//! that a rate that was kept by chance is noticed.
//!
//! ```text
//! peak 160  ▶ 80 kept ▶ 113 not ▶ 95 kept ▶ 104 kept ▶ 108 not ▶ 106 not ▶ 104 kept …
//! ```
//!
//! Nothing is random: the same records give the same rates.

use crate::analysis::summary::Cell;
use crate::analysis::verdict;
use crate::store::record::{Bound, LimitRecord, Record};

/// The ratio of the ends at which the search ends. Slices show a difference of this size; single
/// runs of an open loop hardly do.
const NARROW: f64 = 1.02;

/// The share of the peak below which no rate is tried.
const LOWEST: f64 = 1.0 / 256.0;

/// A rate that was tried, and whether it was kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Probe {
    /// Requests per second.
    pub rate: f64,
    /// Whether the rate was held, and the latency stayed within the limit.
    pub is_kept: bool,
}

/// The result of a search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capacity {
    /// The highest kept rate that is below every rate that was not kept. A rate counts as kept if
    /// at least half of its probes are.
    pub kept: f64,
    /// The lowest rate that was not kept; `None` where the search found none.
    pub exceeded: Option<f64>,
}

impl Probe {
    /// Returns the probe of a run; `None` where the run has no figures. A disturbed run counts like
    /// any other: it was repeated as often as the user allows.
    pub fn from_run(run: &Record, limit: LimitRecord) -> Option<Self> {
        let rate = run.load.as_ref()?.open_loop.as_ref()?.rate_per_second;
        let is_within = percentile(run, limit.percentile).is_some_and(|seconds| seconds <= limit.seconds);
        let is_kept = is_within && run.verdict.as_ref()?.bound != Bound::Invalid && verdict::is_held(run)?;
        Some(Self { rate, is_kept })
    }
}

/// A percentile of a run's latency, in seconds.
pub fn percentile(run: &Record, percentile: f64) -> Option<f64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a percentile is below 100")]
    match percentile {
        99.9 => run.latency.as_ref()?.p99_9_seconds,
        whole => run.percentile(whole as u8),
    }
}

/// The rate to try next, below a closed-loop peak.
pub fn next(peak: f64, probes: &[Probe]) -> f64 {
    let (low, high) = ends(peak, probes);
    match low {
        Some(low) if high <= low * NARROW => low,
        Some(low) => (low * high).sqrt(),
        None => (high / 2.0).max(peak * LOWEST),
    }
}

/// Returns the result of the probes; `None` where no rate was kept.
pub fn found(peak: f64, probes: &[Probe]) -> Option<Capacity> {
    let (low, high) = ends(peak, probes);
    Some(Capacity { kept: low?, exceeded: (high < peak).then_some(high) })
}

/// Returns the result of a server's search, from the runs of its cell.
pub fn from_cell(cell: &Cell, limit: LimitRecord) -> Option<Capacity> {
    let peak = cell.runs.iter().find_map(|run| run.load.as_ref()?.open_loop.as_ref()?.peak_per_second)?;
    let probes: Vec<Probe> = cell.runs.iter().filter_map(|run| Probe::from_run(run, limit)).collect();
    found(peak, &probes)
}

/// Returns the highest rate that was kept, and the lowest that was not, which is the peak at first.
fn ends(peak: f64, probes: &[Probe]) -> (Option<f64>, f64) {
    let mut rates: Vec<f64> = probes.iter().map(|probe| probe.rate).collect();
    rates.sort_unstable_by(f64::total_cmp);
    rates.dedup();
    let is_kept = |rate: f64| {
        let own = || probes.iter().filter(|probe| probe.rate == rate);
        own().filter(|probe| probe.is_kept).count() * 2 >= own().count()
    };
    let high = rates.iter().copied().find(|rate| !is_kept(*rate)).unwrap_or(peak);
    let low = rates.iter().copied().filter(|rate| *rate < high && is_kept(*rate)).reduce(f64::max);
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Searches a server that keeps the limit up to `knee`.
    fn search(peak: f64, knee: f64, probes: usize) -> Vec<Probe> {
        let mut made = Vec::new();
        for _ in 0..probes {
            let rate = next(peak, &made);
            made.push(Probe { rate, is_kept: rate <= knee });
        }
        made
    }

    #[test]
    fn the_knee_is_found_from_below() {
        for (peak, knee) in [(160_000.0, 105_000.0), (1000.0, 990.0), (50_000.0, 1000.0), (300.0, 150.0)] {
            let probes = search(peak, knee, 12);
            let found = found(peak, &probes).unwrap();
            assert!(found.kept <= knee && found.kept > knee / 1.04, "{peak} {knee}: {found:?} {probes:?}");
            let exceeded = found.exceeded.unwrap_or(peak);
            assert!(exceeded > knee && exceeded < found.kept * 1.06, "{peak} {knee}: {found:?}");
        }
    }

    #[test]
    fn a_limit_that_nothing_keeps_is_not_found() {
        let probes = search(1000.0, 0.0, 12);
        assert_eq!(found(1000.0, &probes), None);
        assert!(probes.iter().all(|probe| probe.rate >= 1000.0 * LOWEST));
    }

    #[test]
    fn a_rate_that_was_kept_by_chance_is_seen() {
        let probe = |rate, is_kept| Probe { rate, is_kept };
        let lucky = [probe(80.0, true), probe(120.0, false), probe(100.0, true), probe(101.0, false)];
        assert_eq!(next(160.0, &lucky), 100.0);
        let seen = [&lucky[..], &[probe(100.0, false), probe(100.0, false)]].concat();
        assert_eq!(found(160.0, &seen), Some(Capacity { kept: 80.0, exceeded: Some(100.0) }));
        assert!((next(160.0, &seen) - (80.0_f64 * 100.0).sqrt()).abs() < 1e-9);
    }

    #[test]
    fn a_run_says_whether_the_limit_was_kept() {
        let limit = LimitRecord { percentile: 99.0, seconds: 0.001 };
        let run = |bound, p99, held| {
            let mut run = Record::example("one", 1);
            let open_loop = crate::store::record::OpenLoopRecord {
                rate_per_second: 1000.0,
                peak_per_second: Some(2000.0),
                held: Some(held),
                lag_p99_seconds: None,
            };
            run.load.as_mut().unwrap().open_loop = Some(open_loop);
            run.latency.as_mut().unwrap().percentiles.insert(99, p99);
            run.set_bound(bound);
            Probe::from_run(&run, limit).map(|probe| probe.is_kept)
        };
        let cases = [
            (Bound::LatencyBound, 0.0009, true, Some(true)),
            (Bound::LatencyBound, 0.0011, true, Some(false)),
            (Bound::Invalid, 0.0009, false, Some(false)),
            (Bound::Disturbed, 0.0009, true, Some(true)),
            (Bound::Disturbed, 0.0011, true, Some(false)),
        ];
        for (bound, p99, held, expected) in cases {
            assert_eq!(run(bound, p99, held), expected, "{bound} {p99}");
        }
    }
}
