//! The verdict of a case of TLS.

/// The verdict of a case on what the server did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Right,
    /// The RFCs allow what the server did, but do not ask for it first: a strict failure. Says what
    /// was expected.
    LeftOpen(String),
    /// The server was wrong. Says what was expected.
    Wrong(String),
}
