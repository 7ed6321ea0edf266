//! The time for which the machine was suspended, as a laptop is while its lid is closed.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// Returns how long the machine has been suspended since it was started: `CLOCK_BOOTTIME` counts
/// that time, and `CLOCK_MONOTONIC`, with which harness and tools measure, does not. `None` if a
/// clock cannot be read.
pub(super) fn suspended() -> Option<Duration> {
    let read = |clock| clock_gettime(clock).ok().map(Duration::from);
    // In this order, a pause between the two readings can only make the difference smaller.
    let all = read(ClockId::CLOCK_BOOTTIME)?;
    Some(all.saturating_sub(read(ClockId::CLOCK_MONOTONIC)?))
}
