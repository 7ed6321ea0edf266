//! Times as they are collected, and as they are printed: an HdrHistogram of nanoseconds with three significant digits.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer, V2DeflateSerializer};
use serde::{Deserialize, Serialize};

use super::packed;

/// Digits that are kept: a value is told to a thousandth of itself.
const DIGITS: u8 = 3;

/// The longest time that is told apart; no run waits an hour for an answer.
const LONGEST: Duration = Duration::from_secs(3600);

/// Points of a curve on the way from each share of the times to half of what is beyond it.
const POINTS_A_HALVING: f64 = 4.0;

/// Times that have to lie beyond a curve's last point, so that it is not the luck of some of them.
const BEYOND: f64 = 10.0;

/// Times as they are collected.
#[derive(Clone, Debug)]
pub struct Times(Histogram<u64>);

/// Times as they are printed. The figures are made of `histogram_nanoseconds` and nothing else, so histograms of several
/// runs, added up, give exactly those of the runs together.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TimesReport {
    /// How many times there are.
    pub count: u64,
    /// Arithmetic mean.
    pub mean_seconds: f64,
    /// Half were at most this long.
    pub p50_seconds: f64,
    /// 75 % were at most this long.
    pub p75_seconds: f64,
    /// 90 % were at most this long.
    pub p90_seconds: f64,
    /// 95 % were at most this long.
    pub p95_seconds: f64,
    /// 99 % were at most this long.
    pub p99_seconds: f64,
    /// 99.9 % were at most this long.
    pub p99_9_seconds: f64,
    /// The longest.
    pub max_seconds: f64,
    /// Each class of times that occurred: its upper end in nanoseconds (a whole number, so that it is exact), and how
    /// many times fell into it. In growing order.
    pub histogram_nanoseconds: Vec<(u64, u64)>,
}

impl Times {
    pub(super) fn new() -> anyhow::Result<Self> {
        Ok(Self(Histogram::new_with_bounds(1, nanoseconds(LONGEST), DIGITS)?))
    }

    pub(super) fn record(&mut self, time: Duration) {
        self.0.saturating_record(nanoseconds(time).max(1));
    }

    /// Adds what another one has collected.
    pub(super) fn add(&mut self, other: &Self) -> anyhow::Result<()> {
        Ok(self.0.add(&other.0)?)
    }

    /// All of what was packed, together; an error when some of it is damaged. All cores share the work.
    pub fn unpack(packed: &[&str]) -> anyhow::Result<Self> {
        let mut times = Self::new()?;
        let classes: Vec<u64> = times.0.iter_all().map(|class| class.value_iterated_to()).collect();
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let parts = packed.chunks(packed.len().div_ceil(cores).max(1));
        let sums = thread::scope(|scope| {
            let sum = |part| packed::sum(part, classes.len());
            let threads: Vec<_> = parts.map(|part| scope.spawn(move || sum(part))).collect();
            let joined = threads.into_iter().map(thread::ScopedJoinHandle::join);
            joined
                .map(|sum| sum.unwrap_or_else(|panic| resume_unwind(panic)))
                .collect::<anyhow::Result<Vec<_>>>()
        })?;
        for sum in sums {
            let filled = classes.iter().zip(sum).filter(|(_, count)| *count > 0);
            filled.into_iter().try_for_each(|(value, count)| times.0.record_n(*value, count))?;
        }
        Ok(times)
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The seconds that shares of the times, from 0 to 1, did not exceed: the shares lie the denser, the less is beyond them, and
    /// end where hardly any times are left.
    pub fn curve(&self) -> Vec<(f64, f64)> {
        let count = crate::numbers::as_f64(self.0.len());
        let shares = (0..).map(|point| 1.0 - 0.5_f64.powf(f64::from(point) / POINTS_A_HALVING));
        let shares = shares.take_while(|share| (1.0 - share) * count >= BEYOND);
        shares.map(|share| (share, seconds(self.0.value_at_quantile(share)))).collect()
    }

    /// The time that 99 % do not exceed; `None` when there are no times.
    pub(super) fn p99(&self) -> Option<Duration> {
        (!self.0.is_empty()).then(|| Duration::from_nanos(self.0.value_at_quantile(0.99)))
    }

    /// As it is printed; `None` when there are no times.
    pub(super) fn report(&self) -> Option<TimesReport> {
        let quantile = |quantile| seconds(self.0.value_at_quantile(quantile));
        let pairs = self.0.iter_recorded().map(|class| (class.value_iterated_to(), class.count_at_value()));
        (!self.0.is_empty()).then(|| TimesReport {
            count: self.0.len(),
            mean_seconds: self.0.mean() / 1e9,
            p50_seconds: quantile(0.5),
            p75_seconds: quantile(0.75),
            p90_seconds: quantile(0.9),
            p95_seconds: quantile(0.95),
            p99_seconds: quantile(0.99),
            p99_9_seconds: quantile(0.999),
            max_seconds: seconds(self.0.max()),
            histogram_nanoseconds: pairs.collect(),
        })
    }
}

impl TimesReport {
    /// The times of several runs as those of one; `None` of none.
    pub fn merge<'a>(reports: impl IntoIterator<Item = &'a Self>) -> anyhow::Result<Option<Self>> {
        let mut times = Times::new()?;
        for (value, count) in reports.into_iter().flat_map(|report| &report.histogram_nanoseconds) {
            times.0.record_n(*value, *count)?;
        }
        Ok(times.report())
    }
}

impl TimesReport {
    /// The histogram in a form that takes little room and that other programs read: HdrHistogram's own, version 2, compressed,
    /// in base64, of nanoseconds.
    pub fn pack(&self) -> anyhow::Result<String> {
        let mut times = Times::new()?;
        for (value, count) in &self.histogram_nanoseconds {
            times.0.record_n(*value, *count)?;
        }
        let mut bytes = Vec::new();
        V2DeflateSerializer::new().serialize(&times.0, &mut bytes)?;
        Ok(BASE64_STANDARD.encode(bytes))
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn seconds(nanoseconds: u64) -> f64 {
    Duration::from_nanos(nanoseconds).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(count: u64, of: impl Fn(u64) -> u64) -> Times {
        let mut times = Times::new().unwrap();
        (0..count).for_each(|number| times.record(Duration::from_nanos(of(number))));
        times
    }

    #[test]
    fn nothing_has_no_figures() {
        assert_eq!(Times::new().unwrap().report(), None);
        assert_eq!(TimesReport::merge([]).unwrap(), None);
    }

    #[test]
    fn figures_are_right_to_three_digits() {
        let report = times(1000, |number| (number + 1) * 1_000_000).report().unwrap();
        let cases = [
            (report.mean_seconds, 0.5005),
            (report.p50_seconds, 0.5),
            (report.p99_seconds, 0.99),
            (report.p99_9_seconds, 0.999),
            (report.max_seconds, 1.0),
        ];
        for (got, expected) in cases {
            assert!((got / expected - 1.0_f64).abs() < 0.001, "{got} and not {expected}");
        }
    }

    #[test]
    fn what_is_packed_comes_out_again() {
        let report = times(2000, |number| 20_000 + number * number).report().unwrap();
        let packed = report.pack().unwrap();
        assert!(packed.len() < 4000, "{}", packed.len());
        assert_eq!(Times::unpack(&[&packed]).unwrap().report(), Some(report));
    }

    #[test]
    fn what_several_packed_comes_out_as_that_of_one() {
        let mut together = Times::new().unwrap();
        let mut packed = Vec::new();
        for run in 1..=5 {
            let times = times(100 * run, |number| 20_000 * run + number * number);
            packed.push(times.report().unwrap().pack().unwrap());
            together.add(&times).unwrap();
            let packed: Vec<&str> = packed.iter().map(String::as_str).collect();
            assert_eq!(Times::unpack(&packed).unwrap().report(), together.report(), "{run}");
        }
        assert_eq!(Times::unpack(&[]).unwrap().count(), 0);
    }

    #[test]
    fn a_curve_ends_where_hardly_any_times_are_left() {
        for (count, points, last) in
            [(0, 0, 0.0), (9, 0, 0.0), (10, 1, 0.0), (1000, 27, 0.989), (100_000, 54, 0.9999)]
        {
            let curve = times(count, |number| (number + 1) * 1_000_000).curve();
            assert_eq!(curve.len(), points, "{count}");
            assert!(curve.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1), "{count}: {curve:?}");
            let Some((share, seconds)) = curve.last() else { continue };
            assert!((share - last).abs() < 0.001, "{count}: {share}");
            let expected = share * crate::numbers::as_f64(count) / 1e3;
            assert!(
                (seconds - expected).abs() <= 0.001 * (1.0 + expected),
                "{count}: {seconds} and not {expected}"
            );
        }
    }

    #[test]
    fn merged_reports_are_those_of_all_times_together() {
        let (one, other) = (times(500, |n| 40_000 + n * n), times(300, |n| 1 + n * 7_919_393));
        let mut together = one.clone();
        together.add(&other).unwrap();
        let reports = [one.report().unwrap(), other.report().unwrap()];
        assert_eq!(TimesReport::merge(&reports).unwrap(), together.report());
        assert_eq!(TimesReport::merge(&reports[..1]).unwrap(), one.report());
    }
}
