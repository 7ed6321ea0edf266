//! A load over time: the same load is made once more, in one piece and without a warm-up, and the
//! tool reports it in intervals. It is a run of its own, since a run in slices is not continuous,
//! and since the figures of a run must not depend on whether the user asked for the load over time.

use std::time::Duration;

use super::{Run, RunOutput};
use crate::servers::workload::{Amount, Load, Task};
use crate::store::record::{Record, SeriesRecord};
use crate::text::numbers::as_f64;
use crate::tools::ToolOutput;

/// The length of an interval: short enough to show a garbage collection or a change of frequency,
/// and long enough for a 99th percentile at 1,000 requests per second or more.
const INTERVAL: Duration = Duration::from_millis(100);

impl Run<'_> {
    /// Makes the load of a run that has figures once more, and returns its series; `None` if the
    /// load fails now, or the tool reports no series.
    pub(in crate::measure) fn over_time(&self, done: &Record) -> Option<SeriesRecord> {
        let Task::Load(load) = &self.workload.task else { return None };
        let load = Load { warm_up: Duration::ZERO, ..load.clone() };
        let mut again = Record { series: None, ..done.clone() };
        Run { series: Some(INTERVAL), ..*self }.load(&load, &mut again, &mut RunOutput::default()).ok()?;
        again.series
    }
}

/// The series that a tool reports of a load, up to the end of its last whole interval.
pub(super) fn record(reported: &ToolOutput, amount: Amount) -> Option<SeriesRecord> {
    let intervals = reported.series.as_ref()?;
    let end = match amount {
        Amount::Time(time) => reported.elapsed_seconds.min(time.as_secs_f64()),
        Amount::Requests(_) => reported.elapsed_seconds,
    };
    let interval_seconds = INTERVAL.as_secs_f64();
    // Rounding may move the end to just before the end of an interval, which is whole nevertheless.
    let is_whole = |number: usize| (as_f64(number as u64) + 1.0) * interval_seconds <= end + 1e-6;
    let whole = || intervals.iter().enumerate().filter(|(number, _)| is_whole(*number)).map(|(_, one)| one);
    Some(SeriesRecord {
        interval_seconds,
        answered: whole().map(|interval| interval.answered).collect(),
        p50_seconds: whole().map(|interval| interval.p50_seconds).collect(),
        p99_seconds: whole().map(|interval| interval.p99_seconds).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use visit_output::Interval;

    #[test]
    fn an_interval_that_is_cut_short_is_left_out() {
        let interval = |answered| Interval { answered, p50_seconds: Some(1e-3), ..Interval::default() };
        let reported = |elapsed_seconds, intervals: Option<u64>| ToolOutput {
            elapsed_seconds,
            series: intervals.map(|intervals| (1..=intervals).map(interval).collect()),
            ..ToolOutput::default()
        };
        let (time, count) = (Amount::Time(Duration::from_millis(300)), Amount::Requests(9));
        // The tool's report, the amount of the load, and the number of answers in each interval
        // that is kept.
        let cases: [(ToolOutput, Amount, Option<&[u64]>); 5] = [
            (reported(0.3, Some(3)), time, Some(&[1, 2, 3])),
            (reported(0.31, Some(4)), time, Some(&[1, 2, 3])),
            (reported(0.29, Some(3)), count, Some(&[1, 2])),
            (reported(0.05, Some(1)), count, Some(&[])),
            (reported(0.3, None), time, None),
        ];
        for (reported, amount, expected) in cases {
            let found = record(&reported, amount);
            assert_eq!(found.as_ref().map(|series| series.answered.as_slice()), expected, "{reported:?}");
            assert!(found.is_none_or(|series| series.p50_seconds.len() == series.answered.len()));
        }
    }
}
