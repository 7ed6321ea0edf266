//! Answers and latency over time.

use serde::{Deserialize, Serialize};

use super::{Report, Times};

/// The answers that arrived in one interval of the measured time. All intervals have the length of
/// `--series` ([`Load::series_seconds`](super::Load::series_seconds)), except that the load may end
/// within the last one.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// Time from the start of the measured time to the start of the interval.
    pub began_seconds: f64,
    /// Right answers with a 2xx status that arrived in the interval.
    pub answered: u64,
    /// 50th percentile of the latency of all answers that arrived in the interval, of any status;
    /// `null` without an answer, and after a merge.
    pub p50_seconds: Option<f64>,
    /// 99th percentile of the same latencies; `null` in the same cases.
    pub p99_seconds: Option<f64>,
    /// The longest latency; `null` without an answer.
    pub max_seconds: Option<f64>,
}

impl Interval {
    /// Creates an interval from its number of right answers and the latency of all its answers.
    pub fn new(began_seconds: f64, answered: u64, latency: &Times) -> Self {
        Self {
            began_seconds,
            answered,
            p50_seconds: latency.quantile_seconds(0.5),
            p99_seconds: latency.quantile_seconds(0.99),
            max_seconds: latency.quantile_seconds(1.0),
        }
    }

    /// Merges the intervals of all shares of a load. Those of each share count from its own start.
    /// Percentiles of several shares cannot be added, and are `null`.
    pub(super) fn merge(shares: &[Report]) -> Option<Vec<Self>> {
        let series: Vec<&Vec<Self>> = shares.iter().filter_map(|share| share.series.as_ref()).collect();
        let longest = series.iter().max_by_key(|intervals| intervals.len())?;
        let interval = |(number, interval): (usize, &Self)| {
            let of_shares = || series.iter().filter_map(|intervals| intervals.get(number));
            Self {
                began_seconds: interval.began_seconds,
                answered: of_shares().map(|interval| interval.answered).sum(),
                p50_seconds: None,
                p99_seconds: None,
                max_seconds: of_shares().filter_map(|interval| interval.max_seconds).reduce(f64::max),
            }
        };
        Some(longest.iter().enumerate().map(interval).collect())
    }
}
