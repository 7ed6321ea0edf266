//! What the handshakes of TLS agreed on.

use serde::{Deserialize, Serialize};

use super::Report;

/// The TLS of a run, as it was agreed on: a handshake that agrees on anything else than what was
/// offered fails.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// `TLSv1.3`.
    pub version: String,
    /// `TLS_AES_128_GCM_SHA256` or `TLS_AES_256_GCM_SHA384`.
    pub suite: String,
    /// The group of the key exchange: `X25519`.
    pub group: String,
    /// The application protocol, `http/1.1` or `h2`; `null` where the server has chosen none, and
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

    /// The TLS of a load from that of its shares; `None` where there was none.
    pub(super) fn merge(shares: &[Report]) -> Option<Self> {
        let mut all = shares.iter().filter_map(|share| share.tls.as_ref());
        let mut sum = all.next()?.clone();
        all.for_each(|tls| sum.add(tls));
        Some(sum)
    }
}
