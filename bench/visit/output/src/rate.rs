//! Whether an open loop held its rate.

use serde::{Deserialize, Serialize};

use super::{TimesReport, per_second};

/// The part of the rate that has to be achieved for it to count as held.
const HELD_PART: f64 = 0.99;

/// The lag that 99 % of the requests have to stay below for the rate to count as held.
const HELD_LAG_SECONDS: f64 = 0.001;

/// Whether an open loop held its rate.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// The target rate, in arrivals per second. In the report of a share it is the rate of the load
    /// divided by the number of shares.
    pub target_per_second: f64,
    /// Right answers (with a mix: expected answers) per second; `null` when no time has passed.
    pub achieved_per_second: Option<f64>,
    /// Whether at least 99 % of the rate was achieved and 99 % of the requests were begun within 1
    /// ms. If not, either the server or `visit` could not keep up with this rate.
    pub held: bool,
    /// Arrivals that found every connection busy. If the rate was not held and there are few such
    /// arrivals, `visit` was late.
    pub waited: u64,
}

/// The figures of an open loop that decide whether its rate was held.
pub struct Arrived<'a> {
    /// Arrivals per second that were due. A share may have one arrival more or fewer than its
    /// target, which matters when there are few arrivals.
    pub due_per_second: f64,
    /// Right answers; with a mix, expected answers.
    pub answered: u64,
    /// The `elapsed_seconds` of the report.
    pub elapsed_seconds: f64,
    /// The time from when a request was due to its write.
    pub lag: Option<&'a TimesReport>,
    /// Arrivals that found every connection busy.
    pub waited: u64,
}

impl Rate {
    /// Compares the answers with the arrivals that were due.
    pub fn new(target_per_second: f64, arrived: &Arrived) -> Self {
        let achieved_per_second = per_second(arrived.answered, arrived.elapsed_seconds);
        let on_time = arrived.lag.is_some_and(|lag| lag.p99_seconds < HELD_LAG_SECONDS);
        let enough = arrived.due_per_second * HELD_PART;
        let held = on_time && achieved_per_second.is_some_and(|achieved| achieved >= enough);
        Self { target_per_second, achieved_per_second, held, waited: arrived.waited }
    }
}
