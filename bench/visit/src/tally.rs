//! The counts of one thread, and of all threads together.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use visit_output::{Errors, Times};

use super::details::Details;
use super::plan::Plan;
use super::tls::Agreed;

/// The reason why requests that were sent have no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FailureKind {
    Reset,
    Closed,
    Timeout,
    Wrong,
    CutOff,
}

/// The counts of one thread, of all threads, or of a whole run.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) sent: u64,
    /// Whole answers by status.
    pub(super) statuses: BTreeMap<u16, u64>,
    pub(super) errors: Errors,
    pub(super) mismatch: Option<String>,
    pub(super) bytes_read: u64,
    pub(super) bytes_written: u64,
    pub(super) latency: Times,
    pub(super) connect: Times,
    /// TLS handshakes; `None` before the first one.
    pub(super) tls: Option<visit_output::Tls>,
    pub(super) handshake: Times,
    /// The reason of the first failed handshake.
    pub(super) handshake_failure: Option<String>,
    pub(super) http2: visit_output::Http2,
    pub(super) lag: Times,
    pub(super) waited: u64,
    /// Connections that are open at the end of the slice.
    pub(super) open: u64,
    /// The start of the measured time, known once the counts of all threads are added up; `None`
    /// when an interruption came before.
    pub(super) began: Option<Instant>,
    /// The delay of the last thread after the instant to begin at; `None` without such an instant.
    pub(super) late: Option<Duration>,
    /// The time by which the number of answers is divided, known once all threads are added up.
    pub(super) elapsed: Duration,
    pub(super) last_answer: Option<Instant>,
    /// The time of the last answer or failure.
    pub(super) last_outcome: Option<Instant>,
    /// The time at which an interruption stopped the sending.
    pub(super) stopped: Option<Instant>,
    pub(super) cpu: Duration,
    /// The counts of `--mix` and `--series`; `None` without either.
    pub(super) details: Option<Box<Details>>,
}

impl Tally {
    /// Creates a tally without any counts.
    pub(super) fn new(plan: &Plan) -> Self {
        Self { details: Details::new(plan), ..Self::default() }
    }

    /// Counts an answer that was whole at `now`, without details; its latency counts from `start`.
    pub(super) fn answered(&mut self, status: u16, start: Instant, now: Instant) {
        *self.statuses.entry(status).or_default() += 1;
        self.latency.record(now.saturating_duration_since(start));
        self.last_answer = Some(now);
        self.last_outcome = Some(now);
    }

    /// The number of expected answers: with a mix, answers with the expected status of their kind;
    /// otherwise answers with a 2xx status.
    pub(super) fn expected(&self) -> u64 {
        let of_kinds = self.details.as_ref().and_then(|details| details.expected());
        of_kinds.unwrap_or_else(|| self.answers())
    }

    /// Right answers with a 2xx status.
    pub(super) fn answers(&self) -> u64 {
        self.statuses.range(200..300).map(|(_, count)| count).sum()
    }

    pub(super) fn failed(&mut self, kind: FailureKind, count: u64, now: Instant) {
        let counter = match kind {
            FailureKind::Reset => &mut self.errors.reset,
            FailureKind::Closed => &mut self.errors.closed,
            FailureKind::Timeout => &mut self.errors.timeout,
            FailureKind::Wrong => &mut self.errors.wrong,
            FailureKind::CutOff => &mut self.errors.cut_off,
        };
        *counter += count;
        self.last_outcome = Some(now);
    }

    pub(super) fn connect_failed(&mut self, kind: ErrorKind, now: Instant) {
        let counter = match kind {
            ErrorKind::ConnectionRefused => &mut self.errors.refused,
            ErrorKind::TimedOut => &mut self.errors.connect_timeout,
            ErrorKind::AddrNotAvailable => &mut self.errors.no_port,
            ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable | ErrorKind::NetworkDown => {
                &mut self.errors.unreachable
            }
            _ => &mut self.errors.connect_failed,
        };
        *counter += 1;
        self.last_outcome = Some(now);
    }

    /// Counts a TLS handshake.
    pub(super) fn secured(&mut self, agreed: &Agreed, time: Duration) {
        self.handshake.record(time);
        let tls = self.tls.get_or_insert_with(|| visit_output::Tls {
            version: agreed.version.into(),
            suite: agreed.suite.into(),
            group: agreed.group.into(),
            alpn: agreed.alpn.map(str::to_owned),
            full: 0,
            resumed: 0,
        });
        let count = if agreed.is_resumed { &mut tls.resumed } else { &mut tls.full };
        *count += 1;
    }

    /// Counts a failed handshake if it is measured. The first reason is kept in any case.
    pub(super) fn handshake_failed(&mut self, why: String, measured: bool, now: Instant) {
        self.handshake_failure.get_or_insert(why);
        if measured {
            self.errors.handshake += 1;
            self.last_outcome = Some(now);
        }
    }

    /// Adds the counts of another thread or slice, except `open`: the open connections of threads
    /// can be added, but not those of slices.
    pub(super) fn add(&mut self, other: Self) -> anyhow::Result<()> {
        self.sent += other.sent;
        self.errors.add(other.errors);
        self.add_handshakes(&other)?;
        self.mismatch = self.mismatch.take().or(other.mismatch);
        self.bytes_read += other.bytes_read;
        self.bytes_written += other.bytes_written;
        self.latency.add(&other.latency)?;
        self.lag.add(&other.lag)?;
        self.waited += other.waited;
        self.began = self.began.or(other.began);
        self.late = self.late.max(other.late);
        self.elapsed += other.elapsed;
        self.last_answer = self.last_answer.max(other.last_answer);
        self.last_outcome = self.last_outcome.max(other.last_outcome);
        self.stopped = self.stopped.max(other.stopped);
        self.cpu += other.cpu;
        match (&mut self.details, other.details) {
            (Some(details), Some(other)) => details.add(*other)?,
            (details, other) => *details = details.take().or(other),
        }
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        Ok(())
    }

    /// Adds the counts that are kept even when they are not measured, such as in a warm-up:
    /// connects, handshakes, frames of HTTP/2, and a mismatch.
    pub(super) fn add_unmeasured(&mut self, other: Self) -> anyhow::Result<()> {
        self.add_handshakes(&other)?;
        self.mismatch = self.mismatch.take().or(other.mismatch);
        Ok(())
    }

    /// Adds connects, handshakes and frames of HTTP/2, which are counted whether measured or not.
    fn add_handshakes(&mut self, other: &Self) -> anyhow::Result<()> {
        match (&mut self.tls, &other.tls) {
            (Some(tls), Some(other)) => tls.add(other),
            (tls, other) => *tls = tls.take().or_else(|| other.clone()),
        }
        if self.handshake_failure.is_none() {
            self.handshake_failure.clone_from(&other.handshake_failure);
        }
        self.http2.add(other.http2);
        self.connect.add(&other.connect)?;
        self.handshake.add(&other.handshake)
    }
}

/// CPU time of the calling thread since its start, user and system.
pub(super) fn cpu_time() -> anyhow::Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_THREAD)?;
    let microseconds = [usage.user_time(), usage.system_time()]
        .map(|time| u64::try_from(time.tv_sec() * 1_000_000 + time.tv_usec()).unwrap_or_default());
    Ok(Duration::from_micros(microseconds.iter().sum()))
}
