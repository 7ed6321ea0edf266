//! What a case of TLS saw.

/// What a case saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Right,
    /// What the RFCs allow, and do not ask for first: a strict failure.
    LeftOpen(String),
    /// What was expected.
    Wrong(String),
}
