//! The protocols of a connection, and the cases of each protocol.

use std::fmt;
use std::str::FromStr;

use rustls::ClientConnection;

use crate::case::{Case, End};
use crate::expected::Expected;
use crate::http2::{self, Http2Client};
use crate::rules::Rule;
use crate::socket::Transport;
use crate::subject;
use crate::tls;

/// The protocol that is spoken on a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// HTTP/1.1 on plain TCP.
    #[default]
    Http1,
    /// HTTP/1.1 within TLS 1.3.
    Https,
    /// HTTP/2 within TLS 1.3, agreed by ALPN.
    H2,
    /// HTTP/2 on plain TCP, by prior knowledge.
    H2c,
}

impl Protocol {
    /// All protocols.
    pub const ALL: [Self; 4] = [Self::Http1, Self::Https, Self::H2, Self::H2c];

    /// The cases of the protocol, those of [`Self::endpoint`] first. The cases of `h2` and `h2c`
    /// have the same names, except those about ALPN.
    pub fn cases(self) -> Vec<Case> {
        match self {
            Self::Http1 => subject::cases(),
            Self::Https => [subject::https_cases(), subject::https_timing_cases(), tls::cases()].concat(),
            Self::H2 | Self::H2c => http2::cases(self.transport()),
        }
    }

    /// The subject whose cases show whether a server is the endpoint at all.
    pub fn endpoint(self) -> &'static str {
        match self {
            Self::Http1 => subject::ENDPOINT,
            Self::Https => subject::HTTPS,
            Self::H2 | Self::H2c => http2::ENDPOINT,
        }
    }

    /// The cases of [`Self::endpoint`]. They are few and small, so that every measurement can begin
    /// with them.
    pub fn endpoint_cases(self) -> Vec<Case> {
        match self {
            Self::Http1 => subject::endpoint_cases(),
            Self::Https => subject::https_cases(),
            Self::H2 | Self::H2c => http2::endpoint_cases(self.transport()),
        }
    }

    /// The case of [`Self::endpoint`] that shows whether a server answers several requests at once.
    pub fn burst(self) -> &'static str {
        match self {
            Self::Http1 => subject::BURST,
            Self::Https => "https/burst",
            Self::H2 | Self::H2c => "h2-endpoint/at-once",
        }
    }

    /// A case of one GET, such as the request of a workload. With `closes` a client of HTTP/1.1
    /// asks the server to close the connection, and the server has to do so; HTTP/2 has no such
    /// request.
    pub fn request(self, path: &str, host: &str, answer: Expected, closes: bool) -> Case {
        const NAME: &str = "workload/request";
        const RULE: Rule = Rule::new("the workload");
        match self {
            Self::Http1 | Self::Https => {
                let (field, end) =
                    if closes { ("Connection: close\r\n", End::Closed) } else { ("", End::Any) };
                let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{field}\r\n");
                Case::new(NAME, RULE, request, [answer], end).over(NAME, self.transport())
            }
            Self::H2 | Self::H2c => http2::request_case(self.transport(), NAME, RULE, [path, host], answer),
        }
    }

    /// Creates the client's side of a TLS connection, which trusts any certificate and has not sent
    /// anything; `None` if the protocol has no TLS. Fails when it cannot be created.
    pub fn tls_client(self) -> Result<Option<ClientConnection>, String> {
        match self.transport() {
            Transport::Plain => Ok(None),
            Transport::Tls(name) => tls::client(name).map(Some),
        }
    }

    /// Creates the client's side of an HTTP/2 connection on which nothing has been sent; `None` for
    /// HTTP/1.1.
    pub fn http2_client(self) -> Option<Http2Client> {
        matches!(self, Self::H2 | Self::H2c).then(|| Http2Client::new(self.transport()))
    }

    pub(crate) fn transport(self) -> Transport {
        match self {
            Self::Http1 | Self::H2c => Transport::Plain,
            Self::Https => Transport::Tls("http/1.1"),
            Self::H2 => Transport::Tls("h2"),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Http1 => "http/1.1",
            Self::Https => "https",
            Self::H2 => "h2",
            Self::H2c => "h2c",
        }
    }
}

/// The cases of all protocols, each name once.
pub fn all_cases() -> Vec<Case> {
    [Protocol::Http1, Protocol::Https, Protocol::H2].into_iter().flat_map(Protocol::cases).collect()
}

impl fmt::Display for Protocol {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl FromStr for Protocol {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|protocol| protocol.name() == name);
        let names = Self::ALL.map(Self::name).join(", ");
        found.ok_or_else(|| format!("there is no protocol `{name}`; there are {names}"))
    }
}
