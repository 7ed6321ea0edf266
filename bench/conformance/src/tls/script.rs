//! A case of TLS: what the client does, and the right response.

use super::client::Client;
use super::verdict::Verdict;

/// What the client does on a new connection, with its verdict, and the right response in words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Records {
    pub(super) act: fn(&mut Client) -> Verdict,
    pub(super) right: &'static str,
}

impl Records {
    /// The right response in words.
    pub(crate) fn right(&self) -> &'static str {
        self.right
    }
}
