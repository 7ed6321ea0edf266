//! Answers and latency over time, for `--series`.
//!
//! A histogram is large, so a thread has only one, for the current interval. When the interval is
//! over, only the buckets that are not empty are kept.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use visit_output::{Interval, Times, as_f64};

/// The answers of one thread, or of all, by the interval in which they arrived.
pub(super) struct Series {
    width: Duration,
    /// The start of the first interval; `None` before the load.
    start: Option<Instant>,
    /// The intervals that are over and have answers, by their numbers.
    past: BTreeMap<u64, Answers>,
    /// The number of the current interval.
    current: u64,
    answered: u64,
    latency: Times,
}

#[derive(Default)]
struct Answers {
    /// The number of answers with a 2xx status.
    answered: u64,
    /// The latency of all answers: the upper ends of buckets in nanoseconds, and counts. The
    /// buckets of several threads follow one another.
    latency: Vec<(u64, u64)>,
}

impl Series {
    pub(super) fn new(width: Duration) -> Self {
        let (past, latency) = (BTreeMap::new(), Times::default());
        Self { width, start: None, past, current: 0, answered: 0, latency }
    }

    /// Sets the start of the measured time.
    pub(super) fn begin(&mut self, start: Instant) {
        self.start = Some(start);
    }

    /// Counts an answer that arrived at `now`. Answers have to be counted in the order of arrival.
    pub(super) fn answered(&mut self, status: u16, latency: Duration, now: Instant) {
        let since = self.start.map_or(Duration::ZERO, |start| now.saturating_duration_since(start));
        let number = u64::try_from(since.as_nanos() / self.width.as_nanos()).unwrap_or(u64::MAX);
        if number != self.current {
            self.finish();
            self.current = number;
        }
        self.answered += u64::from((200..300).contains(&status));
        self.latency.record(latency);
    }

    /// Ends the current interval.
    pub(super) fn finish(&mut self) {
        let latency = self.latency.take_buckets();
        if !latency.is_empty() {
            self.past.entry(self.current).or_default().add(self.answered, latency);
            self.answered = 0;
        }
    }

    /// Adds the answers of another thread. Both series have to be finished.
    pub(super) fn add(&mut self, other: Self) {
        for (number, answers) in other.past {
            self.past.entry(number).or_default().add(answers.answered, answers.latency);
        }
    }

    /// The intervals of the report: all that began within `elapsed`, or before a later answer.
    pub(super) fn intervals(&self, elapsed: Duration) -> anyhow::Result<Vec<Interval>> {
        let whole = u64::try_from(elapsed.as_nanos().div_ceil(self.width.as_nanos())).unwrap_or(0);
        let count = self.past.last_key_value().map_or(0, |(last, _)| last + 1).max(whole);
        let interval = |number| {
            let began_seconds = self.width.as_secs_f64() * as_f64(number);
            let Some(Answers { answered, latency }) = self.past.get(&number) else {
                return Ok(Interval { began_seconds, ..Interval::default() });
            };
            let mut times = Times::default();
            times.add_buckets(latency)?;
            Ok(Interval::new(began_seconds, *answered, &times))
        };
        (0..count).map(interval).collect()
    }
}

impl Answers {
    fn add(&mut self, answered: u64, latency: Vec<(u64, u64)>) {
        self.answered += answered;
        self.latency.extend(latency);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: Duration = Duration::from_millis(100);

    /// A series of answers, each with its arrival in ms, its status and its latency in ms.
    fn series(start: Instant, answers: &[(u64, u16, u64)]) -> Series {
        let mut series = Series::new(WIDTH);
        series.begin(start);
        for (at, status, latency) in answers {
            let now = start + Duration::from_millis(*at);
            series.answered(*status, Duration::from_millis(*latency), now);
        }
        series.finish();
        series
    }

    #[test]
    fn answers_are_in_the_interval_of_their_arrival() {
        let start = Instant::now();
        let mut all = series(start, &[(0, 200, 5), (99, 200, 15), (100, 503, 1), (420, 204, 7)]);
        all.add(series(start, &[(50, 200, 5), (420, 200, 9), (420, 200, 9)]));
        let near = |found: Option<f64>, expected: Option<u64>| {
            let expected = expected.map(|milliseconds| as_f64(milliseconds) / 1e3);
            found.is_some() == expected.is_some()
                && (found.unwrap_or(0.0) - expected.unwrap_or(0.0)).abs() < 1e-4
        };
        // The start in seconds, the number of answers, and the 50th and 99th percentile and the
        // maximum of latency in ms.
        let expected = [
            (0.0, 3, [Some(5), Some(15), Some(15)]),
            (0.1, 0, [Some(1), Some(1), Some(1)]),
            (0.2, 0, [None; 3]),
            (0.3, 0, [None; 3]),
            (0.4, 3, [Some(9), Some(9), Some(9)]),
            (0.5, 0, [None; 3]),
        ];
        let intervals = all.intervals(Duration::from_millis(501)).unwrap();
        assert_eq!(intervals.len(), expected.len());
        for (interval, (began, answered, times)) in intervals.iter().zip(expected) {
            assert!((interval.began_seconds - began).abs() < 1e-9, "{interval:?}");
            assert_eq!(interval.answered, answered, "{interval:?}");
            let found = [interval.p50_seconds, interval.p99_seconds, interval.max_seconds];
            assert!(found.into_iter().zip(times).all(|(found, time)| near(found, time)), "{interval:?}");
        }
    }

    #[test]
    fn there_is_an_interval_for_all_of_the_time() {
        let start = Instant::now();
        for (elapsed, count) in [(0, 0), (1, 1), (100, 1), (101, 2), (1000, 10)] {
            let elapsed = Duration::from_millis(elapsed);
            assert_eq!(series(start, &[]).intervals(elapsed).unwrap().len(), count, "{elapsed:?}");
        }
        let late = series(start, &[(250, 200, 1)]);
        assert_eq!(late.intervals(WIDTH).unwrap().len(), 3);
    }
}
