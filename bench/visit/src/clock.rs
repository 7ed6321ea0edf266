//! Converts between [`Instant`] and the nanoseconds of `CLOCK_MONOTONIC`, which are the same in all
//! processes of a machine. An [`Instant`] is a time of this clock, but does not reveal its number.

use std::time::{Duration, Instant};

use anyhow::Context;
use nix::time::{ClockId, clock_gettime};

/// The number of attempts to read the clock in both forms. The fastest one is used: a thread may
/// lose its core between the two calls.
const READINGS: u32 = 16;

/// The same time in both forms.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    instant: Instant,
    since_zero: Duration,
}

impl Clock {
    /// Reads the clock. The result is exact to the time of two readings, some tens of nanoseconds.
    pub(super) fn read() -> anyhow::Result<Self> {
        let mut closest: Option<(Duration, Self)> = None;
        for _ in 0..READINGS {
            let before = Instant::now();
            let since_zero =
                clock_gettime(ClockId::CLOCK_MONOTONIC).context("cannot read CLOCK_MONOTONIC")?;
            let took = before.elapsed();
            if closest.is_none_or(|(least, _)| took < least) {
                closest = Some((took, Self { instant: before + took / 2, since_zero: since_zero.into() }));
            }
        }
        closest.map(|(_, clock)| clock).context("CLOCK_MONOTONIC was not read")
    }

    /// The instant at which the clock has this number of nanoseconds; `None` when it is out of
    /// range.
    pub(super) fn instant(self, nanoseconds: u64) -> Option<Instant> {
        let since_zero = Duration::from_nanos(nanoseconds);
        match since_zero.checked_sub(self.since_zero) {
            Some(ahead) => self.instant.checked_add(ahead),
            None => self.instant.checked_sub(self.since_zero - since_zero),
        }
    }

    /// The value of the clock at this instant, in nanoseconds.
    pub(super) fn nanoseconds(self, instant: Instant) -> u64 {
        let ahead = instant.saturating_duration_since(self.instant);
        let ago = self.instant.saturating_duration_since(instant);
        let since_zero = (self.since_zero + ahead).saturating_sub(ago);
        u64::try_from(since_zero.as_nanos()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_has_one_number() {
        let clock = Clock::read().unwrap();
        let now = clock.nanoseconds(Instant::now());
        for nanoseconds in [0, 1, now - 1_000_000_000, now, now + 1, now + 3_600_000_000_000] {
            let instant = clock.instant(nanoseconds).unwrap();
            assert_eq!(clock.nanoseconds(instant), nanoseconds);
        }
    }

    #[test]
    fn numbers_are_those_of_the_kernel() {
        let read = || {
            u64::try_from(Duration::from(clock_gettime(ClockId::CLOCK_MONOTONIC).unwrap()).as_nanos())
                .unwrap()
        };
        let (before, now, after) = (read(), Instant::now(), read());
        let nanoseconds = Clock::read().unwrap().nanoseconds(now);
        // Each reading of the clock may be off by the time that a reading takes.
        let inexact = 1_000_000;
        assert!(
            (before - inexact..=after + inexact).contains(&nanoseconds),
            "{before} {nanoseconds} {after}"
        );
    }
}
