//! A timer that wakes a poll with the precision of the kernel.
//!
//! The timeout of a poll counts whole milliseconds, which is thirty arrivals at 30,000 per second,
//! and spinning until an arrival is due would use up a core, which a small machine needs for the
//! server. A `timerfd` costs one system call per arrival for which there is time to sleep.

use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use anyhow::Context;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

pub(super) struct Timer {
    timer: TimerFd,
    armed_for: Option<Instant>,
}

impl Timer {
    /// A timer that wakes the poll of `registry`. Fails without a free descriptor.
    pub(super) fn new(registry: &Registry, token: Token) -> anyhow::Result<Self> {
        let flags = TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags).context("cannot make a timer")?;
        let descriptor = timer.as_fd().as_raw_fd();
        registry
            .register(&mut SourceFd(&descriptor), token, Interest::READABLE)
            .context("cannot watch a timer")?;
        Ok(Self { timer, armed_for: None })
    }

    /// Wakes the poll at `time`, once. Setting it again clears an expiration that was not read.
    pub(super) fn arm(&mut self, time: Instant) -> anyhow::Result<()> {
        if self.armed_for == Some(time) {
            return Ok(());
        }
        // A time of zero would disarm the timer.
        let left = time.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1));
        let expiration = Expiration::OneShot(TimeSpec::from_duration(left));
        self.timer.set(expiration, TimerSetTimeFlags::empty()).context("cannot set a timer")?;
        self.armed_for = Some(time);
        Ok(())
    }
}
