//! The answers to a load over time, by interval.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::numbers::as_f64;

/// The load once more, after the run itself, in one piece and without a warm-up, in intervals of
/// the same length. A column has a value per interval, from the start of the load. An incomplete
/// interval at the end is left out.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SeriesRecord {
    /// How long an interval is.
    pub interval_seconds: f64,
    /// Answers with a 2xx status that arrived in the interval.
    pub answered: Vec<u64>,
    /// Half of the answers of any status that arrived in the interval took at most this long;
    /// `null` without an answer, and where several hosts made the load.
    pub p50_seconds: Vec<Option<f64>>,
    /// 99 % of these answers took at most this long.
    pub p99_seconds: Vec<Option<f64>>,
}

impl SeriesRecord {
    /// The middle of each interval, in seconds from the start.
    pub fn middles(&self) -> impl Iterator<Item = f64> {
        (0..self.answered.len()).map(|interval| (as_f64(interval as u64) + 0.5) * self.interval_seconds)
    }

    /// 2xx answers per second in each interval.
    pub fn per_second(&self) -> impl Iterator<Item = f64> {
        self.answered.iter().map(|answered| as_f64(*answered) / self.interval_seconds)
    }
}
