//! Requests and connections that failed, by kind.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Failures by kind. `refused`, `connect_timeout` and `connect_failed` count attempts to connect,
/// `unsent` counts requests that were never sent; the others count requests that were sent.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Errors {
    /// Connections that were refused.
    pub refused: u64,
    /// Connections that did not open within the timeout.
    pub connect_timeout: u64,
    /// Connections that failed to open for another reason, such as no free port.
    pub connect_failed: u64,
    /// Requests whose connection was reset.
    pub reset: u64,
    /// Requests whose connection ended within, or was announced to end before, their answer.
    pub closed: u64,
    /// Requests that were not answered within the timeout.
    pub timeout: u64,
    /// Requests with a wrong answer, and those pipelined behind them.
    pub wrong: u64,
    /// Open loop: requests without a free connection within the timeout, or interrupted.
    pub unsent: u64,
    /// Requests without an answer when an interruption ended the run.
    pub cut_off: u64,
}

impl Errors {
    /// The kinds that occurred, by name.
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

    pub(crate) fn add(&mut self, other: &Self) {
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
