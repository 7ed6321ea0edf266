//! How a connection is used.

use std::fmt;
use std::str::FromStr;

/// How a connection is used. In flags, in TOML and in records: `keep-alive`, `close` or `pipelined-N`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One request after another.
    KeepAlive,
    /// One connection per request.
    Close,
    /// This number of requests in one write, then their answers, then the next write.
    Pipelined(u16),
}

impl Mode {
    pub(super) fn depth(self) -> usize {
        match self {
            Self::KeepAlive | Self::Close => 1,
            Self::Pipelined(depth) => usize::from(depth),
        }
    }
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.strip_prefix("pipelined-").map(str::parse)) {
            ("keep-alive", _) => Ok(Self::KeepAlive),
            ("close", _) => Ok(Self::Close),
            (_, Some(Ok(depth @ 1..=1024))) => Ok(Self::Pipelined(depth)),
            (_, Some(_)) => Err("pipelined-N has to be from pipelined-1 to pipelined-1024".into()),
            _ => Err("it has to be keep-alive, close or pipelined-N".into()),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeepAlive => write!(out, "keep-alive"),
            Self::Close => write!(out, "close"),
            Self::Pipelined(depth) => write!(out, "pipelined-{depth}"),
        }
    }
}
