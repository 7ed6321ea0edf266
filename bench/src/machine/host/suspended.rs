//! Time for which the machine was suspended, as a laptop is whose lid is closed.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// How long the machine has been suspended since it was started: one of two clocks counts that time,
/// and the other, by which harness and tools measure, does not. `None` where one cannot be read.
pub(super) fn suspended() -> Option<Duration> {
    let read = |clock| clock_gettime(clock).ok().map(Duration::from);
    // In this order a pause between the two only makes the difference smaller.
    let all = read(ClockId::CLOCK_BOOTTIME)?;
    Some(all.saturating_sub(read(ClockId::CLOCK_MONOTONIC)?))
}
