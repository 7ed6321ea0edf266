//! The rules of RFC 9110 and RFC 9112 on a request's head: written once, for every server.

use std::net::Ipv6Addr;

use super::{limits, target};

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`, which asks for the greeting.
    Get,
    /// `HEAD`, which asks for the head of the greeting.
    Head,
    /// A method that the endpoint does not support: 405.
    Other,
}

/// The version of a request. Requests of other versions are rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
    /// HTTP/1.2 and above, which is served as HTTP/1.1 (RFC 9110, section 2.5).
    Later,
}

/// Where a request's body ends (RFC 9112, section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is no body.
    None,
    /// The body ends after this number of bytes.
    Length(u64),
    /// The body ends with an empty chunk.
    Chunked,
}

/// The head of a request that keeps the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// Its method.
    pub method: Method,
    /// The path as the client sent it.
    pub path: &'a [u8],
    /// Its version.
    pub version: Version,
    /// Where its body ends.
    pub framing: Framing,
    /// Whether the connection stays open after the answer.
    pub keep_alive: bool,
    /// Whether the client waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
    /// Whether the client would prefer another protocol, which this server does not speak.
    pub wants_upgrade: bool,
}

/// Why a request is rejected. The connection is then closed: the next request's start is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// 400: ambiguous or malformed.
    Malformed,
    /// 408: the rest of the request took too long.
    TooSlow,
    /// 413: the body is over the limit.
    BodyTooLarge,
    /// 414: the target is over the limit.
    TargetTooLong,
    /// 417: an expectation other than `100-continue`.
    Expectation,
    /// 431: the head is over the limit.
    HeadTooLarge,
    /// 505: the major version is not 1.
    Version,
}

impl Rejection {
    /// Returns the status code and the reason phrase.
    pub const fn status(self) -> (u16, &'static str) {
        match self {
            Self::Malformed => (400, "Bad Request"),
            Self::TooSlow => (408, "Request Timeout"),
            Self::BodyTooLarge => (413, "Content Too Large"),
            Self::TargetTooLong => (414, "URI Too Long"),
            Self::Expectation => (417, "Expectation Failed"),
            Self::HeadTooLarge => (431, "Request Header Fields Too Large"),
            Self::Version => (505, "HTTP Version Not Supported"),
        }
    }
}

/// Validates a head whose lines are well-formed: its method, its target and its fields as name and
/// value, without the white space around the value. Fails with the first rule that is broken.
pub fn validate<'a, 'f>(
    method: &[u8],
    target: &'a [u8],
    version: Version,
    fields: impl IntoIterator<Item = (&'f [u8], &'f [u8])>,
) -> Result<Request<'a>, Rejection> {
    if target.len() > limits::TARGET_BYTES {
        return Err(Rejection::TargetTooLong);
    }
    check_target(method, target)?;
    let mut seen = Fields::default();
    for (name, value) in fields {
        seen.add(name, value)?;
    }
    seen.check_host(version)?;
    Ok(Request {
        method: match method {
            b"GET" => Method::Get,
            b"HEAD" => Method::Head,
            _ => Method::Other,
        },
        path: target::path(target),
        version,
        framing: seen.framing(version)?,
        // The bytes after a CONNECT are not HTTP.
        keep_alive: seen.keep_alive(version) && method != b"CONNECT",
        // RFC 9110, section 10.1.1: the expectation of an HTTP/1.0 client is ignored.
        expects_continue: seen.expects_continue && version == Version::Http11,
        wants_upgrade: seen.upgrade,
    })
}

/// The fields that decide how a request is read.
#[derive(Default)]
struct Fields {
    count: usize,
    hosts: usize,
    length: Option<u64>,
    chunked: bool,
    close: bool,
    keep_alive: bool,
    upgrade: bool,
    expects_continue: bool,
}

impl Fields {
    /// Adds a field. Most fields decide nothing; the length of the name excludes most of them.
    fn add(&mut self, name: &[u8], value: &[u8]) -> Result<(), Rejection> {
        self.count += 1;
        if self.count > limits::HEAD_FIELDS {
            return Err(Rejection::HeadTooLarge);
        }
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => self.host(value),
            6 if name.eq_ignore_ascii_case(b"expect") => self.expect(value),
            7 if name.eq_ignore_ascii_case(b"upgrade") => {
                self.upgrade = true;
                Ok(())
            }
            10 if name.eq_ignore_ascii_case(b"connection") => {
                self.connection(value);
                Ok(())
            }
            14 if name.eq_ignore_ascii_case(b"content-length") => self.content_length(value),
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => self.transfer_encoding(value),
            _ => Ok(()),
        }
    }

    /// RFC 9112, section 3.2: a `Host` that is repeated or malformed is a 400.
    fn host(&mut self, value: &[u8]) -> Result<(), Rejection> {
        self.hosts += 1;
        if self.hosts > 1 || !is_host(value) { Err(Rejection::Malformed) } else { Ok(()) }
    }

    /// RFC 9110, section 10.1.1: a list, in which an expectation may be repeated; an unknown one is
    /// a 417. By section 5.6.1.2, empty elements are ignored, even if there are no others.
    fn expect(&mut self, value: &[u8]) -> Result<(), Rejection> {
        for expectation in value.split(|byte| *byte == b',').map(trim).filter(|one| !one.is_empty()) {
            if !expectation.eq_ignore_ascii_case(b"100-continue") {
                return Err(Rejection::Expectation);
            }
            self.expects_continue = true;
        }
        Ok(())
    }

    /// RFC 9112, section 9.3: a list of tokens.
    fn connection(&mut self, value: &[u8]) {
        for option in value.split(|byte| *byte == b',').map(trim) {
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
            self.upgrade |= option.eq_ignore_ascii_case(b"upgrade");
        }
    }

    /// RFC 9110, section 8.6: digits only. Repeated fields are rejected, even equal ones.
    fn content_length(&mut self, value: &[u8]) -> Result<(), Rejection> {
        let digit = |number: u64, byte: &u8| {
            let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
            number.checked_mul(10)?.checked_add(digit)
        };
        let length = value.iter().try_fold(0, digit).filter(|_| !value.is_empty());
        if self.length.is_some() || length.is_none() {
            return Err(Rejection::Malformed);
        }
        self.length = length;
        Ok(())
    }

    /// RFC 9112, section 6.1: `chunked` has to be the last coding. Here it is the only one.
    fn transfer_encoding(&mut self, value: &[u8]) -> Result<(), Rejection> {
        if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
            return Err(Rejection::Malformed);
        }
        self.chunked = true;
        Ok(())
    }

    /// RFC 9112, section 3.2: HTTP/1.1 without a `Host` is a 400.
    fn check_host(&self, version: Version) -> Result<(), Rejection> {
        if self.hosts == 0 && version == Version::Http11 { Err(Rejection::Malformed) } else { Ok(()) }
    }

    /// RFC 9112, sections 6.1 and 6.3: a request with a length and a chunked body is malformed, and
    /// so is an HTTP/1.0 request with a chunked body.
    fn framing(&self, version: Version) -> Result<Framing, Rejection> {
        match (self.length, self.chunked) {
            (Some(_), true) => Err(Rejection::Malformed),
            (None, true) if version == Version::Http10 => Err(Rejection::Malformed),
            (None, true) => Ok(Framing::Chunked),
            (Some(length), false) if length > limits::BODY_BYTES => Err(Rejection::BodyTooLarge),
            (None | Some(0), false) => Ok(Framing::None),
            (Some(length), false) => Ok(Framing::Length(length)),
        }
    }

    /// Whether the connection stays open (RFC 9112, section 9.3).
    fn keep_alive(&self, version: Version) -> bool {
        !self.close && (version == Version::Http11 || self.keep_alive)
    }
}

/// RFC 9112, section 3.2: the form of the target has to fit the method.
fn check_target(method: &[u8], target: &[u8]) -> Result<(), Rejection> {
    let fits = (target.iter().all(|byte| may_be_in(TARGET, *byte)) || is_with_backticks_in_query(target))
        && match target {
            _ if method == b"CONNECT" => is_authority_with_port(target),
            [b'/', ..] => true,
            b"*" => method == b"OPTIONS",
            _ => is_absolute(target),
        };
    if fits { Ok(()) } else { Err(Rejection::Malformed) }
}

/// RFC 3986 excludes a backtick, and by RFC 9112, section 3, a request line with one may be a 400.
/// But browsers send it unescaped in a query, and only there (URL Standard, percent-encode sets).
#[cold]
fn is_with_backticks_in_query(target: &[u8]) -> bool {
    let query = target.iter().position(|byte| *byte == b'?').unwrap_or(target.len());
    let is_right = |(at, byte): (usize, &u8)| may_be_in(TARGET, *byte) || *byte == b'`' && at > query;
    target.iter().enumerate().all(is_right)
}

/// Whether a target has the absolute form (RFC 9112, section 3.2.2), with one of these two schemes.
fn is_absolute(target: &[u8]) -> bool {
    let rest = ["http://", "https://"].iter().find_map(|scheme| {
        let (start, rest) = target.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme.as_bytes()).then_some(rest)
    });
    let Some(rest) = rest else { return false };
    let authority = rest.split(|byte| matches!(byte, b'/' | b'?' | b'#')).next().unwrap_or_default();
    !authority.is_empty() && is_host(authority)
}

/// Whether a target has the authority form (RFC 9112, section 3.2.3), with a port.
fn is_authority_with_port(target: &[u8]) -> bool {
    let colon = target.iter().rposition(|byte| *byte == b':');
    let Some((host, port)) = colon.and_then(|colon| target.split_at_checked(colon)) else { return false };
    !host.is_empty() && port.len() > 1 && is_host(target)
}

/// Whether `value` is `uri-host [ ":" port ]` of RFC 9110, section 7.2, where the host is a
/// `reg-name` of RFC 3986, which includes IPv4 addresses, or an address in brackets. An empty host
/// is valid: it is the value of `Host` when a target has no authority.
fn is_host(value: &[u8]) -> bool {
    let mut rest = value;
    if let [b'[', literal @ ..] = value {
        let Some(end) = literal.iter().position(|byte| *byte == b']') else { return false };
        let (literal, port) = literal.split_at(end);
        rest = port.get(1..).unwrap_or_default();
        if !is_ip_literal(literal) || !matches!(rest, [] | [b':', ..]) {
            return false;
        }
    }
    loop {
        let end = rest.iter().position(|byte| !may_be_in(NAME, *byte)).unwrap_or(rest.len());
        match rest.get(end..).unwrap_or_default() {
            [] => return true,
            [b':', port @ ..] => return port.iter().all(u8::is_ascii_digit),
            [b'%', high, low, tail @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                rest = tail;
            }
            _ => return false,
        }
    }
}

/// `IPv6address / IPvFuture` of RFC 3986, section 3.2.2.
fn is_ip_literal(literal: &[u8]) -> bool {
    if let [b'v' | b'V', rest @ ..] = literal {
        let mut parts = rest.splitn(2, |byte| *byte == b'.');
        let (version, address) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        return !version.is_empty()
            && version.iter().all(u8::is_ascii_hexdigit)
            && !address.is_empty()
            && address.iter().all(|byte| *byte == b':' || may_be_in(NAME, *byte));
    }
    std::str::from_utf8(literal).is_ok_and(|literal| literal.parse::<Ipv6Addr>().is_ok())
}

/// Bytes of a target: visible ASCII, without the quotes and angle brackets that delimit a URI in a
/// text. RFC 3986 excludes more, some of which clients send unescaped.
const TARGET: u8 = 1;

/// Bytes of a host name: `unreserved / sub-delims` of RFC 3986.
const NAME: u8 = 2;

/// Whether a byte may be in a target, or in a name. A table, since every byte of both is checked.
fn may_be_in(part: u8, byte: u8) -> bool {
    #[allow(clippy::indexing_slicing, reason = "it is done at compile time")]
    static PARTS: [u8; 256] = {
        let mut parts = [0; 256];
        let mut byte = 0_u8;
        while byte < 128 {
            if byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'`') {
                parts[byte as usize] |= TARGET;
            }
            if byte.is_ascii_alphanumeric()
                || matches!(byte, b'-' | b'.' | b'_' | b'~')
                || matches!(byte, b'!' | b'$' | b'&'..=b',' | b';' | b'=')
            {
                parts[byte as usize] |= NAME;
            }
            byte += 1;
        }
        parts
    };
    PARTS.get(usize::from(byte)).is_some_and(|parts| parts & part != 0)
}

/// Removes optional white space (RFC 9110, section 5.6.3) at both ends.
fn trim(value: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = value.iter().position(|byte| !is_space(byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| !is_space(byte)).map_or(start, |last| last + 1);
    value.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::Rejection::Malformed;
    use super::*;

    /// Name and value.
    type Field = (&'static str, &'static str);

    const LENGTH: Field = ("Content-Length", "1");
    const CHUNKED: Field = ("Transfer-Encoding", "Chunked");
    const EXPECT: Field = ("Expect", "100-Continue");
    const TWICE: Field = ("Expect", ",100-continue , 100-continue");

    fn validated<'a>(request_line: &'a str, fields: &[Field]) -> Result<Request<'a>, Rejection> {
        let [method, target, version] = request_line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let version = if version == "HTTP/1.0" { Version::Http10 } else { Version::Http11 };
        let fields = fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        validate(method.as_bytes(), target.as_bytes(), version, fields)
    }

    #[test]
    fn a_request_that_keeps_the_rules_is_accepted() {
        let plain = Request {
            method: Method::Get,
            path: b"/a",
            version: Version::Http11,
            framing: Framing::None,
            keep_alive: true,
            expects_continue: false,
            wants_upgrade: false,
        };
        let (head, other) =
            (Request { method: Method::Head, ..plain }, Request { method: Method::Other, ..plain });
        let (close, old) =
            (Request { keep_alive: false, ..plain }, Request { version: Version::Http10, ..plain });
        let host = ("Host", "h");
        let cases: [(&str, &[Field], Request); 19] = [
            ("GET /a HTTP/1.1", &[host], plain),
            ("GET /a?b HTTP/1.1", &[("host", "")], plain),
            ("GET http://h/a HTTP/1.1", &[("HOST", "a.b:80")], plain),
            ("GET /a HTTP/1.1", &[("Host", "a%2d.b:")], plain),
            ("GET /a HTTP/1.1", &[("Host", "[v1.a:b]")], plain),
            ("HEAD /a HTTP/1.1", &[("Host", "[::1]:80")], head),
            ("get /a HTTP/1.1", &[host], other),
            ("OPTIONS * HTTP/1.1", &[host], Request { path: b"*", ..other }),
            ("GET /a HTTP/1.1", &[host, ("Connection", "x , Close")], close),
            ("GET /a HTTP/1.0", &[], Request { keep_alive: false, ..old }),
            ("GET /a HTTP/1.0", &[("Connection", "Keep-Alive")], old),
            ("GET /a HTTP/1.1", &[host, LENGTH], Request { framing: Framing::Length(1), ..plain }),
            ("GET /a HTTP/1.1", &[host, CHUNKED], Request { framing: Framing::Chunked, ..plain }),
            ("GET /a HTTP/1.1", &[host, EXPECT], Request { expects_continue: true, ..plain }),
            ("GET /a HTTP/1.1", &[host, EXPECT, EXPECT], Request { expects_continue: true, ..plain }),
            ("GET /a HTTP/1.1", &[host, TWICE], Request { expects_continue: true, ..plain }),
            ("GET /a HTTP/1.1", &[host, ("Expect", "")], plain),
            ("GET /a HTTP/1.1", &[host, ("Expect", " ,\t,")], plain),
            ("GET /a?b=`c` HTTP/1.1", &[host], plain),
        ];
        for (line, fields, expected) in cases {
            assert_eq!(validated(line, fields), Ok(expected), "{line} {fields:?}");
        }
    }

    #[test]
    fn a_malformed_host_target_or_length_is_rejected() {
        for host in ["a b", "a/b", "a@b", "a:b", "[::1", "[]", "[::g]", "[::1]80", "a%2"] {
            assert_eq!(validated("GET /a HTTP/1.1", &[("Host", host)]), Err(Malformed), "{host}");
        }
        let targets = [
            "a",
            "*",
            "ftp://h/a",
            "http:///a",
            "/\u{e9}",
            "/\"a\"",
            "/a?<b>",
            "http://h/a`b",
            "/a`?`",
            "/a`?b",
        ];
        for target in targets {
            let line = format!("GET {target} HTTP/1.1");
            assert_eq!(validated(&line, &[("Host", "h")]), Err(Malformed), "{target}");
        }
        for length in ["", "-1", "1, 1", "18446744073709551616"] {
            let fields = [("Host", "h"), ("Content-Length", length)];
            assert_eq!(validated("POST /a HTTP/1.1", &fields), Err(Malformed), "{length}");
        }
    }

    #[test]
    fn a_request_that_breaks_a_rule_is_rejected() {
        let host = ("Host", "h");
        let cases: [(&str, &[Field], Rejection); 12] = [
            ("GET /a HTTP/1.1", &[], Malformed),
            ("GET /a HTTP/1.1", &[host, host], Malformed),
            ("GET /a HTTP/1.0", &[host, host], Malformed),
            ("CONNECT /a HTTP/1.1", &[host], Malformed),
            ("POST /a HTTP/1.1", &[host, LENGTH, LENGTH], Malformed),
            ("POST /a HTTP/1.1", &[host, ("Content-Length", "1048577")], Rejection::BodyTooLarge),
            ("POST /a HTTP/1.1", &[host, ("Transfer-Encoding", "gzip, chunked")], Malformed),
            ("POST /a HTTP/1.0", &[CHUNKED], Malformed),
            ("POST /a HTTP/1.1", &[host, ("Content-Length", "0"), CHUNKED], Malformed),
            ("POST /a HTTP/1.1", &[host, CHUNKED, CHUNKED], Malformed),
            ("GET /a HTTP/1.1", &[host, ("Expect", "a-pony")], Rejection::Expectation),
            ("GET /a HTTP/1.1", &[host, ("Expect", "100-continue, a-pony")], Rejection::Expectation),
        ];
        for (line, fields, expected) in cases {
            assert_eq!(validated(line, fields), Err(expected), "{line} {fields:?}");
        }
    }

    #[test]
    fn limits_are_exact() {
        let target = |bytes: usize| format!("GET /{} HTTP/1.1", "p".repeat(bytes - 1));
        let (longest, too_long) = (target(limits::TARGET_BYTES), target(limits::TARGET_BYTES + 1));
        assert!(validated(&longest, &[("Host", "h")]).is_ok());
        assert_eq!(validated(&too_long, &[("Host", "h")]), Err(Rejection::TargetTooLong));
        let fields = |count: usize| [vec![("Host", "h")], vec![("X", "y"); count - 1]].concat();
        let (most, too_many) = (fields(limits::HEAD_FIELDS), fields(limits::HEAD_FIELDS + 1));
        assert!(validated("GET /a HTTP/1.1", &most).is_ok());
        assert_eq!(validated("GET /a HTTP/1.1", &too_many), Err(Rejection::HeadTooLarge));
    }
}
