//! How a connection is used.

use std::fmt;
use std::str::FromStr;

/// How a connection is used. In flags, in TOML and in records: `keep-alive`, `close`,
/// `close-after-N` or `pipelined-N`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One request after another.
    KeepAlive,
    /// One connection per request.
    Close,
    /// This number of requests per connection, at least 2, one after another.
    CloseAfter(u16),
    /// This number of requests in one write, then their answers, then the next write.
    Pipelined(u16),
}

impl Mode {
    /// The number of requests after which a connection is closed, and another one is opened; `None`
    /// where it is kept.
    pub fn requests_per_connection(self) -> Option<u16> {
        match self {
            Self::Close => Some(1),
            Self::CloseAfter(requests) => Some(requests),
            Self::KeepAlive | Self::Pipelined(_) => None,
        }
    }

    /// The maximum number of requests on a connection that have no answer yet.
    pub fn depth(self) -> usize {
        match self {
            Self::KeepAlive | Self::Close | Self::CloseAfter(_) => 1,
            Self::Pipelined(depth) => usize::from(depth),
        }
    }
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |prefix| text.strip_prefix(prefix).map(str::parse);
        match (text, number("close-after-"), number("pipelined-")) {
            ("keep-alive", ..) => Ok(Self::KeepAlive),
            ("close", ..) => Ok(Self::Close),
            (_, Some(Ok(requests @ 2..)), _) => Ok(Self::CloseAfter(requests)),
            (_, Some(_), _) => {
                Err("close-after-N has to be from close-after-2 to close-after-65535; one request per \
                     connection is close"
                    .into())
            }
            (_, _, Some(Ok(depth @ 1..=1024))) => Ok(Self::Pipelined(depth)),
            (_, _, Some(_)) => Err("pipelined-N has to be from pipelined-1 to pipelined-1024".into()),
            _ => Err("it has to be keep-alive, close, close-after-N or pipelined-N".into()),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeepAlive => write!(out, "keep-alive"),
            Self::Close => write!(out, "close"),
            Self::CloseAfter(requests) => write!(out, "close-after-{requests}"),
            Self::Pipelined(depth) => write!(out, "pipelined-{depth}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_read_as_it_is_written() {
        let cases = [
            ("keep-alive", None, 1),
            ("close", Some(1), 1),
            ("close-after-2", Some(2), 1),
            ("close-after-65535", Some(65_535), 1),
            ("pipelined-1", None, 1),
            ("pipelined-1024", None, 1024),
        ];
        for (text, requests, depth) in cases {
            let mode: Mode = text.parse().unwrap();
            assert_eq!(mode.to_string(), text);
            assert_eq!((mode.requests_per_connection(), mode.depth()), (requests, depth), "{text}");
        }
        let wrong = [
            ("", "it has to be"),
            ("closed", "it has to be"),
            ("close-after-", "from close-after-2"),
            ("close-after-1", "one request per connection is close"),
            ("close-after-65536", "to close-after-65535"),
            ("pipelined-1025", "to pipelined-1024"),
        ];
        for (text, expected) in wrong {
            let reason = text.parse::<Mode>().unwrap_err();
            assert!(reason.contains(expected), "{text}: {reason}");
        }
    }
}
