//! How long a server waits for each action of a client.

use std::time::Duration;

use super::limits;

/// The action of a client that a server waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitingFor {
    /// A first or a next request.
    Request,
    /// The rest of a head. The time runs from the head's first byte.
    Head,
    /// More of a body. The time runs from its last piece.
    Body,
    /// The client reads the output. The time runs from the last write that the socket took.
    Reader,
    /// The client closes its side after the last answer.
    End,
}

/// The time to wait for each action of a client.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// The time from a head's first byte to its last.
    pub head: Duration,
    /// The time for a first or a next request, and for each piece of a body.
    pub idle: Duration,
    /// The time for a client that does not read.
    pub write: Duration,
}

impl WaitingFor {
    /// Returns the next input: of a body, of a head of which part has been read, or a request.
    pub fn input(is_in_body: bool, has_part: bool) -> Self {
        match (is_in_body, has_part) {
            (true, _) => Self::Body,
            (false, true) => Self::Head,
            (false, false) => Self::Request,
        }
    }
}

impl Timeouts {
    /// Returns the longest time that a client may take for an action.
    pub fn limit(&self, waiting: WaitingFor) -> Duration {
        match waiting {
            WaitingFor::Request | WaitingFor::Body => self.idle,
            WaitingFor::Head => self.head,
            WaitingFor::Reader => self.write,
            WaitingFor::End => limits::LINGER_TIME,
        }
    }
}

impl Default for Timeouts {
    /// Returns the timeouts of the contract.
    fn default() -> Self {
        Self { head: limits::HEAD_TIMEOUT, idle: limits::IDLE_TIMEOUT, write: limits::WRITE_TIMEOUT }
    }
}
