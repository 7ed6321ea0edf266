//! The request target (RFC 9112, section 3).

use super::shorthand::{BAD, Case, End, Expected, NO_METHOD, NO_TUNNEL, greeting};
use crate::rules::{
    ABSOLUTE, ASTERISK, AUTHORITY, CONNECT, CONNECT_PORT, EMPTY_HOST, REQUEST_LINE, TARGET, USER, WORDS,
};

pub(super) fn cases() -> Vec<Case> {
    [malformed(), absolute(), others()].concat()
}

fn malformed() -> Vec<Case> {
    let wrong: [(_, _, &[u8]); 13] = [
        ("target/missing", REQUEST_LINE, b"GET HTTP/1.1"),
        ("target/empty", REQUEST_LINE, b"GET  HTTP/1.1"),
        ("target/with-a-space", REQUEST_LINE, b"GET /a b HTTP/1.1"),
        ("target/with-a-tab", REQUEST_LINE, b"GET /a\tb HTTP/1.1"),
        ("target/with-a-control-character", TARGET, b"GET /a\x01b HTTP/1.1"),
        ("target/with-a-delete", TARGET, b"GET /a\x7fb HTTP/1.1"),
        ("target/without-a-slash", TARGET, b"GET a HTTP/1.1"),
        ("target/of-a-query", TARGET, b"GET ?a HTTP/1.1"),
        ("target/of-dots", TARGET, b"GET ../a HTTP/1.1"),
        ("target/asterisk-with-get", ASTERISK, b"GET * HTTP/1.1"),
        ("target/asterisk-and-more", ASTERISK, b"OPTIONS *a HTTP/1.1"),
        ("target/authority-with-get", AUTHORITY, b"GET h:80 HTTP/1.1"),
        ("target/only-a-method", REQUEST_LINE, b"GET"),
    ];
    // A lenient parser can still split these lines into their three words.
    let finer: [(_, _, &[u8]); 6] = [
        ("target/after-two-spaces", WORDS, b"GET  /a HTTP/1.1"),
        ("target/before-two-spaces", WORDS, b"GET /a  HTTP/1.1"),
        ("target/between-tabs", WORDS, b"GET\t/a\tHTTP/1.1"),
        ("target/after-a-space-at-the-start", WORDS, b" GET /a HTTP/1.1"),
        ("target/with-bytes-over-127", TARGET, b"GET /\xc3\xa4 HTTP/1.1"),
        ("target/with-bytes-that-are-no-text", TARGET, b"GET /\xff\xfe HTTP/1.1"),
    ];
    let with = |line: &[u8]| [line, b"\r\nHost: h\r\n\r\n"].concat();
    // A line without a version may be read as one with an unsupported version.
    let mut cases =
        wrong.map(|(name, rule, line)| Case::rejected(name, rule, with(line), &[400, 505]).strict()).to_vec();
    cases.extend(finer.map(|(name, rule, line)| Case::rejected(name, rule, with(line), BAD).strict()));
    cases
}

fn absolute() -> Vec<Case> {
    let answered = [
        ("target/absolute-with-a-port", "http://h:8080/a"),
        ("target/absolute-with-an-empty-port", "http://h:/a"),
        ("target/absolute-with-ipv6", "http://[::1]/a"),
        ("target/absolute-with-a-scheme-in-other-letters", "HTTP://h/a"),
        ("target/absolute-with-a-query-with-a-slash", "http://h/a?b=/c"),
    ];
    let refused =
        [("target/absolute-without-a-host", "http:///a"), ("target/absolute-without-anything", "http://")];
    let finer = [
        ("target/absolute-without-a-scheme", TARGET, "://h/a"),
        ("target/absolute-with-a-space", REQUEST_LINE, "http://h /a"),
        ("target/absolute-with-a-user", USER, "http://u@h/a"),
        ("target/absolute-with-a-port-of-letters", TARGET, "http://h:http/a"),
        ("target/absolute-with-one-slash", TARGET, "http:/h/a"),
    ];
    let with = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n");
    let mut cases = answered
        .map(|(name, target)| Case::answered(name, ABSOLUTE, with(target), greeting()))
        .map(misdirected)
        .to_vec();
    cases.extend(refused.map(|(name, target)| {
        // Another rule lets a server use its own host (RFC 9112, section 3.3).
        Case::rejected(name, EMPTY_HOST, with(target), BAD).strict()
    }));
    cases.extend(finer.map(|(name, rule, target)| Case::rejected(name, rule, with(target), BAD).strict()));
    let query = with("http://h?a=/b");
    let root = [Expected::greeting("/")];
    cases.push(misdirected(Case::answered(
        "target/absolute-with-a-query-and-no-path",
        ABSOLUTE,
        query,
        root,
    )));
    cases
}

/// Leaves open that the server does not serve this host or port (RFC 9110, section 7.4).
fn misdirected(case: Case) -> Case {
    // The RFCs do not say which path of a whole URI the server shows to a handler.
    case.left_open([Expected::status(&[200, 400, 403, 404, 421])], End::Any)
}

fn others() -> Vec<Case> {
    let with = |line: &str| format!("{line} HTTP/1.1\r\nHost: h\r\n\r\n");
    let mut cases = vec![
        // There must be no tunnel: the next bytes are a request, or the connection is closed.
        Case::answered("target/connect", CONNECT, with("CONNECT h:80"), [Expected::status(NO_TUNNEL)]),
        Case::rejected("target/connect-without-a-port", CONNECT_PORT, with("CONNECT h"), NO_TUNNEL)
            .left_open([Expected::status(NO_TUNNEL)], End::Open),
        Case::rejected("target/connect-with-a-path", TARGET, with("CONNECT /a"), NO_TUNNEL).strict(),
        // OPTIONS for the server as a whole, which need not have this method.
        Case::answered("target/asterisk", ASTERISK, with("OPTIONS *"), [Expected::status(NO_METHOD)])
            .or([Expected::status(&[200, 204])], End::Any)
            .strict(),
    ];
    // These are not in the grammar of a URI: a server serves them as sent, or rejects them.
    let odd = [
        ("target/percent-and-no-digits", "/a%zz"),
        ("target/percent-at-the-end", "/a%"),
        ("target/percent-encoded-nul", "/a%00b"),
        ("target/braces-and-bars", "/a{b}|c^d`e"),
        ("target/quotes-and-angles", "/a\"b\"<c>"),
        ("target/backslash", "/a\\b"),
    ];
    for (name, path) in odd {
        let request = with(&format!("GET {path}"));
        let case = Case::answered(name, TARGET, request, [Expected::greeting(path)]);
        cases.push(case.or([Expected::status(BAD)], End::Any).strict());
    }
    let above = with("GET /../../a");
    let case = Case::answered("target/dots-above-the-root", TARGET, above, [Expected::greeting("/../../a")]);
    cases.push(case.or([Expected::status(BAD)], End::Any).strict());
    cases
}
