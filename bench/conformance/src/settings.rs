//! The settings of a run.

use std::time::Duration;

/// Cases of at most this number of bytes are also sent split after each of their bytes.
pub(crate) const SHORT: usize = 200;

/// The time limit for all splits of a case: ten times what they need if none waits for a timeout.
pub(crate) const SPLIT_TIME: Duration = Duration::from_secs(2);

/// The settings of a run.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The timeouts that the server was started with.
    pub timeouts: Timeouts,
    /// How long the client waits for an answer or an end that has to come.
    pub response_timeout: Duration,
    /// The number of cases that are played in parallel; 1 if the server serves only one at a time.
    pub connections: usize,
    /// Whether short cases that pass are sent again, split after each of their bytes.
    pub splits: bool,
    /// The time limit for all cases, if any. Cases that have not begun by then are not sent.
    pub time: Option<Duration>,
}

/// The timeouts of a server.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// The time from the first byte of a head to its last byte.
    pub head: Duration,
    /// The time that the server waits for a first or a next request, for the next piece of a body,
    /// or for room for an answer.
    pub idle: Duration,
}

/// One of the server's timeouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timeout {
    /// The time from the first byte of a head to its last byte.
    Head,
    /// The time that the server waits for a first or a next request, for the next piece of a body,
    /// or for room for an answer.
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
    /// How long a silent client waits for the server to close after a timeout, if no answer says
    /// which timeout it was. For the head timeout, the client waits for less than the idle timeout,
    /// which would be mistaken for it.
    pub(crate) fn time_for(&self, timeout: Timeout) -> Duration {
        match timeout {
            Timeout::Head => self.timeouts.idle * 9 / 10,
            Timeout::Idle => self.timeouts.idle * 2 + self.response_timeout / 2,
        }
    }
}

impl Default for Settings {
    /// Settings for a server with the endpoint's own timeouts, without splits.
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
