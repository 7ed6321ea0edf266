//! The endpoint itself: the greeting, its path, the methods, the order of answers.

use super::shorthand::{Case, End, Expected, NEXT};
use crate::case::{Finish, Step, send};
use crate::rules::{
    ALLOW, ANSWER_LENGTH, DATE, ENDPOINT as ENDPOINT_RULE, HEAD, MEDIA_TYPE, PERSISTENCE, PIPELINING,
    REQUIRED_METHODS,
};

/// The case that shows whether a server answers a pipelined burst in order.
pub const BURST: &str = "endpoint/burst";

/// The number of requests per write in the burst for a floor.
const REPEATED: usize = 16;

/// The cases of [`ENDPOINT`](super::ENDPOINT). They are few and small, so that every measurement
/// can begin with them; the other subjects send megabytes.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    // The greeting has the path as it was sent, byte for byte: not decoded, normalized or merged.
    let targets = [
        ("endpoint/path", "/abc", "/abc"),
        ("endpoint/root", "/", "/"),
        ("endpoint/query", "/abc?d=e&f", "/abc"),
        ("endpoint/query-empty", "/abc?", "/abc"),
        ("endpoint/query-with-a-slash", "/abc?d=/e?f", "/abc"),
        ("endpoint/query-alone", "/?d", "/"),
        ("endpoint/fragment", "/abc#d", "/abc"),
        ("endpoint/percent-encoding", "/a%20b%2Fc", "/a%20b%2Fc"),
        ("endpoint/percent-encoded-delimiters", "/a%3fb%23c", "/a%3fb%23c"),
        ("endpoint/percent-encoded-line-end", "/a%0d%0aX:%20y", "/a%0d%0aX:%20y"),
        ("endpoint/characters-of-a-path", "/aZ09-._~!$&'()*+,;=:@", "/aZ09-._~!$&'()*+,;=:@"),
        ("endpoint/dots", "/a/../b/./c", "/a/../b/./c"),
        ("endpoint/slashes", "//a///b/", "//a///b/"),
        ("endpoint/absolute-form", "http://host/a/b?c", "/a/b"),
        ("endpoint/absolute-form-without-path", "http://host", "/"),
        ("endpoint/absolute-form-within-a-path", "/http://host/a", "/http://host/a"),
    ];
    for (name, target, path) in targets {
        let request = format!("GET {target} HTTP/1.1\r\nHost: host\r\n\r\n");
        cases.push(Case::answered(name, ENDPOINT_RULE, request, [Expected::greeting(path)]).strict());
    }
    cases.extend(fields());
    let head = "HEAD /abc HTTP/1.1\r\nHost: host\r\n\r\n";
    cases.push(Case::answered("endpoint/head", REQUIRED_METHODS, head, [Expected::head("/abc")]));
    let methods = [
        ("endpoint/post", "POST"),
        ("endpoint/put", "PUT"),
        ("endpoint/delete", "DELETE"),
        ("endpoint/options", "OPTIONS"),
        ("endpoint/unknown-method", "BREW"),
    ];
    for (name, method) in methods {
        let request = format!("{method} /abc HTTP/1.1\r\nHost: host\r\nContent-Length: 0\r\n\r\n");
        cases.push(Case::answered(name, ALLOW, request, [Expected::not_allowed()]).strict());
    }
    cases.extend(several());
    cases
}

/// Cases about the fields of the greeting. No other case checks them, so that a deviation in every
/// answer fails only these.
fn fields() -> Vec<Case> {
    let get = "GET /abc HTTP/1.1\r\nHost: host\r\n\r\n";
    let case = |name, rule, with: fn(Expected) -> Expected| {
        Case::answered(name, rule, get, [with(Expected::greeting("/abc"))])
    };
    vec![
        case("endpoint/date", DATE, Expected::dated),
        case("endpoint/content-type", MEDIA_TYPE, Expected::typed).strict(),
        case("endpoint/content-length", ANSWER_LENGTH, Expected::sized).strict(),
    ]
}

/// The cases for a floor, which replace all others and repeat one request. A floor is not a server,
/// but answers after a fixed number of bytes, so that a connection can carry only one kind of
/// request. The client therefore sends no probe, but shuts down its side.
pub fn floor_cases(path: &str, host: &str, answer: Expected) -> Vec<Case> {
    let get = |fields: &str| format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n");
    let one = [answer];
    let many = vec![one[0].clone(); REPEATED];
    vec![
        Case::answered("floor/request", ENDPOINT_RULE, get(""), one.clone()).with_finish(Finish::HalfClose),
        Case::answered("floor/burst", ENDPOINT_RULE, get("").repeat(REPEATED), many)
            .with_finish(Finish::HalfClose),
        Case::new("floor/close", ENDPOINT_RULE, get("Connection: close\r\n"), one, End::ClosedCleanly)
            .with_finish(Finish::Wait),
    ]
}

fn several() -> Vec<Case> {
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: host\r\n\r\n");
    let paths: Vec<String> = (1..=16).map(|number| format!("/burst/{number}")).collect();
    let burst: String = paths.iter().map(|path| get(path)).collect();
    let answers: Vec<Expected> = paths.iter().map(|path| Expected::greeting(path)).collect();
    let both = [Expected::greeting("/1"), Expected::greeting("/next")];
    let mixed = [get("/1"), "HEAD /2 HTTP/1.1\r\nHost: h\r\n\r\n".into(), get("/3")].concat();
    let mixed_answers = [Expected::greeting("/1"), Expected::head("/2"), Expected::greeting("/3")];
    vec![
        Case::new("endpoint/keep-alive", PERSISTENCE, get("/1"), both, End::Open)
            .then([Step::Await(1), send(NEXT)]),
        Case::new(BURST, PIPELINING, burst, answers, End::Open),
        Case::new("endpoint/head-in-a-burst", HEAD, mixed, mixed_answers, End::Open),
    ]
}
