//! Requests and connections that failed, by kind.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Failures by kind. `refused`, `connect_timeout`, `no_port`, `unreachable`, `connect_failed` and
/// `handshake` count attempts to connect, `unsent` counts requests that were never sent; the others
/// count requests that were sent.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Errors {
    /// Connections that were refused.
    pub refused: u64,
    /// Connections that did not open within the timeout.
    pub connect_timeout: u64,
    /// Connections for which the client had no port left (`EADDRNOTAVAIL`).
    #[serde(default)]
    pub no_port: u64,
    /// Connections that failed because the network is down, or has no route to the server.
    #[serde(default)]
    pub unreachable: u64,
    /// Connections that failed to open for another reason.
    pub connect_failed: u64,
    /// Connections whose TLS handshake, or whose first frames of HTTP/2, failed or did not complete
    /// within the timeout.
    #[serde(default)]
    pub handshake: u64,
    /// Requests whose connection, or HTTP/2 stream, was reset.
    pub reset: u64,
    /// Requests whose connection ended before their answer was whole, or that followed an answer
    /// which announced the end of the connection.
    pub closed: u64,
    /// Requests that were not answered within the timeout.
    pub timeout: u64,
    /// Requests with a wrong answer, and those pipelined behind them.
    pub wrong: u64,
    /// Open loop: requests that found no free connection within the timeout, or that were due and
    /// not sent when the run was interrupted.
    pub unsent: u64,
    /// Requests without an answer when an interruption ended the run.
    pub cut_off: u64,
}

impl Errors {
    /// The kinds of errors that occurred, with their counts.
    pub fn occurred(&self) -> BTreeMap<&'static str, u64> {
        let mut errors = *self;
        let all = errors.by_kind().map(|(kind, count)| (kind, *count));
        all.into_iter().filter(|(_, count)| *count > 0).collect()
    }

    /// Attempts to connect that failed.
    pub fn failed_connections(&self) -> u64 {
        let unopened = self.refused + self.connect_timeout + self.no_port + self.unreachable;
        unopened + self.connect_failed + self.handshake
    }

    /// Adds the errors of another thread, slice or share.
    pub fn add(&mut self, mut other: Self) {
        for ((_, sum), (_, count)) in self.by_kind().into_iter().zip(other.by_kind()) {
            *sum += *count;
        }
    }

    fn by_kind(&mut self) -> [(&'static str, &mut u64); 12] {
        [
            ("connection refused", &mut self.refused),
            ("connect timeout", &mut self.connect_timeout),
            ("no port left", &mut self.no_port),
            ("network unreachable", &mut self.unreachable),
            ("connect failed", &mut self.connect_failed),
            ("handshake failed", &mut self.handshake),
            ("connection reset", &mut self.reset),
            ("connection closed", &mut self.closed),
            ("timeout", &mut self.timeout),
            ("wrong answer", &mut self.wrong),
            ("unsent", &mut self.unsent),
            ("cut off", &mut self.cut_off),
        ]
    }
}
