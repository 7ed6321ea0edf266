//! What one thread counts, and all of them together.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use serde::{Deserialize, Serialize};

use super::times::Times;

/// Codes of statuses are less than this.
const STATUSES: usize = 600;

/// What came of requests that were not answered, by kind. `refused`, `connect_timeout` and `connect_failed` count
/// attempts to connect, and `unsent` what was never sent; the others count requests that were sent.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Errors {
    /// Connections that the server's machine refused.
    pub refused: u64,
    /// Connections that were not there within the timeout.
    pub connect_timeout: u64,
    /// Connections that failed in another way, such as for want of a port.
    pub connect_failed: u64,
    /// Requests whose connection was reset.
    pub reset: u64,
    /// Requests whose connection ended before the end of their answer, or, pipelined, behind an answer that said so.
    pub closed: u64,
    /// Requests that were not answered within the timeout.
    pub timeout: u64,
    /// Requests whose answer was wrong, and those pipelined behind it, whose answers cannot be told.
    pub wrong: u64,
    /// Open loop: requests that found no free connection within the timeout, or before an interruption.
    pub unsent: u64,
    /// Requests that were still to be answered when an interruption ended the run.
    pub cut_off: u64,
}

impl Errors {
    /// Those that occurred, with their names.
    pub fn occurred(&self) -> BTreeMap<&'static str, u64> {
        let all = [
            ("connection refused", self.refused),
            ("connect timeout", self.connect_timeout),
            ("connect failed", self.connect_failed),
            ("connection reset", self.reset),
            ("connection closed", self.closed),
            ("timeout", self.timeout),
            ("wrong answer", self.wrong),
            ("unsent", self.unsent),
            ("cut off", self.cut_off),
        ];
        all.into_iter().filter(|(_, count)| *count > 0).collect()
    }

    fn add(&mut self, other: &Self) {
        self.refused += other.refused;
        self.connect_timeout += other.connect_timeout;
        self.connect_failed += other.connect_failed;
        self.reset += other.reset;
        self.closed += other.closed;
        self.timeout += other.timeout;
        self.wrong += other.wrong;
        self.unsent += other.unsent;
        self.cut_off += other.cut_off;
    }
}

/// Why a connection ended under its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    Reset,
    Closed,
    Timeout,
    Wrong,
    CutOff,
}

/// What one thread counts. All but connects and the mismatch is of the measured time alone.
pub(super) struct Tally {
    pub(super) sent: u64,
    pub(super) errors: Errors,
    pub(super) mismatch: Option<String>,
    pub(super) bytes_read: u64,
    pub(super) bytes_written: u64,
    pub(super) latency: Times,
    pub(super) connect: Times,
    pub(super) lag: Times,
    /// Arrivals that had to wait for a free connection.
    pub(super) waited: u64,
    /// Connections that were open when the clock started.
    pub(super) opened: u64,
    /// When the last answer was whole, and when a request last came to anything.
    pub(super) last_answer: Option<Instant>,
    pub(super) last_outcome: Option<Instant>,
    /// When an interruption stopped the sending.
    pub(super) stopped: Option<Instant>,
    pub(super) cpu: Duration,
    statuses: Vec<u64>,
}

impl Tally {
    pub(super) fn new() -> anyhow::Result<Self> {
        Ok(Self {
            sent: 0,
            errors: Errors::default(),
            mismatch: None,
            bytes_read: 0,
            bytes_written: 0,
            latency: Times::new()?,
            connect: Times::new()?,
            lag: Times::new()?,
            waited: 0,
            opened: 0,
            last_answer: None,
            last_outcome: None,
            stopped: None,
            cpu: Duration::ZERO,
            statuses: vec![0; STATUSES],
        })
    }

    /// An answer that was asked for at `start` and was whole at `now`.
    pub(super) fn answered(&mut self, status: u16, start: Instant, now: Instant) {
        self.statuses[usize::from(status)] += 1;
        self.latency.record(now.saturating_duration_since(start));
        self.last_answer = Some(now);
        self.last_outcome = Some(now);
    }

    /// `count` requests that will not be answered.
    pub(super) fn lost(&mut self, loss: Loss, count: u64, now: Instant) {
        let counter = match loss {
            Loss::Reset => &mut self.errors.reset,
            Loss::Closed => &mut self.errors.closed,
            Loss::Timeout => &mut self.errors.timeout,
            Loss::Wrong => &mut self.errors.wrong,
            Loss::CutOff => &mut self.errors.cut_off,
        };
        *counter += count;
        self.last_outcome = Some(now);
    }

    /// A connection that was not to be had.
    pub(super) fn unconnected(&mut self, kind: ErrorKind, now: Instant) {
        let counter = match kind {
            ErrorKind::ConnectionRefused => &mut self.errors.refused,
            ErrorKind::TimedOut => &mut self.errors.connect_timeout,
            _ => &mut self.errors.connect_failed,
        };
        *counter += 1;
        self.last_outcome = Some(now);
    }

    /// Answers by status, those that occurred.
    pub(super) fn statuses(&self) -> BTreeMap<u16, u64> {
        let all = (0..).zip(&self.statuses).map(|(status, count)| (status, *count));
        all.filter(|(_, count)| *count > 0).collect()
    }

    /// Adds what another thread has counted.
    pub(super) fn add(&mut self, other: Self) -> anyhow::Result<()> {
        self.sent += other.sent;
        self.errors.add(&other.errors);
        self.mismatch = self.mismatch.take().or(other.mismatch);
        self.bytes_read += other.bytes_read;
        self.bytes_written += other.bytes_written;
        self.latency.add(&other.latency)?;
        self.connect.add(&other.connect)?;
        self.lag.add(&other.lag)?;
        self.waited += other.waited;
        self.opened += other.opened;
        self.last_answer = self.last_answer.max(other.last_answer);
        self.last_outcome = self.last_outcome.max(other.last_outcome);
        self.stopped = self.stopped.max(other.stopped);
        self.cpu += other.cpu;
        self.statuses.iter_mut().zip(other.statuses).for_each(|(sum, count)| *sum += count);
        Ok(())
    }
}

/// CPU time of the calling thread since its start, in user code and in the kernel.
pub(super) fn cpu_time() -> anyhow::Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_THREAD)?;
    let microseconds = [usage.user_time(), usage.system_time()]
        .map(|time| u64::try_from(time.tv_sec() * 1_000_000 + time.tv_usec()).unwrap_or_default());
    Ok(Duration::from_micros(microseconds.iter().sum()))
}
