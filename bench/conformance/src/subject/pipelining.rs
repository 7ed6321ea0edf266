//! Requests that do not wait for answers (RFC 9112, section 9.3.2): all are answered, in order, and none
//! waits for bytes that it does not need.

use super::super::case::{Step, send};
use super::{Answer, BAD, Case, End, NEXT, chunked, get, post, posted};

const PIPELINING: &str = "RFC 9112, section 9.3.2";
const TEAR_DOWN: &str = "RFC 9112, section 9.6";
const LINES: &str = "RFC 9112, section 2.2";

/// The table.
pub(super) fn cases() -> Vec<Case> {
    [mixed(), ended(), long(), halves()].concat()
}

fn path(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n")
}

fn mixed() -> Vec<Case> {
    let a = || Answer::greeting("/a");
    let head = || "HEAD /h HTTP/1.1\r\nHost: h\r\n\r\n".to_owned();
    let sized = || post("Content-Length: 3\r\n", "abc");
    let chunks = || chunked("3\r\nabc\r\n0\r\n\r\n");
    let delete = || "DELETE /a HTTP/1.1\r\nHost: h\r\n\r\n".to_owned();
    let old = "GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n".to_owned();
    let old_answer = Answer::greeting("/old").saying(&["keep-alive"]);
    let case = |name, requests: Vec<String>, answers: Vec<Answer>| {
        Case::new(name, PIPELINING, requests.concat(), answers, End::Open)
    };
    let head_answer = || Answer::head("/h");
    vec![
        case("pipelining/two", vec![get(""), path("/b")], vec![a(), Answer::greeting("/b")]),
        case(
            "pipelining/heads-between",
            vec![head(), get(""), head(), get("")],
            vec![head_answer(), a(), head_answer(), a()],
        ),
        case("pipelining/heads-alone", vec![head(); 3], vec![head_answer(); 3]),
        case("pipelining/other-methods-between", vec![get(""), delete(), get("")], vec![a(), posted(), a()])
            .or([a(), posted()], End::Closed),
        case("pipelining/sized-body-between", vec![get(""), sized(), get("")], vec![a(), posted(), a()])
            .or([a(), posted()], End::Closed),
        case("pipelining/chunked-body-between", vec![get(""), chunks(), get("")], vec![a(), posted(), a()])
            .or([a(), posted()], End::Closed),
        case("pipelining/bodies-alone", vec![sized(), chunks(), sized(), chunks()], vec![posted(); 4])
            .or([posted()], End::Closed),
        case("pipelining/http-1.0-between", vec![get(""), old, get("")], vec![a(), old_answer, a()])
            .or([a(), Answer::greeting("/old")], End::Closed),
        case("pipelining/empty-lines-between", vec![get(""), "\r\n".into(), get("")], vec![a(), a()])
            .strict(),
        case(
            "pipelining/head-with-a-body-between",
            vec!["HEAD /h HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc".into(), get("")],
            vec![head_answer(), a()],
        )
        .or([head_answer()], End::Closed),
    ]
}

/// A request that ends the connection is the last one to be answered, and those before it are answered too.
fn ended() -> Vec<Case> {
    let a = || Answer::greeting("/a");
    let bad = || Answer::status(BAD);
    let ended = |name, rule, requests: [&str; 3], answers: [Answer; 2]| {
        Case::new(name, rule, requests.concat(), answers, End::Closed)
    };
    let get_a = get("");
    let close = get("Connection: close\r\n");
    let head = "HEAD /h HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    vec![
        ended("pipelining/close-in-the-middle", TEAR_DOWN, [&get_a, &close, NEXT], [a(), a()]),
        ended(
            "pipelining/head-and-close-in-the-middle",
            TEAR_DOWN,
            [&get_a, head, NEXT],
            [a(), Answer::head("/h")],
        ),
        ended(
            "pipelining/http-1.0-in-the-middle",
            TEAR_DOWN,
            [&get_a, "GET /a HTTP/1.0\r\n\r\n", NEXT],
            [a(), a()],
        ),
        ended(
            "pipelining/garbage-in-the-middle",
            PIPELINING,
            [&get_a, "garbage\r\n\r\n", NEXT],
            [a(), bad()],
        ),
        ended(
            "pipelining/no-host-in-the-middle",
            PIPELINING,
            [&get_a, "GET /b HTTP/1.1\r\n\r\n", NEXT],
            [a(), bad()],
        ),
        ended(
            "pipelining/broken-field-in-the-middle",
            PIPELINING,
            [&get_a, "GET /b HTTP/1.1\r\nHost: h\r\nX : y\r\n\r\n", NEXT],
            [a(), bad()],
        ),
        ended(
            "pipelining/two-lengths-in-the-middle",
            PIPELINING,
            [&get_a, &post("Content-Length: 3\r\nContent-Length: 4\r\n", "abc"), NEXT],
            [a(), bad()],
        ),
    ]
}

fn long() -> Vec<Case> {
    let numbered = |count: usize, length: usize| {
        let paths: Vec<String> =
            (0..count).map(|number| format!("/{number}/{}", "p".repeat(number * 7 % length))).collect();
        let requests: String = paths.iter().map(|target| path(target)).collect();
        (requests, paths.iter().map(|path| Answer::greeting(path)).collect::<Vec<_>>())
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

/// An answer does not wait for what comes after its request.
fn halves() -> Vec<Case> {
    let a = || Answer::greeting("/a");
    let body = post("Content-Length: 6\r\n", "abc");
    let case = |name, first: String, rest: &'static str, answers: Vec<Answer>, end| {
        Case::new(name, PIPELINING, first, answers, end).then([Step::Await(1), send(rest)])
    };
    vec![
        case(
            "pipelining/half-a-head-after",
            get("") + "GET /ne",
            "xt HTTP/1.1\r\nHost: h\r\n\r\n",
            vec![a(), Answer::greeting("/next")],
            End::Open,
        ),
        case(
            "pipelining/a-byte-after",
            get("") + "G",
            "ET /next HTTP/1.1\r\nHost: h\r\n\r\n",
            vec![a(), Answer::greeting("/next")],
            End::Open,
        ),
        case("pipelining/half-a-line-end-after", get("") + "\r", "\n", vec![a()], End::Open).strict(),
        case("pipelining/half-a-body-after", get("") + &body, "def", vec![a(), posted()], End::Any),
        case(
            "pipelining/garbage-after",
            get("") + "garb",
            "age\r\n\r\n",
            vec![a(), Answer::status(BAD)],
            End::Closed,
        ),
        case(
            "pipelining/half-a-head-after-a-body",
            post("Content-Length: 3\r\n", "abc") + "GET /ne",
            "xt HTTP/1.1\r\nHost: h\r\n\r\n",
            vec![posted(), Answer::greeting("/next")],
            End::Open,
        )
        .or([posted()], End::Closed),
        Case::new(
            "pipelining/half-a-head-after-many",
            LINES,
            get("").repeat(20) + "GET /ne",
            [vec![a(); 20], vec![Answer::greeting("/next")]].concat(),
            End::Open,
        )
        .then([Step::Await(20), send("xt HTTP/1.1\r\nHost: h\r\n\r\n")]),
    ]
}
