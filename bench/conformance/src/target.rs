//! The target of the cases: the endpoint's greeting, or one path of any other server.

use crate::expected::greeting;

/// The path of the request that shows whether a connection is still open.
const PROBE: &str = "/probe";

/// The kind of server that the cases are sent to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// A server that greets with the path of each request.
    #[default]
    Greeting,
    /// Any other server, which is asked for one path whose answer is always the same.
    Fixed {
        /// The path, such as `/`.
        path: String,
        /// The body of its answer.
        body: String,
    },
}

impl Target {
    /// The request after those of a case: its answer shows that the connection is still served.
    pub(crate) fn probe(&self) -> String {
        let path = match self {
            Self::Greeting => PROBE,
            Self::Fixed { path, .. } => path,
        };
        format!("GET {path} HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n")
    }

    /// Whether this is the body of the probe's answer; `None` if all answers have the same body.
    pub(crate) fn is_probe(&self, body: &[u8]) -> Option<bool> {
        (*self == Self::Greeting).then(|| body == greeting(PROBE).as_bytes())
    }
}
