//! What is spoken to a server.

use std::fmt;

/// What is spoken to a server. In the report: `http/1.1` or `https`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1 over TCP.
    #[default]
    Http1,
    /// HTTP/1.1 over TLS.
    Https,
}

impl fmt::Display for Protocol {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Http1 => "http/1.1",
            Self::Https => "https",
        })
    }
}
