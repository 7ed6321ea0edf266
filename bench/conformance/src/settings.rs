//! How to run the cases.

use std::time::Duration;

/// Cases of at most this number of bytes are also sent split after each of their bytes.
pub(crate) const SHORT: usize = 200;

/// Time for all splits of a case: ten times what they need, unless each waits for a timeout.
pub(crate) const SPLIT_TIME: Duration = Duration::from_secs(2);

/// How to run the cases.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The timeouts that the server was started with.
    pub timeouts: Timeouts,
    /// How long the client waits for an answer or an end that has to come.
    pub response_timeout: Duration,
    /// Cases that are played at once: one where the server serves one connection at a time.
    pub connections: usize,
    /// Whether short cases that pass are sent again, split after each of their bytes.
    pub splits: bool,
    /// Time for all cases, where there is a limit: those that have not begun by then are not sent.
    pub time: Option<Duration>,
}

/// The timeouts of a server.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// From a head's first byte to its last.
    pub head: Duration,
    /// Waiting for a first or a next request, for the next piece of a body, or for room for an answer.
    pub idle: Duration,
}

/// One of the server's timeouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timeout {
    /// From a head's first byte to its last.
    Head,
    /// Waiting for a first or a next request, for the next piece of a body, or for room for an answer.
    Idle,
}

impl Timeouts {
    pub(crate) fn get(&self, timeout: Timeout) -> Duration {
        match timeout {
            Timeout::Head => self.head,
            Timeout::Idle => self.idle,
        }
    }
}

impl Settings {
    /// How long a client that is silent waits for the end of its connection by a timeout, where no answer
    /// says which one it was: less than the idle timeout, which would be mistaken for the head timeout.
    pub(crate) fn time_for(&self, timeout: Timeout) -> Duration {
        match timeout {
            Timeout::Head => self.timeouts.idle * 9 / 10,
            Timeout::Idle => self.timeouts.idle * 2 + self.response_timeout / 2,
        }
    }
}

impl Default for Settings {
    /// A server with the endpoint's own timeouts, and no splits.
    fn default() -> Self {
        let timeouts = Timeouts { head: Duration::from_secs(10), idle: Duration::from_secs(60) };
        Self {
            timeouts,
            response_timeout: Duration::from_secs(10),
            connections: 8,
            splits: false,
            time: None,
        }
    }
}
