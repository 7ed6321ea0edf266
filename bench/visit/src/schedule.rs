//! When requests are due.

use std::time::{Duration, Instant};

use super::plan::Amount;
use crate::numbers::as_f64;

/// What one thread sends, and when.
pub(super) enum Schedule {
    /// Closed loop: a connection's next batch follows the answers to its last one.
    Closed(Quota),
    /// Open loop: requests arrive at their time, whether a connection is free or not.
    Open(Arrivals),
}

/// What one thread may send in a closed loop.
pub(super) struct Quota {
    /// When what is sent begins to count.
    start: Instant,
    deadline: Option<Instant>,
    remaining: u64,
}

/// The arrivals of one thread in an open loop: every `step`th of all, evenly in time, each in the middle of its share of
/// it. They are a formula and not a list, so that those that wait take no memory.
pub(super) struct Arrivals {
    begin: Instant,
    per_second: f64,
    step: u64,
    next: u64,
    end: u64,
    /// Arrivals before this one belong to the warm-up.
    warm_up: u64,
}

/// One request that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arrival {
    /// When it is due.
    pub(super) time: Instant,
    /// Whether it counts.
    pub(super) measured: bool,
}

/// One thread among all.
#[derive(Clone, Copy)]
pub(super) struct Share {
    /// Which one, from 0.
    pub(super) thread: u32,
    /// How many there are.
    pub(super) threads: u32,
}

impl Share {
    /// This thread's part of `whole` things.
    pub(super) fn of(self, whole: u64) -> u64 {
        let (thread, threads) = (u64::from(self.thread), u64::from(self.threads));
        whole / threads + u64::from(thread < whole % threads)
    }
}

impl Quota {
    pub(super) fn new(amount: Amount, start: Instant, share: Share) -> Self {
        match amount {
            Amount::Requests(requests) => Self { start, deadline: None, remaining: share.of(requests) },
            Amount::Time(time) => Self { start, deadline: Some(start + time), remaining: u64::MAX },
        }
    }

    /// How many requests the next batch has, of up to `depth`, and whether they count; `None` at the end.
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

    /// Takes off the request for which there was no connection, so that there is an end when nobody listens.
    pub(super) fn give_up_one(&mut self, now: Instant) {
        self.remaining = self.remaining.saturating_sub(u64::from(now >= self.start));
    }

    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.remaining == 0 || self.deadline.is_some_and(|deadline| now >= deadline)
    }

    pub(super) fn stop(&mut self) {
        self.remaining = 0;
    }
}

impl Arrivals {
    /// Arrivals from `begin` on; those of the first `warm_up` do not count.
    pub(super) fn new(
        amount: Amount,
        per_second: f64,
        begin: Instant,
        warm_up: Duration,
        share: Share,
    ) -> Self {
        let warm_up = arrivals(warm_up, per_second);
        let counted = match amount {
            Amount::Requests(requests) => requests,
            Amount::Time(time) => arrivals(time, per_second),
        };
        let (step, next) = (u64::from(share.threads), u64::from(share.thread));
        Self { begin, per_second, step, next, end: warm_up + counted, warm_up }
    }

    /// The next arrival, whether it is due or not; `None` at the end.
    pub(super) fn peek(&self) -> Option<Arrival> {
        (!self.is_over()).then(|| Arrival { time: self.time(self.next), measured: self.next >= self.warm_up })
    }

    /// Goes on to the arrival after the next.
    pub(super) fn advance(&mut self) {
        self.next += self.step;
    }

    pub(super) fn is_over(&self) -> bool {
        self.next >= self.end
    }

    /// Nothing arrives after `now`. What was due is given up: how many of those count.
    pub(super) fn stop(&mut self, now: Instant) -> u64 {
        let mut given_up = 0;
        while let Some(arrival) = self.peek().filter(|arrival| arrival.time <= now) {
            given_up += u64::from(arrival.measured);
            self.advance();
        }
        self.end = self.next;
        given_up
    }

    fn time(&self, number: u64) -> Instant {
        self.begin + Duration::from_secs_f64((as_f64(number) + 0.5) / self.per_second)
    }
}

/// Arrivals within `time`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count of requests, above zero"
)]
fn arrivals(time: Duration, per_second: f64) -> u64 {
    (time.as_secs_f64() * per_second).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_of_all_threads_are_evenly_spread() {
        let begin = Instant::now();
        let amount = Amount::Time(Duration::from_secs(2));
        let mut times = Vec::new();
        for thread in 0..3 {
            let share = Share { thread, threads: 3 };
            let mut arrivals = Arrivals::new(amount, 10.0, begin, Duration::from_secs(1), share);
            while let Some(arrival) = arrivals.peek() {
                times.push(((arrival.time - begin).as_millis(), arrival.measured));
                arrivals.advance();
            }
        }
        times.sort_unstable();
        let expected: Vec<_> = (0..30).map(|number| (number * 100 + 50, number >= 10)).collect();
        assert_eq!(times, expected);
    }

    #[test]
    fn what_was_due_at_a_stop_is_given_up() {
        let begin = Instant::now();
        let share = Share { thread: 0, threads: 1 };
        let mut arrivals = Arrivals::new(Amount::Requests(100), 10.0, begin, Duration::ZERO, share);
        arrivals.advance();
        assert_eq!(arrivals.stop(begin + Duration::from_millis(500)), 4);
        assert_eq!(arrivals.peek(), None);
    }

    #[test]
    fn a_quota_is_shared_out_and_used_up() {
        let shares: Vec<u64> = (0..3).map(|thread| Share { thread, threads: 3 }.of(11)).collect();
        assert_eq!(shares, [4, 4, 3]);
        let now = Instant::now();
        let later = now + Duration::from_secs(1);
        let mut quota = Quota::new(Amount::Requests(10), later, Share { thread: 0, threads: 1 });
        assert_eq!(quota.take(4, now), Some((4, false)), "the warm-up uses nothing up");
        quota.give_up_one(later);
        let taken: Vec<_> = (0..4).map(|_| quota.take(4, later)).collect();
        assert_eq!(taken, [Some((4, true)), Some((4, true)), Some((1, true)), None]);
        let amount = Amount::Time(Duration::from_secs(1));
        let mut quota = Quota::new(amount, now, Share { thread: 0, threads: 1 });
        assert_eq!((quota.take(1, now), quota.take(1, later)), (Some((1, true)), None));
    }
}
