//! When requests are sent: after the last answer (closed loop), or at fixed times (open loop).

use std::ops::Range;
use std::time::{Duration, Instant};

use visit_output::{Share, as_f64};

use super::amount::Amount;
use super::poisson::{Poisson, Positions};

pub(super) enum Schedule {
    /// Closed loop: the next batch of a connection follows the answers to its last one.
    Closed(Budget),
    /// Open loop: requests arrive at fixed times, whether a connection is free or not.
    Open(Arrivals),
}

/// The requests that one thread may still send in a closed loop.
pub(super) struct Budget {
    /// The end of the warm-up: requests sent from then on are measured.
    start: Instant,
    deadline: Option<Instant>,
    remaining: u64,
}

/// The arrivals of one thread in an open loop: every `step`th of the arrivals of all processes that
/// share the load. These are evenly spaced, each in the middle of its interval, or come at random
/// times. The times are calculated, so that waiting arrivals take no memory.
pub(super) struct Arrivals {
    begin: Instant,
    per_second: f64,
    step: u64,
    next: u64,
    end: u64,
    /// The number of arrivals in the warm-up, which come first.
    warm_up: u64,
    /// The random positions of all arrivals; `None` when they are evenly spaced.
    random: Option<Box<Positions>>,
    /// The time of the next arrival, which is asked for more often than there are arrivals.
    time: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arrival {
    pub(super) time: Instant,
    /// Whether the arrival is measured; false in the warm-up.
    pub(super) measured: bool,
}

/// The share of one thread in the load: the processes divide the load, and the threads of a process
/// divide its share.
#[derive(Clone, Copy)]
pub(super) struct ThreadShare {
    pub(super) process: Share,
    /// The share of the thread in the share of its process.
    pub(super) thread: Share,
}

impl ThreadShare {
    /// The part of `whole` that this thread has; the parts of all threads of all processes add up
    /// to it.
    pub(super) fn part_of(self, whole: u64) -> u64 {
        self.thread.part_of(self.process.part_of(whole))
    }

    /// The number of this thread among the threads of all processes, and the number of all threads,
    /// if each process has as many threads as this one.
    pub(super) fn place(self) -> (u64, u64) {
        let (processes, threads) = (u64::from(self.process.count()), u64::from(self.thread.count()));
        (self.process.first() * threads + self.thread.first(), processes * threads)
    }

    /// The number of the first arrival of this thread, and the distance to each next one.
    fn numbers(self) -> (u64, u64) {
        let (processes, threads) = (u64::from(self.process.count()), u64::from(self.thread.count()));
        (self.process.first() + processes * self.thread.first(), processes * threads)
    }
}

impl Budget {
    pub(super) fn new(amount: Amount, start: Instant, share: ThreadShare) -> Self {
        match amount {
            Amount::Requests(requests) => Self { start, deadline: None, remaining: share.part_of(requests) },
            Amount::Time(time) => Self { start, deadline: Some(start + time), remaining: u64::MAX },
        }
    }

    /// The size of the next batch, at most `depth`, and whether it is measured; `None` at the end.
    pub(super) fn take(&mut self, depth: usize, now: Instant) -> Option<(usize, bool)> {
        if self.is_over(now) {
            return None;
        }
        if now < self.start {
            return Some((depth, false));
        }
        let count = usize::try_from(self.remaining).unwrap_or(depth).min(depth);
        self.remaining -= count as u64;
        Some((count, true))
    }

    /// Gives up a request whose connection failed, so that a run without a server ends.
    pub(super) fn give_up_one(&mut self, now: Instant) {
        self.remaining = self.remaining.saturating_sub(u64::from(now >= self.start));
    }

    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.remaining == 0 || self.deadline.is_some_and(|deadline| now >= deadline)
    }

    /// Gives up all remaining requests.
    pub(super) fn stop(&mut self) {
        self.remaining = 0;
    }
}

impl Arrivals {
    /// Creates the arrivals from `begin` on. Those in the first `warm_up` are not measured.
    pub(super) fn new(
        amount: Amount,
        per_second: f64,
        begin: Instant,
        warm_up: Duration,
        share: ThreadShare,
    ) -> Self {
        let Range { start: warm_up, end } = measured(amount, per_second, warm_up);
        let (next, step) = share.numbers();
        let even = Self { begin, per_second, step, next, end, warm_up, random: None, time: begin };
        even.with_time()
    }

    /// Moves the arrivals to the times of a Poisson process, if there is one.
    pub(super) fn with_poisson(self, poisson: Option<Poisson>) -> Self {
        Self { random: poisson.map(|poisson| Box::new(poisson.positions())), ..self }.with_time()
    }

    fn with_time(mut self) -> Self {
        self.set_time();
        self
    }

    /// The next arrival, whether it is due or not; `None` at the end.
    pub(super) fn peek(&self) -> Option<Arrival> {
        (!self.is_over()).then_some(Arrival { time: self.time, measured: self.next >= self.warm_up })
    }

    pub(super) fn advance(&mut self) {
        self.next += self.step;
        self.set_time();
    }

    pub(super) fn is_over(&self) -> bool {
        self.next >= self.end
    }

    /// Ends the arrivals. Returns the number of measured ones that were due and are given up.
    pub(super) fn stop(&mut self, now: Instant) -> u64 {
        let mut given_up = 0;
        while let Some(arrival) = self.peek().filter(|arrival| arrival.time <= now) {
            given_up += u64::from(arrival.measured);
            self.advance();
        }
        self.end = self.next;
        given_up
    }

    /// Calculates the time of the next arrival, if there is one.
    fn set_time(&mut self) {
        if self.is_over() {
            return;
        }
        let position = match &mut self.random {
            None => as_f64(self.next) + 0.5,
            Some(positions) => positions.advance_to(self.next),
        };
        self.time = self.begin + Duration::from_secs_f64(position / self.per_second);
    }
}

/// The arrivals per second that a process had in the measured time of an open loop. They differ
/// from its share of the rate where the arrivals of all processes do not divide evenly.
pub(super) fn due_per_second(amount: Amount, rate: f64, warm_up: Duration, share: Share) -> f64 {
    let Range { start, end } = measured(amount, rate, warm_up);
    let part = share.part_of(end) - share.part_of(start);
    if start == end { rate / f64::from(share.count()) } else { rate * as_f64(part) / as_f64(end - start) }
}

/// The numbers of the measured arrivals of all processes. Those before are the warm-up.
pub(super) fn measured(amount: Amount, per_second: f64, warm_up: Duration) -> Range<u64> {
    let warm_up = arrivals(warm_up, per_second);
    let counted = match amount {
        Amount::Requests(requests) => requests,
        Amount::Time(time) => arrivals(time, per_second),
    };
    warm_up..warm_up + counted
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, above zero")]
fn arrivals(time: Duration, per_second: f64) -> u64 {
    (time.as_secs_f64() * per_second).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONLY: ThreadShare = ThreadShare { process: Share::WHOLE, thread: Share::WHOLE };

    /// The threads of all processes that share a load, for these numbers of threads.
    fn threads(processes: &[u32]) -> Vec<ThreadShare> {
        let count = u32::try_from(processes.len()).unwrap();
        let process = |(process, threads): (Share, &u32)| {
            Share::all(*threads).map(move |thread| ThreadShare { process, thread })
        };
        Share::all(count).zip(processes).flat_map(process).collect()
    }

    #[test]
    fn arrivals_of_all_threads_and_shares_are_evenly_spaced() {
        let begin = Instant::now();
        let second = Duration::from_secs(1);
        for amount in [Amount::Time(2 * second), Amount::Requests(20)] {
            for processes in [&[1][..], &[3], &[1, 1], &[2, 1, 3], &[4, 4, 4, 4, 4]] {
                let mut times = Vec::new();
                for share in threads(processes) {
                    let mut arrivals = Arrivals::new(amount, 10.0, begin, second, share);
                    while let Some(arrival) = arrivals.peek() {
                        times.push((arrival.time - begin, arrival.measured));
                        arrivals.advance();
                    }
                }
                times.sort_unstable();
                // No arrival is missing, and none occurs twice.
                let time = |number: u64| Duration::from_millis(number * 100 + 50);
                let expected: Vec<_> = (0..30).map(|number| (time(number), number >= 10)).collect();
                assert_eq!(times, expected, "{processes:?}");
            }
        }
    }

    #[test]
    fn random_arrivals_of_all_threads_and_shares_are_one_sequence() {
        let begin = Instant::now();
        let second = Duration::from_secs(1);
        for (amount, warm_up) in [(Amount::Time(2 * second), second), (Amount::Requests(500), Duration::ZERO)]
        {
            let numbers = measured(amount, 100.0, warm_up);
            let poisson = Poisson::new(5, numbers.clone()).unwrap();
            let times = |processes: &[u32]| {
                let mut times = Vec::new();
                for share in threads(processes) {
                    let arrivals = Arrivals::new(amount, 100.0, begin, warm_up, share);
                    let mut arrivals = arrivals.with_poisson(Some(poisson));
                    while let Some(arrival) = arrivals.peek() {
                        times.push((arrival.time - begin, arrival.measured));
                        arrivals.advance();
                    }
                }
                times.sort_unstable();
                times
            };
            let expected = times(&[1]);
            let end = usize::try_from(numbers.end).unwrap();
            assert_eq!(expected.len(), end);
            assert!(expected.is_sorted_by(|(time, _), (next, _)| time < next), "none is there twice");
            for (time, is_measured) in &expected {
                assert_eq!(*time >= warm_up, *is_measured, "{time:?}");
                assert!(*time <= 5 * second, "{time:?}");
            }
            for processes in [&[3][..], &[1, 1], &[2, 1, 3], &[4, 4, 4, 4, 4]] {
                let (found, count) = (times(processes), expected.len());
                // This holds even when the processes have different numbers of threads.
                assert_eq!(found.len(), count, "{processes:?}");
                assert_eq!(found, expected, "{processes:?}");
            }
        }
    }

    #[test]
    fn a_share_has_its_arrivals_in_the_measured_time() {
        let second = Duration::from_secs(1);
        let cases = [
            ("they divide evenly", Amount::Time(second), second, [10.0, 10.0, 10.0]),
            ("one more", Amount::Requests(10), Duration::ZERO, [12.0, 9.0, 9.0]),
            ("the warm-up ends within a round", Amount::Requests(10), second / 30, [9.0, 12.0, 9.0]),
            ("there are none", Amount::Time(second / 100), Duration::ZERO, [10.0, 10.0, 10.0]),
        ];
        for (name, amount, warm_up, expected) in cases {
            let due: Vec<f64> =
                Share::all(3).map(|share| due_per_second(amount, 30.0, warm_up, share)).collect();
            assert_eq!(due, expected, "{name}");
        }
    }

    #[test]
    fn arrivals_that_are_due_at_a_stop_are_given_up() {
        let begin = Instant::now();
        let mut arrivals = Arrivals::new(Amount::Requests(100), 10.0, begin, Duration::ZERO, ONLY);
        arrivals.advance();
        assert_eq!(arrivals.stop(begin + Duration::from_millis(500)), 4);
        assert_eq!(arrivals.peek(), None);
    }

    #[test]
    fn a_budget_is_divided_among_threads_and_used_up() {
        let cases: [(&[u32], &[u64]); 3] = [
            (&[3], &[4, 4, 3]),
            // Four threads divide 6 requests, and two threads divide 5.
            (&[4, 2], &[2, 2, 1, 1, 3, 2]),
            (&[1, 2, 1], &[4, 2, 2, 3]),
        ];
        for (processes, expected) in cases {
            let parts: Vec<u64> = threads(processes).into_iter().map(|share| share.part_of(11)).collect();
            assert_eq!(parts, expected, "{processes:?}");
        }
        let now = Instant::now();
        let later = now + Duration::from_secs(1);
        let mut budget = Budget::new(Amount::Requests(10), later, ONLY);
        assert_eq!(budget.take(4, now), Some((4, false)), "the warm-up takes nothing from the budget");
        budget.give_up_one(later);
        let taken: Vec<_> = (0..4).map(|_| budget.take(4, later)).collect();
        assert_eq!(taken, [Some((4, true)), Some((4, true)), Some((1, true)), None]);
        let amount = Amount::Time(Duration::from_secs(1));
        let mut budget = Budget::new(amount, now, ONLY);
        assert_eq!((budget.take(1, now), budget.take(1, later)), (Some((1, true)), None));
    }
}
