//! How long a server waits for a client, by what it waits for.

use std::time::Duration;

use super::limits;

/// What a client is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitingFor {
    /// A first or a next request.
    Request,
    /// The rest of a head. The time runs from the head's first byte.
    Head,
    /// More of a body. The time runs from its last piece.
    Body,
    /// To read what was written. The time runs from the last write that the socket took.
    Reader,
    /// To close its side after the last answer.
    End,
}

/// How long each of them is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// From a head's first byte to its last.
    pub head: Duration,
    /// For a first or a next request, and for each piece of a body.
    pub idle: Duration,
    /// For a client that does not read.
    pub write: Duration,
}

impl WaitingFor {
    /// The next input, by whether it belongs to a body and whether part of a head has been read.
    pub fn input(is_in_body: bool, has_part: bool) -> Self {
        match (is_in_body, has_part) {
            (true, _) => Self::Body,
            (false, true) => Self::Head,
            (false, false) => Self::Request,
        }
    }
}

impl Timeouts {
    /// The longest time that a client may take for it.
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
    /// Those of the contract.
    fn default() -> Self {
        Self { head: limits::HEAD_TIMEOUT, idle: limits::IDLE_TIMEOUT, write: limits::WRITE_TIMEOUT }
    }
}
