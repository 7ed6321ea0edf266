//! The clocks of hosts, and the offset of one clock from another.
//!
//! A host's clock is its `CLOCK_MONOTONIC`, which cannot be set. An exchange reads the other host's
//! clock between two readings of this machine's, so the offset is known to within half of the round
//! trip. The fastest of several exchanges gives the most precise offset. Two clocks drift apart by
//! some parts per million, which the offsets before and after a run show.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// The number of exchanges, of which the fastest counts. With 300 exchanges, offsets were 10 µs
/// off on idle machines, and 31 µs on busy ones; by the median they were 57 µs off.
const EXCHANGES: usize = 40;

/// A reading of a host's `CLOCK_MONOTONIC`, in nanoseconds.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Clock(pub u64);

impl Clock {
    /// This machine's clock, now.
    pub fn now() -> Self {
        let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from).unwrap_or_default();
        Self(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX))
    }

    /// The time since an earlier reading of the same clock.
    pub fn since(self, before: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(before.0))
    }
}

/// How far another host's clock is from this machine's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offset {
    /// The difference to add to this machine's clock, in nanoseconds.
    pub nanoseconds: i64,
    /// The round trip of the fastest exchange; the error of the offset is at most half of it.
    pub round_trip: Duration,
}

impl Offset {
    /// The offset of this machine's clock from itself.
    pub const NONE: Self = Self { nanoseconds: 0, round_trip: Duration::ZERO };

    /// Measures the offset by the fastest of several exchanges, each of which reads the other
    /// clock. Fails if one of them fails.
    pub(super) fn measure(mut read: impl FnMut() -> anyhow::Result<Clock>) -> anyhow::Result<Self> {
        let mut best: Option<Self> = None;
        for _ in 0..EXCHANGES {
            let before = Clock::now();
            let there = read()?;
            let round_trip = Clock::now().since(before);
            let middle = before.0.saturating_add(u64::try_from(round_trip.as_nanos() / 2).unwrap_or(0));
            let offset = Self { nanoseconds: difference(there.0, middle), round_trip };
            best = Some(best.filter(|best| best.round_trip <= round_trip).unwrap_or(offset));
        }
        Ok(best.unwrap_or_default())
    }

    /// Converts a reading of this machine's clock to the other host's clock.
    pub fn there(&self, here: Clock) -> Clock {
        Clock(here.0.saturating_add_signed(self.nanoseconds))
    }

    /// Converts a reading of the other host's clock to this machine's clock.
    pub fn here(&self, there: Clock) -> Clock {
        Clock(there.0.saturating_add_signed(self.nanoseconds.saturating_neg()))
    }
}

fn difference(a: u64, b: u64) -> i64 {
    i64::try_from(i128::from(a) - i128::from(b)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The other clock is ahead, and some exchanges take long on the way there or back.
    #[test]
    fn the_fastest_exchange_counts() {
        let ahead = 5_000_000_000;
        let mut exchange = 0;
        let offset = Offset::measure(|| {
            exchange += 1;
            let slow = Duration::from_millis(if exchange % 4 == 0 { 0 } else { 3 });
            let read = |()| Clock(Clock::now().0 + ahead);
            if exchange % 2 == 0 {
                std::thread::sleep(slow);
                Ok(read(()))
            } else {
                let clock = read(());
                std::thread::sleep(slow);
                Ok(clock)
            }
        });
        let offset = offset.unwrap();
        let wrong = offset.nanoseconds.abs_diff(ahead.try_into().unwrap());
        assert!(u128::from(wrong) <= offset.round_trip.as_nanos() / 2 + 1, "{offset:?}");
        let now = Clock::now();
        assert_eq!(offset.here(offset.there(now)), now);
    }

    #[test]
    fn an_exchange_that_fails_is_an_error() {
        assert!(Offset::measure(|| anyhow::bail!("no")).is_err());
    }
}
