//! The value of `--mix`: a kind of request besides the plain one, such as
//! `name=wrong-method,share=0.1,method=DELETE,status=405`.

use std::fmt;
use std::str::FromStr;

/// The number of parts into which all requests are divided: shares have up to four decimals.
pub(super) const PARTS: u16 = 10_000;

/// The maximum size of a head, in bytes: more than any server is known to read.
const MOST_HEAD_BYTES: usize = 1024 * 1024;

/// The longest name, which has to fit into a line of the summary.
const MOST_NAME_BYTES: usize = 40;

/// The name of the requests that are of no other kind.
pub(super) const PLAIN: &str = "plain";

const KEYS: &str = "name, share, method, path, malformed, head, status";

/// A kind of request besides the plain one, and the answer that is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKind {
    pub(super) name: String,
    /// The share of this kind, in units of 1 / [`PARTS`] of all requests.
    pub(super) parts: u16,
    pub(super) method: Method,
    /// The path; `None` for the path of the URL.
    pub(super) path: Option<String>,
    pub(super) malformed: Option<Malformed>,
    /// The size in bytes to which fields fill up the head; `None` leaves it as it is.
    pub(super) head: Option<usize>,
    /// The expected status.
    pub(super) status: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Delete,
    /// A POST without a body, with `Content-Length: 0`.
    Post,
}

/// The fault of a malformed head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    /// The head has no `Host` field (RFC 9112, section 3.2).
    NoHost,
    /// The name of a field has a space in it (RFC 9110, section 5.1).
    SpaceInName,
}

impl RequestKind {
    /// The share of this kind in all requests, from 0 to 1.
    pub(super) fn share(&self) -> f64 {
        f64::from(self.parts) / f64::from(PARTS)
    }
}

impl FromStr for RequestKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (mut name, mut parts, mut path, mut malformed, mut head) = (None, None, None, None, None);
        let (mut method, mut status) = (None, None);
        for pair in text.split(',') {
            let pair = pair.trim();
            let (key, value) = pair
                .split_once('=')
                .ok_or_else(|| format!("\"{}\" is not KEY=VALUE ({KEYS})", pair.escape_debug()))?;
            match key {
                "name" => set(key, &mut name, read_name(value)?)?,
                "share" => set(key, &mut parts, read_share(value)?)?,
                "method" => set(key, &mut method, value.parse()?)?,
                "path" => set(key, &mut path, value.to_owned())?,
                "malformed" => set(key, &mut malformed, value.parse()?)?,
                "head" => set(key, &mut head, read_head(value)?)?,
                "status" => set(key, &mut status, read_status(value)?)?,
                _ => return Err(format!("the key \"{}\" is unknown ({KEYS})", key.escape_debug())),
            }
        }
        Ok(Self {
            name: name.ok_or("it has no name=NAME")?,
            parts: parts.ok_or("it has no share=SHARE")?,
            method: method.unwrap_or(Method::Get),
            path,
            malformed,
            head,
            status: status.ok_or("it has no status=STATUS, which is expected")?,
        })
    }
}

impl fmt::Display for RequestKind {
    /// Writes the kind as it is read, with the keys in a fixed order.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "name={},share={},method={}", self.name, self.share(), self.method)?;
        if let Some(path) = &self.path {
            write!(out, ",path={path}")?;
        }
        if let Some(malformed) = self.malformed {
            write!(out, ",malformed={malformed}")?;
        }
        if let Some(head) = self.head {
            write!(out, ",head={head}")?;
        }
        write!(out, ",status={}", self.status)
    }
}

impl FromStr for Method {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "GET" => Ok(Self::Get),
            "DELETE" => Ok(Self::Delete),
            "POST" => Ok(Self::Post),
            _ => Err("method has to be GET, DELETE or POST".into()),
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Get => "GET",
            Self::Delete => "DELETE",
            Self::Post => "POST",
        })
    }
}

impl FromStr for Malformed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "no-host" => Ok(Self::NoHost),
            "space-in-name" => Ok(Self::SpaceInName),
            _ => Err("malformed has to be no-host or space-in-name".into()),
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::NoHost => "no-host",
            Self::SpaceInName => "space-in-name",
        })
    }
}

/// Sets the value of a key. Fails when the key has a value already.
fn set<T>(key: &str, to: &mut Option<T>, value: T) -> Result<(), String> {
    match to.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("it has {key}= twice")),
    }
}

fn read_name(text: &str) -> Result<String, String> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    match text {
        PLAIN => Err(format!("name={PLAIN} is that of the requests of no other kind")),
        _ if (1..=MOST_NAME_BYTES).contains(&text.len()) && text.bytes().all(is_name) => Ok(text.to_owned()),
        _ => Err(format!("name has to be up to {MOST_NAME_BYTES} letters, digits and hyphens")),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is from 0 to PARTS")]
fn read_share(text: &str) -> Result<u16, String> {
    let parts = text.parse::<f64>().map_or(f64::NAN, |share| share * f64::from(PARTS));
    let is_whole = (parts - parts.round()).abs() < 1e-6;
    if is_whole && (1.0..=f64::from(PARTS)).contains(&parts.round()) {
        return Ok(parts.round() as u16);
    }
    Err("share has to be more than 0 and at most 1, with up to four decimals".into())
}

fn read_head(text: &str) -> Result<usize, String> {
    let bytes = text.parse().ok().filter(|bytes| *bytes <= MOST_HEAD_BYTES);
    bytes.ok_or_else(|| format!("head has to be a number of bytes up to {MOST_HEAD_BYTES}"))
}

fn read_status(text: &str) -> Result<u16, String> {
    let status = text.parse().ok().filter(|status| (200..=599).contains(status));
    status.ok_or_else(|| "status has to be from 200 to 599".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_read_as_it_is_written() {
        let cases = [
            "name=wrong-method,share=0.1,method=DELETE,path=/abc,status=405",
            "name=no-host,share=0.0001,method=GET,malformed=no-host,status=400",
            "name=space,share=1,method=GET,malformed=space-in-name,status=400",
            "name=long,share=0.25,method=POST,path=/a=b?c=d,head=100000,status=431",
        ];
        for text in cases {
            let kind: RequestKind = text.parse().unwrap();
            assert_eq!(kind.to_string(), text);
        }
        let kind: RequestKind = "status=404, share=.5, path=/b, name=b".parse().unwrap();
        assert_eq!(kind.to_string(), "name=b,share=0.5,method=GET,path=/b,status=404");
        assert_eq!((kind.parts, kind.share()), (5000, 0.5));
    }

    #[test]
    fn what_is_wrong_with_a_kind_is_said() {
        let cases = [
            ("", "\"\" is not KEY=VALUE (name, share,"),
            ("5000", "\"5000\" is not KEY=VALUE"),
            ("name=a,share=0.1", "it has no status=STATUS"),
            ("share=0.1,status=405", "it has no name=NAME"),
            ("name=a,status=405", "it has no share=SHARE"),
            ("name=a,name=b", "it has name= twice"),
            ("name=plain", "name=plain is that of"),
            ("name=a b", "name has to be"),
            ("name=", "name has to be"),
            ("share=0", "share has to be"),
            ("share=1.1", "share has to be"),
            ("share=0.00001", "share has to be"),
            ("share=0.12345", "share has to be"),
            ("share=nan", "share has to be"),
            ("share=-0.1", "share has to be"),
            ("method=delete", "method has to be GET, DELETE or POST"),
            ("malformed=yes", "malformed has to be no-host or space-in-name"),
            ("head=-1", "head has to be a number of bytes up to 1048576"),
            ("head=1048577", "head has to be"),
            ("status=100", "status has to be from 200 to 599"),
            ("status=ok", "status has to be"),
            ("path=/a,b", "\"b\" is not KEY=VALUE"),
            ("weight=1", "the key \"weight\" is unknown"),
        ];
        for (text, expected) in cases {
            let reason = text.parse::<RequestKind>().unwrap_err();
            assert!(reason.contains(expected), "{text}: {reason}");
        }
    }
}
