//! Pipelining (RFC 9112, section 9.3.2): requests are answered in order, and an answer does not
//! wait for more bytes.

use super::shorthand::{BAD, Case, End, Expected, NEXT, chunked, get, post, posted};
use crate::case::{Step, send};
use crate::rules::{CLOSE, COLON, COMPLETE, EMPTY_LINE, HOST, LENGTH, PERSISTENCE, PIPELINING, REQUEST_LINE};

pub(super) fn cases() -> Vec<Case> {
    [mixed(), ended(), long(), halves()].concat()
}

fn path(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n")
}

fn mixed() -> Vec<Case> {
    let a = || Expected::greeting("/a");
    let head = || "HEAD /h HTTP/1.1\r\nHost: h\r\n\r\n".to_owned();
    let sized = || post("Content-Length: 3\r\n", "abc");
    let chunks = || chunked("3\r\nabc\r\n0\r\n\r\n");
    let delete = || "DELETE /a HTTP/1.1\r\nHost: h\r\n\r\n".to_owned();
    let old = "GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n".to_owned();
    let old_answer = Expected::greeting("/old").with_connection(&["keep-alive"]);
    let with_body = || "HEAD /h HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc".to_owned();
    let h = || Expected::head("/h");
    let case = |name, requests: Vec<String>, answers: Vec<Expected>| {
        Case::new(name, PIPELINING, requests.concat(), answers, End::Open)
    };
    // The server answers the request in the middle, and may close the connection after it.
    let between = |name, request: String| {
        case(name, vec![get(""), request, get("")], vec![a(), posted(), a()]).or([a(), posted()], End::Closed)
    };
    vec![
        case("pipelining/two", vec![get(""), path("/b")], vec![a(), Expected::greeting("/b")]),
        case("pipelining/heads-between", vec![head(), get(""), head(), get("")], vec![h(), a(), h(), a()]),
        case("pipelining/heads-alone", vec![head(); 3], vec![h(); 3]),
        between("pipelining/other-methods-between", delete()),
        between("pipelining/sized-body-between", sized()),
        between("pipelining/chunked-body-between", chunks()),
        case("pipelining/bodies-alone", vec![sized(), chunks(), sized(), chunks()], vec![posted(); 4])
            .or([posted()], End::Closed),
        case("pipelining/http-1.0-between", vec![get(""), old, get("")], vec![a(), old_answer, a()])
            .or([a(), Expected::greeting("/old")], End::Closed)
            .probed_after_its_end(),
        Case::new(
            "pipelining/empty-lines-between",
            EMPTY_LINE,
            get("") + "\r\n" + &get(""),
            [a(), a()],
            End::Open,
        )
        .strict(),
        case("pipelining/head-with-a-body-between", vec![with_body(), get("")], vec![h(), a()])
            .or([h()], End::Closed)
            .or([Expected::status(&[400, 413])], End::Closed),
    ]
}

/// A request that ends the connection is the last one answered, after all requests before it.
fn ended() -> Vec<Case> {
    let a = || Expected::greeting("/a");
    let ended = |name, rule, request: &str, answer| {
        let refused = [a(), Expected::status(BAD)];
        let case = Case::new(name, rule, [&get(""), request, NEXT].concat(), [a(), answer], End::Closed);
        case.left_open(refused, End::Closed).probed_after_its_end()
    };
    let close = get("Connection: close\r\n");
    let head = "HEAD /h HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    let old = "GET /a HTTP/1.0\r\n\r\n";
    let two_lengths = post("Content-Length: 3\r\nContent-Length: 4\r\n", "abc");
    let malformed = [
        ("pipelining/garbage-in-the-middle", REQUEST_LINE, "garbage\r\n\r\n"),
        ("pipelining/no-host-in-the-middle", HOST, "GET /b HTTP/1.1\r\n\r\n"),
        ("pipelining/broken-field-in-the-middle", COLON, "GET /b HTTP/1.1\r\nHost: h\r\nX : y\r\n\r\n"),
        ("pipelining/two-lengths-in-the-middle", LENGTH, &two_lengths),
    ];
    let mut cases = vec![
        ended("pipelining/close-in-the-middle", CLOSE, &close, a()),
        ended("pipelining/head-and-close-in-the-middle", CLOSE, head, Expected::head("/h")),
        ended("pipelining/http-1.0-in-the-middle", PERSISTENCE, old, a()).strict(),
    ];
    cases.extend(malformed.map(|(name, rule, request)| {
        let kept = vec![a(), Expected::status(BAD), Expected::greeting("/next")];
        let case = ended(name, rule, request, Expected::status(BAD));
        let is_delimited = rule == HOST || rule == COLON;
        let case = if is_delimited { case.left_open(kept, End::Open) } else { case };
        if rule == REQUEST_LINE { case.strict() } else { case }
    }));
    cases
}

fn long() -> Vec<Case> {
    let numbered = |count: usize, length: usize| {
        let paths: Vec<String> =
            (0..count).map(|number| format!("/{number}/{}", "p".repeat(number * 7 % length))).collect();
        let requests: String = paths.iter().map(|target| path(target)).collect();
        (requests, paths.iter().map(|path| Expected::greeting(path)).collect::<Vec<_>>())
    };
    let (burst, answers) = numbered(1000, 20);
    let (large, large_answers) = numbered(500, 4000);
    let (pieces, pieces_answers) = numbered(50, 30);
    let pieces: Vec<Step> = pieces.as_bytes().chunks(13).map(|piece| Step::Send(piece.to_vec())).collect();
    vec![
        Case::new("pipelining/thousand", PIPELINING, burst, answers, End::Open),
        Case::new("pipelining/long-answers", PIPELINING, large, large_answers, End::Open),
        Case::new("pipelining/in-small-pieces", PIPELINING, "", pieces_answers, End::Open).then(pieces),
    ]
}

/// An answer does not wait for the bytes after its request. No rule says so in words; a client that
/// waits for the answer before it sends the rest would wait for ever.
fn halves() -> Vec<Case> {
    let a = || Expected::greeting("/a");
    let next = || vec![a(), Expected::greeting("/next")];
    let body = post("Content-Length: 6\r\n", "abc");
    let post = post("Content-Length: 3\r\n", "abc");
    let rest = "xt HTTP/1.1\r\nHost: h\r\n\r\n";
    let case = |name, first: String, rest: &'static str, answers: Vec<Expected>, end| {
        Case::new(name, COMPLETE, first, answers, end).then([Step::Await(1), send(rest)])
    };
    let half = "GET /ne";
    let byte_rest = "ET /next HTTP/1.1\r\nHost: h\r\n\r\n";
    let bad = vec![a(), Expected::status(BAD)];
    let posted_next = vec![posted(), Expected::greeting("/next")];
    let many = [vec![a(); 20], vec![Expected::greeting("/next")]].concat();
    let cases = vec![
        case("pipelining/half-a-head-after", get("") + half, rest, next(), End::Open),
        case("pipelining/a-byte-after", get("") + "G", byte_rest, next(), End::Open),
        case("pipelining/half-a-line-end-after", get("") + "\r", "\n", vec![a()], End::Open),
        case("pipelining/half-a-body-after", get("") + &body, "def", vec![a(), posted()], End::Any),
        case("pipelining/garbage-after", get("") + "garb", "age\r\n\r\n", bad, End::Closed),
        case("pipelining/half-a-head-after-a-body", post + half, rest, posted_next, End::Open)
            .or([posted()], End::Closed),
        Case::new("pipelining/half-a-head-after-many", COMPLETE, get("").repeat(20) + half, many, End::Open)
            .then([Step::Await(20), send(rest)]),
    ];
    cases.into_iter().map(Case::strict).collect()
}
