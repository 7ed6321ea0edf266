//! Counts of GOAWAY and RST_STREAM frames that servers sent over HTTP/2.

use serde::{Deserialize, Serialize};

use super::Report;

/// Counts of GOAWAY and RST_STREAM frames from servers, and of requests that were sent again after
/// a GOAWAY. All counts are exact, and include frames from before the clock started.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Http2 {
    /// GOAWAY frames. Most announce an orderly close.
    pub goaway: u64,
    /// RST_STREAM frames. The requests that they left without an answer are in `errors.reset`.
    pub rst_stream: u64,
    /// RST_STREAM frames that refused a stream before it was processed (REFUSED_STREAM).
    pub refused_stream: u64,
    /// Requests that a server did not process before a GOAWAY, and that were sent again on another
    /// connection. They are not errors, and count once in `sent`.
    pub asked_again: u64,
}

impl Http2 {
    /// Adds the counts of another thread, slice or share.
    pub fn add(&mut self, other: Self) {
        self.goaway += other.goaway;
        self.rst_stream += other.rst_stream;
        self.refused_stream += other.refused_stream;
        self.asked_again += other.asked_again;
    }

    /// Adds up the counts of all shares of a load; `None` without HTTP/2.
    pub(super) fn merge(shares: &[Report]) -> Option<Self> {
        let counts = shares.iter().filter_map(|share| share.http2);
        counts.reduce(|mut sum, counts| {
            sum.add(counts);
            sum
        })
    }
}
