//! The protocol between `visit` and a server.

use std::fmt;

/// The protocol between `visit` and a server. In the report: `http/1.1`, `https`, `h2` or `h2c`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1 over TCP.
    #[default]
    Http1,
    /// HTTP/1.1 over TLS.
    Https,
    /// HTTP/2 over TLS.
    H2,
    /// HTTP/2 over TCP, by prior knowledge.
    H2c,
}

impl Protocol {
    /// Chooses the protocol by the scheme of the URL and by `--http2`.
    pub fn new(is_tls: bool, is_http2: bool) -> Self {
        match (is_tls, is_http2) {
            (false, false) => Self::Http1,
            (true, false) => Self::Https,
            (true, true) => Self::H2,
            (false, true) => Self::H2c,
        }
    }

    /// Whether the protocol uses TLS, as for an `https` URL.
    pub fn is_tls(self) -> bool {
        matches!(self, Self::Https | Self::H2)
    }

    /// Whether the protocol is HTTP/2, as with `--http2`.
    fn is_http2(self) -> bool {
        matches!(self, Self::H2 | Self::H2c)
    }

    /// The name of the protocol in ALPN.
    pub fn alpn(self) -> &'static str {
        if self.is_http2() { "h2" } else { "http/1.1" }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Http1 => "http/1.1",
            Self::Https => "https",
            Self::H2 => "h2",
            Self::H2c => "h2c",
        })
    }
}
