//! The `Host` field (RFC 9112, section 3.2, and RFC 9110, section 7.2).

use super::shorthand::{BAD, Case, End, Expected, greeting};
use crate::rules::{ABSOLUTE, HOST, HOST_SYNTAX as SYNTAX, NO_AUTHORITY, Rule};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = requests();
    let fine: [(_, &[u8]); 11] = [
        ("host/name", b"Host: example.org"),
        ("host/name-in-other-letters", b"hOST: EXAMPLE.org"),
        ("host/with-port", b"Host: h:8080"),
        ("host/with-empty-port", b"Host: h:"),
        ("host/ipv4", b"Host: 127.0.0.1:80"),
        ("host/ipv6", b"Host: [::1]"),
        ("host/ipv6-with-port", b"Host: [::1]:8080"),
        ("host/with-underscore", b"Host: a_b"),
        ("host/between-white-space", b"Host:  \t h \t "),
        ("host/without-white-space", b"Host:h"),
        ("host/after-other-fields", b"X: y\r\nHost: h"),
    ];
    let malformed: [(_, &[u8]); 6] = [
        ("host/malformed", b"Host: a b"),
        ("host/with-path", b"Host: a/b"),
        ("host/list", b"Host: a, b"),
        ("host/url", b"Host: http://h"),
        ("host/with-query", b"Host: a?b"),
        ("host/with-user", b"Host: u@h"),
    ];
    let finer: [(_, &[u8]); 11] = [
        ("host/with-fragment", b"Host: a#b"),
        ("host/with-backslash", b"Host: a\\b"),
        ("host/in-quotes", b"Host: \"h\""),
        ("host/in-angles", b"Host: <h>"),
        ("host/with-tab", b"Host: a\tb"),
        ("host/with-bytes-over-127", b"Host: h\xc3\xa4"),
        ("host/with-port-of-letters", b"Host: h:http"),
        ("host/with-port-with-a-sign", b"Host: h:+80"),
        ("host/with-two-ports", b"Host: h:80:80"),
        ("host/bracket-open", b"Host: [::1"),
        ("host/bytes-after-bracket", b"Host: [::1]h"),
    ];
    let with = |field: &[u8]| [b"GET /a HTTP/1.1\r\n", field, b"\r\n\r\n"].concat();
    // An empty Host is for a target without an authority, which HTTP does not have.
    let empty = Case::answered("host/empty", SYNTAX, with(b"Host:"), greeting());
    cases.push(empty.or([Expected::status(BAD)], End::Any).strict());
    // These are valid, but so unusual that a server may refuse them.
    let odd = ["host/with-empty-port", "host/with-underscore"];
    cases.extend(fine.map(|(name, field)| {
        let case = served(name, SYNTAX, with(field));
        if odd.contains(&name) { case.strict() } else { case }
    }));
    cases.extend(malformed.map(|(name, field)| refused(name, HOST, with(field))));
    cases.extend(finer.map(|(name, field)| Case::rejected(name, SYNTAX, with(field), BAD).strict()));
    cases
}

fn requests() -> Vec<Case> {
    let wrong = [
        ("host/missing", HOST, "GET /a HTTP/1.1\r\n\r\n"),
        ("host/missing-among-fields", HOST, "GET /a HTTP/1.1\r\nX: y\r\nHosts: h\r\n\r\n"),
        ("host/missing-with-absolute-form", HOST, "GET http://h/a HTTP/1.1\r\n\r\n"),
        ("host/missing-with-post", HOST, "POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"),
        ("host/twice", HOST, "GET /a HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
        ("host/two", HOST, "GET /a HTTP/1.1\r\nHost: a\r\nX: y\r\nhost: b\r\n\r\n"),
        ("host/two-and-one-is-empty", HOST, "GET /a HTTP/1.1\r\nHost: a\r\nHost:\r\n\r\n"),
        ("host/two-with-http-1.0", HOST, "GET /a HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"),
        ("host/malformed-with-http-1.0", HOST, "GET /a HTTP/1.0\r\nHost: a b\r\n\r\n"),
    ];
    // Two rules apply: an invalid Host is refused, and Host is ignored beside a whole URI.
    let either = [
        ("host/two-with-absolute-form", HOST, "GET http://a/a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        ("host/malformed-with-absolute-form", HOST, "GET http://h/a HTTP/1.1\r\nHost: a b\r\n\r\n"),
    ];
    let other = "GET http://h/a HTTP/1.1\r\nHost: other\r\n\r\n";
    let mut cases = wrong.map(|(name, rule, request)| refused(name, rule, request)).to_vec();
    cases.extend(either.map(|(name, rule, request)| refused(name, rule, request).strict()));
    cases.push(served("host/other-than-the-target", ABSOLUTE, other));
    // A server may require that every request names the authority.
    cases.push(served("host/missing-with-http-1.0", NO_AUTHORITY, "GET /a HTTP/1.0\r\n\r\n").strict());
    cases
}

/// A request that is served. A server may also answer that it does not serve this host (RFC 9110,
/// section 7.4).
fn served(name: &'static str, rule: Rule, request: impl Into<Vec<u8>>) -> Case {
    Case::answered(name, rule, request, greeting()).left_open([Expected::status(&[403, 404, 421])], End::Any)
}

/// A request that is refused. Its end is known, so the RFCs let the server keep the connection.
fn refused(name: &'static str, rule: Rule, request: impl Into<Vec<u8>>) -> Case {
    let case = Case::rejected(name, rule, request, BAD).left_open([Expected::status(BAD)], End::Open);
    if name == "host/missing-with-post" { case.refused_by_method() } else { case }
}
