//! A case of TLS: what the client does, and what is right.

use super::client::Client;
use super::verdict::Verdict;

/// What the client does on a new connection, and what it says of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Records {
    pub(super) act: fn(&mut Client) -> Verdict,
    pub(super) right: &'static str,
}

impl Records {
    /// What is right, in words.
    pub(crate) fn right(&self) -> &'static str {
        self.right
    }
}
