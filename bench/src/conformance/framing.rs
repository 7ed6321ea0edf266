//! Where a request ends: heads that are malformed, bodies, and what must never be taken for a request
//! (RFC 9112, sections 2 to 7).

use super::case::{Answer, Case, End};

const LINES: &str = "RFC 9112, sections 2.2 and 5";
const TARGETS: &str = "RFC 9112, section 3.2";
const VERSIONS: &str = "RFC 9112, section 2.3";
const LENGTHS: &str = "RFC 9112, section 6.3";
const CODINGS: &str = "RFC 9112, section 6.1";
const CHUNKS: &str = "RFC 9112, section 7.1";

/// The table.
pub(super) fn cases() -> Vec<Case> {
    let mut cases = bodies();
    let broken_heads: [(_, _, &[u8]); 11] = [
        ("framing/garbage", LINES, b"garbage\r\n\r\n"),
        ("framing/bare-line-feed", LINES, b"GET /a HTTP/1.1\nHost: h\n\n"),
        ("framing/bare-line-feed-in-a-field", LINES, b"GET /a HTTP/1.1\r\nHost: h\nX: y\r\n\r\n"),
        ("framing/bare-carriage-return", LINES, b"GET /a HTTP/1.1\r\nHost: h\rX: y\r\n\r\n"),
        ("framing/nul-in-a-field", LINES, b"GET /a HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n"),
        ("framing/space-before-the-colon", LINES, b"GET /a HTTP/1.1\r\nHost : h\r\n\r\n"),
        ("framing/line-folding", LINES, b"GET /a HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n"),
        ("framing/field-without-a-name", LINES, b"GET /a HTTP/1.1\r\nHost: h\r\n: a\r\n\r\n"),
        ("framing/target-without-a-slash", TARGETS, b"GET a HTTP/1.1\r\nHost: h\r\n\r\n"),
        ("framing/target-with-a-space", TARGETS, b"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n"),
        ("framing/asterisk-with-get", TARGETS, b"GET * HTTP/1.1\r\nHost: h\r\n\r\n"),
    ];
    cases.extend(broken_heads.map(|(name, rule, request)| Case::refused(name, rule, request, 400)));
    let versions = [
        ("framing/version-1.2", "GET /a HTTP/1.2\r\nHost: h\r\n\r\n"),
        ("framing/version-2.0", "GET /a HTTP/2.0\r\nHost: h\r\n\r\n"),
        ("framing/http-2-preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ];
    for (name, request) in versions {
        let case = Case::refused(name, VERSIONS, request, 400);
        cases.push(case.or([Answer::Status(505)], End::Closed));
    }

    let broken_lengths = [
        ("framing/two-lengths", LENGTHS, "Content-Length: 3\r\nContent-Length: 4"),
        ("framing/length-with-a-sign", LENGTHS, "Content-Length: +3"),
        ("framing/length-with-a-space", LENGTHS, "Content-Length: 3 3"),
        ("framing/length-overflow", LENGTHS, "Content-Length: 18446744073709551616"),
        ("framing/length-and-chunked", LENGTHS, "Content-Length: 3\r\nTransfer-Encoding: chunked"),
    ];
    for (name, rule, fields) in broken_lengths {
        let request = format!("POST /a HTTP/1.1\r\nHost: h\r\n{fields}\r\n\r\n0\r\n\r\n");
        cases.push(Case::refused(name, rule, request, 400));
    }
    let codings = [("framing/unknown-coding", "xchunked"), ("framing/chunked-not-last", "chunked, identity")];
    for (name, coding) in codings {
        let request = format!("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: {coding}\r\n\r\n0\r\n\r\n");
        let case = Case::refused(name, CODINGS, request, 400);
        cases.push(case.or([Answer::Status(501)], End::Closed));
    }
    let request = "POST /a HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    cases.push(Case::refused("framing/chunked-with-http-1.0", CODINGS, request, 400));
    let request = "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n\r\n";
    let bad_chunk = Case::refused("framing/bad-chunk-size", CHUNKS, request, 400);
    cases.push(bad_chunk.or([], End::Closed).or([Answer::NotAllowed], End::Closed));
    cases
}

/// Requests within bodies. Each is followed by one of its own, which has to be answered in its place, or the connection
/// is closed.
fn bodies() -> Vec<Case> {
    let inner = "GET /inner HTTP/1.1\r\nHost: h\r\n\r\n";
    let next = "GET /next HTTP/1.1\r\nHost: h\r\n\r\n";
    let length = inner.len();
    let requests = [
        ("framing/request-in-a-sized-body", LENGTHS, format!("Content-Length: {length}\r\n\r\n{inner}")),
        (
            "framing/request-in-a-chunk",
            CHUNKS,
            format!("Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{inner}\r\n0\r\n\r\n"),
        ),
        (
            "framing/chunk-extension",
            CHUNKS,
            "Transfer-Encoding: chunked\r\n\r\n3;a=\"b\"\r\nabc\r\n0\r\n\r\n".into(),
        ),
        ("framing/trailer", CHUNKS, "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n".into()),
    ];
    requests
        .into_iter()
        .map(|(name, rule, rest)| {
            let request = format!("POST /a HTTP/1.1\r\nHost: h\r\n{rest}{next}");
            let case =
                Case::new(name, rule, request, [Answer::NotAllowed, Answer::greeting("/next")], End::Open);
            case.or([Answer::NotAllowed], End::Closed)
        })
        .collect()
}
