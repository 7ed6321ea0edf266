//! The protocol that a load tool and a server speak.

use std::fmt::{self, Display, Formatter};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The protocol of a connection, and whether it is encrypted.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Protocol {
    /// HTTP/1.1.
    #[default]
    #[serde(rename = "http/1.1")]
    Http1,
    /// HTTP/1.1 over TLS 1.3.
    #[serde(rename = "https")]
    Https,
    /// HTTP/2 without TLS, with prior knowledge of the client that the server supports it.
    #[serde(rename = "h2c")]
    H2c,
    /// HTTP/2 over TLS 1.3, by ALPN.
    #[serde(rename = "h2")]
    H2,
}

impl Protocol {
    /// All protocols.
    pub const ALL: [Self; 4] = [Self::Http1, Self::Https, Self::H2c, Self::H2];

    /// Its name in manifests, workloads and records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http1 => "http/1.1",
            Self::Https => "https",
            Self::H2c => "h2c",
            Self::H2 => "h2",
        }
    }

    /// Whether it is HTTP/1.1 without TLS, which is the default of records without a protocol.
    pub fn is_plain(&self) -> bool {
        *self == Self::Http1
    }

    /// Whether it uses TLS.
    pub fn is_encrypted(self) -> bool {
        matches!(self, Self::Https | Self::H2)
    }

    /// Whether it is HTTP/2.
    pub fn is_http_2(self) -> bool {
        matches!(self, Self::H2c | Self::H2)
    }

    /// The scheme of its URLs.
    pub fn scheme(self) -> &'static str {
        if self.is_encrypted() { "https" } else { "http" }
    }
}

impl Display for Protocol {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}
