//! The parameters that TLS handshakes agreed on.

use serde::{Deserialize, Serialize};

use super::Report;

/// The TLS parameters that the handshakes of a run agreed on. A handshake that agrees on parameters
/// that were not offered fails.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The version: `TLSv1.3`.
    pub version: String,
    /// The cipher suite: `TLS_AES_128_GCM_SHA256` or `TLS_AES_256_GCM_SHA384`.
    pub suite: String,
    /// The group of the key exchange: `X25519`.
    pub group: String,
    /// The application protocol, `http/1.1` or `h2`; `null` when the server chose none, and
    /// HTTP/1.1 is spoken.
    pub alpn: Option<String>,
    /// Full handshakes, including those before the clock started.
    pub full: u64,
    /// Handshakes that resumed an earlier session, which only happens with `--resume`.
    pub resumed: u64,
}

impl Tls {
    /// Adds the handshakes of another thread, slice or share.
    pub fn add(&mut self, other: &Self) {
        self.full += other.full;
        self.resumed += other.resumed;
    }

    /// Adds up the handshakes of all shares of a load; `None` when there were none.
    pub(super) fn merge(shares: &[Report]) -> Option<Self> {
        let mut all = shares.iter().filter_map(|share| share.tls.as_ref());
        let mut sum = all.next()?.clone();
        all.for_each(|tls| sum.add(tls));
        Some(sum)
    }
}
