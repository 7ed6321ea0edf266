//! Durations in an HdrHistogram of nanoseconds with three significant digits.

use std::time::Duration;

use anyhow::{Context, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};
use serde::{Deserialize, Serialize};

use super::as_f64;

/// Significant digits: a value is exact to a thousandth of itself.
const DIGITS: u8 = 3;

/// Longer times are counted as this one; no run waits an hour for an answer.
const LONGEST: Duration = Duration::from_secs(3600);

/// The number of points of a curve within which the share of longer times halves.
const POINTS_PER_HALVING: f64 = 4.0;

/// The minimum number of times beyond the last point of a curve: with fewer it would be chance.
const MIN_BEYOND: f64 = 10.0;

/// The largest relative difference between two means of the same histogram, which are sums of
/// floating-point numbers of 53 bits.
const ROUNDING: f64 = 1e-9;

/// A histogram of times.
#[derive(Clone, Debug)]
pub struct Times(Histogram<u64>);

/// A histogram of times and its figures. All figures follow from `histogram_nanoseconds`, so the
/// added histograms of several runs give exactly the figures of all runs.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TimesReport {
    /// The number of times.
    pub count: u64,
    /// Arithmetic mean.
    pub mean_seconds: f64,
    /// 50th percentile: half of the times are at most this long.
    pub p50_seconds: f64,
    /// 75th percentile.
    pub p75_seconds: f64,
    /// 90th percentile.
    pub p90_seconds: f64,
    /// 95th percentile.
    pub p95_seconds: f64,
    /// 99th percentile.
    pub p99_seconds: f64,
    /// 99.9th percentile.
    pub p99_9_seconds: f64,
    /// The longest time.
    pub max_seconds: f64,
    /// Each bucket that is not empty, in ascending order: its upper end in nanoseconds (a whole
    /// number, so that it is exact) and the number of times in it.
    pub histogram_nanoseconds: Vec<(u64, u64)>,
}

impl Default for Times {
    /// Creates a histogram without any times.
    fn default() -> Self {
        let histogram = Histogram::new_with_bounds(1, nanoseconds(LONGEST), DIGITS);
        #[expect(clippy::expect_used, reason = "the library only checks the bounds, which are constants")]
        Self(histogram.expect("the bounds are right"))
    }
}

impl Times {
    /// Counts a time. A time of more than an hour is counted as an hour.
    pub fn record(&mut self, time: Duration) {
        self.0.saturating_record(nanoseconds(time).max(1));
    }

    /// Adds the times of another histogram. This costs nothing when that is empty, as most
    /// histograms of a short slice are.
    pub fn add(&mut self, other: &Self) -> anyhow::Result<()> {
        if !other.0.is_empty() {
            self.0.add(&other.0)?;
        }
        Ok(())
    }

    /// Removes and returns the buckets that are not empty, as in
    /// [`TimesReport::histogram_nanoseconds`].
    pub fn take_buckets(&mut self) -> Vec<(u64, u64)> {
        let buckets = self.buckets();
        if !buckets.is_empty() {
            self.0.reset();
        }
        buckets
    }

    /// Adds buckets. Fails on times that are too long for a histogram.
    pub fn add_buckets(&mut self, buckets: &[(u64, u64)]) -> anyhow::Result<()> {
        for (value, count) in buckets {
            self.0.record_n(*value, *count).context("a histogram has longer times")?;
        }
        Ok(())
    }

    fn buckets(&self) -> Vec<(u64, u64)> {
        let recorded = self.0.iter_recorded();
        recorded.map(|bucket| (bucket.value_iterated_to(), bucket.count_at_value())).collect()
    }

    /// Adds up packed histograms. Fails when one is damaged, or has other digits or longer times.
    pub fn unpack(packed: &[&str]) -> anyhow::Result<Self> {
        let mut times = Self::default();
        let mut reader = Deserializer::new();
        for packed in packed {
            let bytes = BASE64_STANDARD.decode(packed).context("a histogram is not base64")?;
            let part: Histogram<u64> =
                reader.deserialize(&mut bytes.as_slice()).context("a histogram is damaged")?;
            ensure!((part.low(), part.sigfig()) == (1, DIGITS), "a histogram has other buckets");
            times.0.add(&part).context("a histogram has other buckets")?;
        }
        Ok(times)
    }

    /// The number of times.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// Points of the percentile curve: shares from 0 to 1, each with the seconds that this share of
    /// the times did not exceed. The shares lie closer together towards 1. The curve ends where
    /// fewer than ten times would lie beyond a point.
    pub fn curve(&self) -> Vec<(f64, f64)> {
        let count = as_f64(self.0.len());
        let shares = (0..).map(|point| 1.0 - 0.5_f64.powf(f64::from(point) / POINTS_PER_HALVING));
        let shares = shares.take_while(|share| (1.0 - share) * count >= MIN_BEYOND);
        shares.map(|share| (share, seconds(self.0.value_at_quantile(share)))).collect()
    }

    /// Arithmetic mean; `None` without any times.
    pub fn mean_seconds(&self) -> Option<f64> {
        (!self.0.is_empty()).then(|| self.0.mean() / 1e9)
    }

    /// The seconds that the share `quantile` of the times did not exceed; `None` without any times.
    pub fn quantile_seconds(&self, quantile: f64) -> Option<f64> {
        (!self.0.is_empty()).then(|| seconds(self.0.value_at_quantile(quantile)))
    }

    /// The report that `visit` prints; `None` without any times.
    pub fn report(&self) -> Option<TimesReport> {
        let quantile = |quantile| seconds(self.0.value_at_quantile(quantile));
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
            histogram_nanoseconds: self.buckets(),
        })
    }
}

impl TimesReport {
    /// Adds up the times of several runs exactly; `None` without any times. Fails on times that are
    /// too long, and on a histogram that has other buckets or does not match its figures.
    pub fn merge<'a>(reports: impl IntoIterator<Item = &'a Self>) -> anyhow::Result<Option<Self>> {
        let mut times = Times::default();
        for report in reports {
            times.add(&report.times()?)?;
        }
        Ok(times.report())
    }

    /// The histogram itself. The end of a bucket does not reveal its start, so coarser buckets are
    /// detected by the mean, which is computed from the middles of the buckets.
    fn times(&self) -> anyhow::Result<Times> {
        let mut times = Times::default();
        for (value, _) in &self.histogram_nanoseconds {
            ensure!(times.0.highest_equivalent(*value) == *value, "a histogram has other buckets");
        }
        times.add_buckets(&self.histogram_nanoseconds)?;
        ensure!(times.count() == self.count, "a histogram has another count than its figures");
        let apart = (times.0.mean() / 1e9 - self.mean_seconds).abs();
        ensure!(apart <= self.mean_seconds * ROUNDING, "a histogram has other buckets than its figures");
        Ok(times)
    }

    /// Encodes the histogram as short text: the compressed format of HdrHistogram, version 2, in
    /// base64. The HdrHistogram libraries of other languages read it too. Fails when the buckets
    /// are not in ascending order.
    pub fn pack(&self) -> anyhow::Result<String> {
        // The histogram ends at the longest time, so that a reader has fewer buckets to go through.
        let longest = self.histogram_nanoseconds.last().map_or(0, |(value, _)| *value);
        let mut times = Histogram::<u64>::new_with_bounds(1, longest.max(2), DIGITS)?;
        for (value, count) in &self.histogram_nanoseconds {
            times.record_n(*value, *count)?;
        }
        let mut bytes = Vec::new();
        V2DeflateSerializer::new().serialize(&times, &mut bytes)?;
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
        let mut times = Times::default();
        (0..count).for_each(|number| times.record(Duration::from_nanos(of(number))));
        times
    }

    #[test]
    fn figures_are_right_to_three_digits() {
        assert_eq!(Times::default().report(), None);
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
    fn histograms_of_several_runs_add_up_exactly() {
        let mut together = Times::default();
        let (mut reports, mut packed) = (Vec::new(), Vec::new());
        for run in 1..=5 {
            let times = times(400 * run, |number| 20_000 * run + number * number);
            together.add(&times).unwrap();
            reports.push(times.report().unwrap());
            packed.push(reports[reports.len() - 1].pack().unwrap());
            assert!(packed[packed.len() - 1].len() < 4000, "it is short text");
            let packed: Vec<&str> = packed.iter().map(String::as_str).collect();
            assert_eq!(Times::unpack(&packed).unwrap().report(), together.report(), "{run}");
            assert_eq!(TimesReport::merge(&reports).unwrap(), together.report(), "{run}");
        }
        assert_eq!(Times::unpack(&[]).unwrap().count(), 0);
        assert_eq!(TimesReport::merge([]).unwrap(), None);
    }

    #[test]
    fn counts_survive_packing() {
        const HOUR: u64 = 3_600_000_000_000;
        let cases: [(_, Vec<(u64, u64)>); 5] = [
            ("the first and the last bucket", vec![(1, 1), (HOUR, 1)]),
            ("counts of all lengths", (0..62).map(|bit| (1 << (bit / 2), 1 << bit)).collect()),
            ("neighbours", (1..5000).map(|value| (value * 37, value)).collect()),
            ("far apart", (1..2000).map(|value| (value * value * value, 3)).collect()),
            ("one", vec![(1_000_000, 7)]),
        ];
        for (name, values) in cases {
            let mut times = Times::default();
            values.iter().for_each(|(value, count)| times.0.record_n(*value, *count).unwrap());
            let report = times.report().unwrap();
            assert_eq!(Times::unpack(&[&report.pack().unwrap()]).unwrap().report(), Some(report), "{name}");
        }
    }

    #[test]
    fn damage_is_an_error() {
        let packed = |longest, digits| {
            let mut histogram = Histogram::<u64>::new_with_bounds(1, longest, digits).unwrap();
            histogram.record(1).unwrap();
            histogram.record(longest).unwrap();
            let mut bytes = Vec::new();
            V2DeflateSerializer::new().serialize(&histogram, &mut bytes).unwrap();
            BASE64_STANDARD.encode(bytes)
        };
        let longest = nanoseconds(LONGEST);
        let whole = packed(longest, DIGITS);
        let cases = [
            ("no base64", "no!".to_owned(), "not base64"),
            ("nothing", String::new(), "damaged"),
            ("another beginning", whole.replacen("HIST", "hist", 1), "damaged"),
            ("a stream that ends early", whole[..whole.len() / 8 * 4].to_owned(), "damaged"),
            ("other digits", packed(longest, 2), "other buckets"),
            ("longer times", packed(longest * 1000, DIGITS), "other buckets"),
        ];
        for (name, packed, expected) in cases {
            let error = Times::unpack(&[&whole, &packed]).unwrap_err().to_string();
            assert!(error.contains(expected), "{name}: {error}");
        }
        assert!(Times::unpack(&[&whole, &packed(10_000_000, DIGITS)]).is_ok(), "shorter times fit");
    }

    #[test]
    fn the_histogram_of_shares_is_that_of_all_samples() {
        // The samples range from nanoseconds to beyond the longest time, in no particular order.
        let sample = |number: u64| (number * number * 7919 + number) % 1_000_003 * (1 << (number % 23));
        let all = times(30_000, sample).report();
        for count in [1, 2, 3, 7, 64] {
            let share = |share| {
                times(30_000 / count + u64::from(share < 30_000 % count), |number| {
                    sample(number * count + share)
                })
            };
            let shares: Vec<TimesReport> = (0..count).map(|number| share(number).report().unwrap()).collect();
            assert_eq!(TimesReport::merge(&shares).unwrap(), all, "{count}");
        }
    }

    #[test]
    fn only_equal_buckets_are_added() {
        let report = times(1000, |number| number * number * 1000).report().unwrap();
        let with = |change: &dyn Fn(&mut TimesReport)| {
            let mut changed = report.clone();
            change(&mut changed);
            changed
        };
        let other = |digits: u8| {
            let mut histogram = Histogram::<u64>::new_with_bounds(1, nanoseconds(LONGEST), digits).unwrap();
            (1..1000).for_each(|number| histogram.record(number * number * 1000).unwrap());
            Times(histogram).report().unwrap()
        };
        let cases = [
            ("finer buckets", other(4), "other buckets"),
            ("coarser buckets", other(2), "other buckets than its figures"),
            ("another count", with(&|report| report.count += 1), "another count"),
            ("a bucket less", with(&|report| report.histogram_nanoseconds.truncate(900)), "another count"),
            (
                "longer times",
                with(&|report| report.histogram_nanoseconds.push(((1 << 50) - 1, 1))),
                "longer times",
            ),
        ];
        for (name, changed, expected) in cases {
            let error = TimesReport::merge([&report, &changed]).unwrap_err().to_string();
            assert!(error.contains(expected), "{name}: {error}");
        }
        assert!(TimesReport::merge([&report, &other(DIGITS)]).is_ok());
    }

    #[test]
    fn a_curve_ends_where_few_times_are_left() {
        for (count, points, last) in
            [(0, 0, 0.0), (9, 0, 0.0), (10, 1, 0.0), (1000, 27, 0.989), (100_000, 54, 0.9999)]
        {
            let curve = times(count, |number| (number + 1) * 1_000_000).curve();
            assert_eq!(curve.len(), points, "{count}");
            assert!(curve.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1), "{count}: {curve:?}");
            let Some((share, seconds)) = curve.last() else { continue };
            assert!((share - last).abs() < 0.001, "{count}: {share}");
            let expected = share * as_f64(count) / 1e3;
            let distance = (seconds - expected).abs();
            assert!(distance <= 0.001 * (1.0 + expected), "{count}: {seconds} and not {expected}");
        }
    }
}
