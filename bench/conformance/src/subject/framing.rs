//! Where a request begins and ends: its lines, its fields, its version and the length of its body
//! (RFC 9112, sections 2 to 6).

use super::shorthand::{
    BAD, BAD_CODING, BAD_VERSION, Case, ENDPOINT_RULE, End, Expected, NEXT, chunked, get, greeting, post,
    posted, read_or_closed,
};

const LINES: &str = "RFC 9112, section 2.2";
const REQUEST_LINE: &str = "RFC 9112, section 3";
const VERSION: &str = "RFC 9112, section 2.3";
const FIELDS: &str = "RFC 9112, section 5";
const SPACE_BEFORE_COLON: &str = "RFC 9112, section 5.1";
const FOLDING: &str = "RFC 9112, section 5.2";
const NAMES: &str = "RFC 9110, section 5.1";
const VALUES: &str = "RFC 9110, section 5.5";
const LENGTH: &str = "RFC 9110, section 8.6";
const CODING: &str = "RFC 9112, section 6.1";
const BODY: &str = "RFC 9112, section 6.3";

pub(super) fn cases() -> Vec<Case> {
    [lines(), fields(), versions(), lengths(), codings(), bodies()].concat()
}

fn lines() -> Vec<Case> {
    let broken: [(_, _, &[u8]); 7] = [
        ("framing/garbage", REQUEST_LINE, b"garbage\r\n\r\n"),
        ("framing/garbage-binary", REQUEST_LINE, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
        ("framing/bare-carriage-return-in-the-request-line", LINES, b"GET /a\rHTTP/1.1\r\nHost: h\r\n\r\n"),
        ("framing/bare-carriage-return", LINES, b"GET /a HTTP/1.1\r\nHost: h\rX: y\r\n\r\n"),
        ("framing/bare-carriage-return-at-the-end", LINES, b"GET /a HTTP/1.1\r\nHost: h\r\nX: y\r\r\n\r\n"),
        ("framing/bare-carriage-return-as-a-line", LINES, b"GET /a HTTP/1.1\r\nHost: h\r\n\rX: y\r\n\r\n"),
        ("framing/nul-in-the-request-line", REQUEST_LINE, b"GET /a\0 HTTP/1.1\r\nHost: h\r\n\r\n"),
    ];
    // The RFC allows a lone line feed, by which servers that differ can be attacked.
    let lone: [(_, &[u8]); 4] = [
        ("framing/bare-line-feed", b"GET /a HTTP/1.1\nHost: h\n\n"),
        ("framing/bare-line-feed-in-the-request-line", b"GET /a HTTP/1.1\nHost: h\r\n\r\n"),
        ("framing/bare-line-feed-in-a-field", b"GET /a HTTP/1.1\r\nHost: h\nX: y\r\n\r\n"),
        ("framing/bare-line-feed-at-the-end", b"GET /a HTTP/1.1\r\nHost: h\r\n\n"),
    ];
    let mut cases = broken.map(|(name, rule, request)| Case::rejected(name, rule, request, BAD)).to_vec();
    cases.extend(lone.map(|(name, request)| Case::rejected(name, ENDPOINT_RULE, request, BAD).strict()));
    let empty_line = format!("\r\n{}", get(""));
    cases.push(Case::answered("framing/empty-line-first", LINES, empty_line, greeting()).strict());
    cases
}

fn fields() -> Vec<Case> {
    let broken: [(_, _, &[u8]); 10] = [
        ("framing/space-before-the-colon", SPACE_BEFORE_COLON, b"X : y"),
        ("framing/tab-before-the-colon", SPACE_BEFORE_COLON, b"X\t: y"),
        ("framing/space-before-the-colon-of-a-length", SPACE_BEFORE_COLON, b"Content-Length : 0"),
        ("framing/field-without-a-name", FIELDS, b": y"),
        ("framing/field-without-a-colon", FIELDS, b"X"),
        ("framing/space-in-a-name", NAMES, b"X Y: z"),
        ("framing/delimiter-in-a-name", NAMES, b"X(Y): z"),
        ("framing/byte-over-127-in-a-name", NAMES, b"X\xc3\xa4: z"),
        ("framing/nul-in-a-name", NAMES, b"X\0Y: z"),
        ("framing/nul-in-a-field", VALUES, b"X: y\0z"),
    ];
    // The RFC lets a server read a fold as a space: two servers may see different fields.
    let folded: [(_, &[u8]); 3] = [
        ("framing/line-folding", b"X: y\r\n z"),
        ("framing/line-folding-by-a-tab", b"X: y\r\n\tz"),
        ("framing/line-folding-of-nothing", b"X: y\r\n "),
    ];
    let fine: [(_, _, &[u8]); 7] = [
        ("framing/value-empty", FIELDS, b"X:"),
        ("framing/value-without-a-space", FIELDS, b"X:y"),
        ("framing/value-between-white-space", FIELDS, b"X: \t y \t "),
        ("framing/value-with-colons", FIELDS, b"X: y: z:"),
        ("framing/value-with-bytes-over-127", VALUES, b"X: \xc3\xa4\xff"),
        ("framing/name-with-all-of-a-token", NAMES, b"!#$%&'*+-.^_`|~09azAZ: y"),
        ("framing/name-repeated", FIELDS, b"X: y\r\nX: z\r\nx: y"),
    ];
    let with = |field: &[u8]| [b"GET /a HTTP/1.1\r\nHost: h\r\n", field, b"\r\n\r\n"].concat();
    let mut cases = broken.map(|(name, rule, field)| Case::rejected(name, rule, with(field), BAD)).to_vec();
    cases.extend(folded.map(|(name, field)| Case::rejected(name, FOLDING, with(field), BAD).strict()));
    cases.extend(fine.map(|(name, rule, field)| Case::answered(name, rule, with(field), greeting())));
    // A server may also drop such a line.
    let first = "GET /a HTTP/1.1\r\n Host: h\r\nHost: h\r\n\r\n";
    cases.push(Case::rejected("framing/white-space-before-the-first-field", LINES, first, BAD).strict());
    cases
}

fn versions() -> Vec<Case> {
    let broken = [
        ("framing/version-missing", "GET /a"),
        ("framing/version-empty", "GET /a "),
        ("framing/version-of-another-protocol", "GET /a XTTP/1.1"),
        ("framing/version-in-small-letters", "GET /a http/1.1"),
        ("framing/version-without-a-minor", "GET /a HTTP/1"),
        ("framing/version-with-two-digits", "GET /a HTTP/1.10"),
        ("framing/version-with-a-leading-zero", "GET /a HTTP/01.1"),
        ("framing/version-with-a-letter-after", "GET /a HTTP/1.1x"),
        ("framing/version-with-a-space-within", "GET /a HTTP/ 1.1"),
        ("framing/version-0.9", "GET /a HTTP/0.9"),
        ("framing/version-2.0", "GET /a HTTP/2.0"),
        ("framing/version-3.0", "GET /a HTTP/3.0"),
    ];
    let mut cases = Vec::new();
    let with = |line: &str| format!("{line}\r\nHost: h\r\n\r\n");
    cases.extend(broken.map(|(name, line)| Case::rejected(name, VERSION, with(line), BAD_VERSION)));
    let after = "GET /a HTTP/1.1 \r\nHost: h\r\n\r\n";
    let after = Case::rejected("framing/version-with-a-space-after", REQUEST_LINE, after, BAD_VERSION);
    cases.push(after.strict());
    // RFC 9110, section 2.5: served as the highest known minor version, or rejected.
    let higher = "GET /a HTTP/1.2\r\nHost: h\r\n\r\n";
    let higher = Case::rejected("framing/version-1.2", "RFC 9110, section 2.5", higher, BAD_VERSION);
    cases.push(higher.or(greeting(), End::Any));
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    cases.push(Case::rejected("framing/http-2-preface", "RFC 9113, section 3.4", preface, BAD_VERSION));
    cases
}

/// Each request is followed by three bytes, which are its body if the length is 3.
fn lengths() -> Vec<Case> {
    let broken: [(_, &[u8]); 15] = [
        ("framing/two-lengths", b"Content-Length: 3\r\nContent-Length: 4"),
        ("framing/two-lengths-in-a-list", b"Content-Length: 3, 4"),
        ("framing/length-with-a-sign", b"Content-Length: +3"),
        ("framing/length-negative", b"Content-Length: -3"),
        ("framing/length-with-a-space", b"Content-Length: 3 3"),
        ("framing/length-in-hexadecimal", b"Content-Length: 0x3"),
        ("framing/length-with-a-letter", b"Content-Length: 3a"),
        ("framing/length-of-letters", b"Content-Length: three"),
        ("framing/length-with-a-fraction", b"Content-Length: 3.0"),
        ("framing/length-with-a-comma", b"Content-Length: 3,"),
        ("framing/length-with-an-underscore", b"Content-Length: 3_0"),
        ("framing/length-in-quotes", b"Content-Length: \"3\""),
        ("framing/length-in-other-digits", b"Content-Length: \xd9\xa3"),
        ("framing/length-empty", b"Content-Length:"),
        ("framing/length-overflow", b"Content-Length: 18446744073709551619"),
    ];
    let with = |field: &[u8]| [b"POST /a HTTP/1.1\r\nHost: h\r\n", field, b"\r\n\r\nabc"].concat();
    let mut cases = broken.map(|(name, field)| Case::rejected(name, LENGTH, with(field), BAD)).to_vec();
    // The RFC lets a server read two equal lengths as one; most likely they are an attack.
    let equal: [(_, &[u8]); 2] = [
        ("framing/two-equal-lengths", b"Content-Length: 3\r\nContent-Length: 3"),
        ("framing/two-equal-lengths-in-a-list", b"Content-Length: 3, 3"),
    ];
    cases.extend(equal.map(|(name, field)| Case::rejected(name, ENDPOINT_RULE, with(field), BAD).strict()));
    // Larger than any body may be, and than some integer types: malformed, or too large.
    let large: [(_, &[u8]); 3] = [
        ("framing/length-of-63-bits", b"Content-Length: 9223372036854775808"),
        ("framing/length-of-64-bits", b"Content-Length: 18446744073709551615"),
        ("framing/length-of-40-digits", b"Content-Length: 3000000000000000000000000000000000000003"),
    ];
    cases.extend(large.map(|(name, field)| {
        let case = Case::rejected(name, LENGTH, with(field), &[400, 413, 431]);
        case.or([posted()], End::Closed)
    }));
    let zeros = post("Content-Length: 0003\r\n", "abc");
    let zeros = read_or_closed("framing/length-with-leading-zeros", LENGTH, &zeros);
    cases.push(zeros.or([Expected::status(BAD)], End::Closed));
    cases
}

fn codings() -> Vec<Case> {
    let broken: [(_, &[u8]); 12] = [
        ("framing/unknown-coding", b"Transfer-Encoding: xchunked"),
        ("framing/unknown-coding-before-chunked", b"Transfer-Encoding: x, chunked"),
        ("framing/coding-that-is-not-the-last", b"Transfer-Encoding: gzip"),
        ("framing/coding-identity", b"Transfer-Encoding: identity"),
        ("framing/chunked-not-last", b"Transfer-Encoding: chunked, identity"),
        ("framing/chunked-twice", b"Transfer-Encoding: chunked, chunked"),
        ("framing/chunked-twice-on-two-lines", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
        ("framing/chunked-in-quotes", b"Transfer-Encoding: \"chunked\""),
        ("framing/chunked-with-a-parameter", b"Transfer-Encoding: chunked;q=1"),
        ("framing/chunked-after-a-vertical-tab", b"Transfer-Encoding: \x0bchunked"),
        ("framing/chunked-before-a-byte-over-127", b"Transfer-Encoding: chunked\xa0"),
        ("framing/coding-empty", b"Transfer-Encoding:"),
    ];
    let with = |field: &[u8]| [b"POST /a HTTP/1.1\r\nHost: h\r\n", field, b"\r\n\r\n0\r\n\r\n"].concat();
    let mut cases =
        broken.map(|(name, field)| Case::rejected(name, CODING, with(field), BAD_CODING)).to_vec();
    let both: [(_, &[u8]); 2] = [
        ("framing/length-and-chunked", b"Content-Length: 5\r\nTransfer-Encoding: chunked"),
        ("framing/chunked-and-length", b"Transfer-Encoding: chunked\r\nContent-Length: 5"),
    ];
    // The RFC lets a server read the chunks alone, and close. The endpoint rejects the ambiguity.
    cases.extend(both.map(|(name, field)| Case::rejected(name, ENDPOINT_RULE, with(field), BAD).strict()));
    let old = "POST /a HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    // A server may read the chunks, and close: the same ambiguity.
    cases.push(Case::rejected("framing/chunked-with-http-1.0", ENDPOINT_RULE, old, BAD).strict());
    let fine = [
        ("framing/chunked-in-other-letters", "transfer-encoding: CHUNKED\r\n"),
        ("framing/chunked-between-white-space", "Transfer-Encoding: \t chunked \t\r\n"),
    ];
    let chunks = "3\r\nabc\r\n0\r\n\r\n";
    cases.extend(fine.map(|(name, field)| read_or_closed(name, CODING, &post(field, chunks))));
    cases
}

fn bodies() -> Vec<Case> {
    let requests = [
        ("framing/body-empty", post("Content-Length: 0\r\n", "")),
        ("framing/body-without-a-length", post("", "")),
        ("framing/body-sized", post("Content-Length: 3\r\n", "abc")),
        ("framing/body-of-line-ends", post("Content-Length: 8\r\n", "\r\n\r\n\r\n\r\n")),
        ("framing/body-chunked-and-empty", chunked("0\r\n\r\n")),
        ("framing/body-chunked", chunked("3\r\nabc\r\n0\r\n\r\n")),
    ];
    let mut cases: Vec<Case> =
        requests.iter().map(|(name, request)| read_or_closed(name, BODY, request)).collect();
    let gets = [
        ("framing/get-with-a-sized-body", get("Content-Length: 3\r\n") + "abc"),
        ("framing/get-with-a-chunked-body", get("Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n0\r\n\r\n"),
    ];
    for (name, request) in gets {
        let both = [Expected::greeting("/a"), Expected::greeting("/next")];
        let case = Case::new(name, "RFC 9110, section 9.3.1", request + NEXT, both, End::Open);
        // A server may reject a body that has no meaning.
        cases.push(case.or(greeting(), End::Closed).or([Expected::status(BAD)], End::Closed));
    }
    cases
}
