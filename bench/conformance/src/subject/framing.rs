//! Where a request begins and ends: its lines, its fields, its version and the length of its body
//! (RFC 9112, sections 2 to 6).

use super::shorthand::{
    BAD, BAD_CODING, BAD_VERSION, Case, End, Expected, NEXT, chunked, get, greeting, post, posted,
    read_or_closed,
};
use crate::rules::{
    BARE_CR, BODY, BOTH, CHUNKED, CHUNKED_ONCE, CHUNKED_PARAMETER, CODING, COLON, CONTENT_OF_GET, EMPTY_LINE,
    FIELD_LINE, FIRST_FIELD, FOLDING, LARGE_LENGTH, LENGTH, LINES, MAJOR_VERSION, MINOR_VERSION, NAME, NUL,
    OLD_CODING, PREFACE, RECOVERY, REQUEST_LINE, UNKNOWN_CODING, VALUE, VERSION,
};

pub(super) fn cases() -> Vec<Case> {
    [lines(), fields(), versions(), lengths(), codings(), bodies()].concat()
}

fn lines() -> Vec<Case> {
    // A server may repair these, since it may read a lone carriage return as a space.
    let broken: [(_, _, &[u8]); 7] = [
        ("framing/garbage", REQUEST_LINE, b"garbage\r\n\r\n"),
        ("framing/garbage-binary", REQUEST_LINE, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
        ("framing/bare-carriage-return-in-the-request-line", BARE_CR, b"GET /a\rHTTP/1.1\r\nHost: h\r\n\r\n"),
        ("framing/bare-carriage-return", BARE_CR, b"GET /a HTTP/1.1\r\nHost: h\rX: y\r\n\r\n"),
        ("framing/bare-carriage-return-at-the-end", BARE_CR, b"GET /a HTTP/1.1\r\nHost: h\r\nX: y\r\r\n\r\n"),
        ("framing/bare-carriage-return-as-a-line", BARE_CR, b"GET /a HTTP/1.1\r\nHost: h\r\n\rX: y\r\n\r\n"),
        ("framing/nul-in-the-request-line", REQUEST_LINE, b"GET /a\0 HTTP/1.1\r\nHost: h\r\n\r\n"),
    ];
    // The RFC allows a lone line feed, but servers that treat it differently can be attacked.
    let lone: [(_, &[u8]); 4] = [
        ("framing/bare-line-feed", b"GET /a HTTP/1.1\nHost: h\n\n"),
        ("framing/bare-line-feed-in-the-request-line", b"GET /a HTTP/1.1\nHost: h\r\n\r\n"),
        ("framing/bare-line-feed-in-a-field", b"GET /a HTTP/1.1\r\nHost: h\nX: y\r\n\r\n"),
        ("framing/bare-line-feed-at-the-end", b"GET /a HTTP/1.1\r\nHost: h\r\n\n"),
    ];
    let mut cases =
        broken.map(|(name, rule, request)| Case::rejected(name, rule, request, BAD).strict()).to_vec();
    cases.extend(lone.map(|(name, request)| Case::rejected(name, LINES, request, BAD).strict()));
    let empty_line = format!("\r\n{}", get(""));
    cases.push(Case::answered("framing/empty-line-first", EMPTY_LINE, empty_line, greeting()).strict());
    cases
}

fn fields() -> Vec<Case> {
    let before_the_colon: [(_, &[u8]); 3] = [
        ("framing/space-before-the-colon", b"X : y"),
        ("framing/tab-before-the-colon", b"X\t: y"),
        ("framing/space-before-the-colon-of-a-length", b"Content-Length : 0"),
    ];
    // No rule says what to do with a line that is not a valid field.
    let broken: [(_, _, &[u8]); 7] = [
        ("framing/field-without-a-name", RECOVERY, b": y"),
        ("framing/field-without-a-colon", RECOVERY, b"X"),
        ("framing/space-in-a-name", RECOVERY, b"X Y: z"),
        ("framing/delimiter-in-a-name", RECOVERY, b"X(Y): z"),
        ("framing/byte-over-127-in-a-name", RECOVERY, b"X\xc3\xa4: z"),
        ("framing/nul-in-a-name", RECOVERY, b"X\0Y: z"),
        ("framing/nul-in-a-field", NUL, b"X: y\0z"),
    ];
    // The RFC lets a server read a fold as a space: two servers may see different fields.
    let folded: [(_, &[u8]); 3] = [
        ("framing/line-folding", b"X: y\r\n z"),
        ("framing/line-folding-by-a-tab", b"X: y\r\n\tz"),
        ("framing/line-folding-of-nothing", b"X: y\r\n "),
    ];
    let fine: [(_, _, &[u8]); 7] = [
        ("framing/value-empty", FIELD_LINE, b"X:"),
        ("framing/value-without-a-space", FIELD_LINE, b"X:y"),
        ("framing/value-between-white-space", FIELD_LINE, b"X: \t y \t "),
        ("framing/value-with-colons", FIELD_LINE, b"X: y: z:"),
        ("framing/value-with-bytes-over-127", VALUE, b"X: \xc3\xa4\xff"),
        ("framing/name-with-all-of-a-token", NAME, b"!#$%&'*+-.^_`|~09azAZ: y"),
        ("framing/name-repeated", FIELD_LINE, b"X: y\r\nX: z\r\nx: y"),
    ];
    let with = |field: &[u8]| [b"GET /a HTTP/1.1\r\nHost: h\r\n", field, b"\r\n\r\n"].concat();
    let refused = before_the_colon.map(|(name, field)| {
        Case::rejected(name, COLON, with(field), BAD).left_open([Expected::status(BAD)], End::Open)
    });
    let mut cases = refused.to_vec();
    cases.extend(broken.map(|(name, rule, field)| Case::rejected(name, rule, with(field), BAD).strict()));
    cases.extend(folded.map(|(name, field)| Case::rejected(name, FOLDING, with(field), BAD).strict()));
    // A server SHOULD ignore an unknown field, so that a failure is only strict.
    cases
        .extend(fine.map(|(name, rule, field)| Case::answered(name, rule, with(field), greeting()).strict()));
    // A server may also drop such a line.
    let first = "GET /a HTTP/1.1\r\n Host: h\r\nHost: h\r\n\r\n";
    cases
        .push(Case::rejected("framing/white-space-before-the-first-field", FIRST_FIELD, first, BAD).strict());
    cases
}

fn versions() -> Vec<Case> {
    let broken = [
        ("framing/version-missing", VERSION, "GET /a"),
        ("framing/version-empty", VERSION, "GET /a "),
        ("framing/version-of-another-protocol", VERSION, "GET /a XTTP/1.1"),
        ("framing/version-in-small-letters", VERSION, "GET /a http/1.1"),
        ("framing/version-without-a-minor", VERSION, "GET /a HTTP/1"),
        ("framing/version-with-two-digits", VERSION, "GET /a HTTP/1.10"),
        ("framing/version-with-a-leading-zero", VERSION, "GET /a HTTP/01.1"),
        ("framing/version-with-a-letter-after", VERSION, "GET /a HTTP/1.1x"),
        ("framing/version-with-a-space-within", VERSION, "GET /a HTTP/ 1.1"),
        ("framing/version-0.9", MAJOR_VERSION, "GET /a HTTP/0.9"),
        ("framing/version-2.0", MAJOR_VERSION, "GET /a HTTP/2.0"),
        ("framing/version-3.0", MAJOR_VERSION, "GET /a HTTP/3.0"),
    ];
    let mut cases = Vec::new();
    let with = |line: &str| format!("{line}\r\nHost: h\r\n\r\n");
    cases.extend(
        broken.map(|(name, rule, line)| Case::rejected(name, rule, with(line), BAD_VERSION).strict()),
    );
    let after = "GET /a HTTP/1.1 \r\nHost: h\r\n\r\n";
    let after = Case::rejected("framing/version-with-a-space-after", REQUEST_LINE, after, BAD_VERSION);
    cases.push(after.strict());
    let higher = "GET /a HTTP/1.2\r\nHost: h\r\n\r\n";
    let higher = Case::rejected("framing/version-1.2", MINOR_VERSION, higher, BAD_VERSION);
    cases.push(higher.or(greeting(), End::Any).strict());
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let preface = Case::rejected("framing/http-2-preface", PREFACE, preface, BAD_VERSION);
    cases.push(preface.or([], End::Switched).strict());
    cases
}

/// Each request is followed by three bytes, which are its body if the length is 3.
fn lengths() -> Vec<Case> {
    let broken: [(_, &[u8]); 13] = [
        ("framing/two-lengths", b"Content-Length: 3\r\nContent-Length: 4"),
        ("framing/two-lengths-in-a-list", b"Content-Length: 3, 4"),
        ("framing/length-with-a-sign", b"Content-Length: +3"),
        ("framing/length-negative", b"Content-Length: -3"),
        ("framing/length-with-a-space", b"Content-Length: 3 3"),
        ("framing/length-in-hexadecimal", b"Content-Length: 0x3"),
        ("framing/length-with-a-letter", b"Content-Length: 3a"),
        ("framing/length-of-letters", b"Content-Length: three"),
        ("framing/length-with-a-fraction", b"Content-Length: 3.0"),
        ("framing/length-with-an-underscore", b"Content-Length: 3_0"),
        ("framing/length-in-quotes", b"Content-Length: \"3\""),
        ("framing/length-in-other-digits", b"Content-Length: \xd9\xa3"),
        ("framing/length-empty", b"Content-Length:"),
    ];
    let with = |field: &[u8]| [b"POST /a HTTP/1.1\r\nHost: h\r\n", field, b"\r\n\r\nabc"].concat();
    let mut cases = broken
        .map(|(name, field)| Case::rejected(name, LENGTH, with(field), BAD).refused_by_method())
        .to_vec();
    // The RFC lets a server read equal lengths as one, but they are most likely an attack.
    let equal: [(_, &[u8]); 3] = [
        ("framing/two-equal-lengths", b"Content-Length: 3\r\nContent-Length: 3"),
        ("framing/two-equal-lengths-in-a-list", b"Content-Length: 3, 3"),
        ("framing/length-with-a-comma", b"Content-Length: 3,"),
    ];
    cases.extend(equal.map(|(name, field)| Case::rejected(name, LENGTH, with(field), BAD).strict()));
    // These are larger than any allowed body and than some integer types. A server rejects them or
    // waits for the whole body, but must not take them for a small number.
    let large: [(_, &[u8]); 4] = [
        ("framing/length-overflow", b"Content-Length: 18446744073709551619"),
        ("framing/length-of-63-bits", b"Content-Length: 9223372036854775808"),
        ("framing/length-of-64-bits", b"Content-Length: 18446744073709551615"),
        ("framing/length-of-40-digits", b"Content-Length: 3000000000000000000000000000000000000003"),
    ];
    cases.extend(large.map(|(name, field)| {
        let case =
            Case::rejected(name, LARGE_LENGTH, with(field), &[400, 413, 431]).or([posted()], End::Closed);
        case.left_open([], End::Waiting).left_open([posted()], End::Waiting).left_open([], End::Closed)
    }));
    let zeros = post("Content-Length: 0003\r\n", "abc");
    let zeros = read_or_closed("framing/length-with-leading-zeros", BODY, &zeros);
    cases.push(zeros.or([Expected::status(BAD)], End::Closed));
    cases
}

fn codings() -> Vec<Case> {
    let broken: [(_, &[u8]); 7] = [
        ("framing/unknown-coding", b"Transfer-Encoding: xchunked"),
        ("framing/coding-that-is-not-the-last", b"Transfer-Encoding: gzip"),
        ("framing/coding-identity", b"Transfer-Encoding: identity"),
        ("framing/chunked-not-last", b"Transfer-Encoding: chunked, identity"),
        ("framing/chunked-in-quotes", b"Transfer-Encoding: \"chunked\""),
        ("framing/chunked-after-a-vertical-tab", b"Transfer-Encoding: \x0bchunked"),
        ("framing/chunked-before-a-byte-over-127", b"Transfer-Encoding: chunked\xa0"),
    ];
    // The last coding is chunked, or there is none: the end of the body is known.
    let finer: [(_, _, &[u8]); 5] = [
        ("framing/unknown-coding-before-chunked", UNKNOWN_CODING, b"Transfer-Encoding: x, chunked"),
        ("framing/chunked-twice", CHUNKED_ONCE, b"Transfer-Encoding: chunked, chunked"),
        (
            "framing/chunked-twice-on-two-lines",
            CHUNKED_ONCE,
            b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        ),
        ("framing/chunked-with-a-parameter", CHUNKED_PARAMETER, b"Transfer-Encoding: chunked;q=1"),
        ("framing/coding-empty", CODING, b"Transfer-Encoding:"),
    ];
    let with = |field: &[u8]| [b"POST /a HTTP/1.1\r\nHost: h\r\n", field, b"\r\n\r\n0\r\n\r\n"].concat();
    let mut cases = broken
        .map(|(name, field)| Case::rejected(name, CODING, with(field), BAD_CODING).refused_by_method())
        .to_vec();
    cases.extend(
        finer.map(|(name, rule, field)| Case::rejected(name, rule, with(field), BAD_CODING).strict()),
    );
    let both: [(_, &[u8]); 2] = [
        ("framing/length-and-chunked", b"Content-Length: 5\r\nTransfer-Encoding: chunked"),
        ("framing/chunked-and-length", b"Transfer-Encoding: chunked\r\nContent-Length: 5"),
    ];
    // The RFC lets a server read the chunks alone, and close. The endpoint rejects the ambiguity.
    cases.extend(both.map(|(name, field)| {
        Case::rejected(name, BOTH, with(field), BAD).left_open([posted()], End::Closed)
    }));
    let old = "POST /a HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    // This is the same ambiguity: a server may read the chunks, and close.
    let old = Case::rejected("framing/chunked-with-http-1.0", OLD_CODING, old, BAD);
    cases.push(old.left_open([posted()], End::Closed));
    let fine = [
        ("framing/chunked-in-other-letters", "transfer-encoding: CHUNKED\r\n"),
        ("framing/chunked-between-white-space", "Transfer-Encoding: \t chunked \t\r\n"),
    ];
    let chunks = "3\r\nabc\r\n0\r\n\r\n";
    cases.extend(fine.map(|(name, field)| read_or_closed(name, CHUNKED, &post(field, chunks))));
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
        let case = Case::new(name, CONTENT_OF_GET, request + NEXT, both, End::Open);
        // A server may reject a body that has no meaning.
        cases.push(case.or(greeting(), End::Closed).or([Expected::status(&[400, 413])], End::Closed));
    }
    cases
}
