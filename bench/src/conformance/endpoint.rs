//! The endpoint itself: the greeting, its path, its methods, its order.

use super::case::{Answer, Case, End};

const RULE: &str = "the endpoint";

/// The table.
pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let targets = [
        ("endpoint/path", "/abc", "/abc"),
        ("endpoint/root", "/", "/"),
        ("endpoint/query", "/abc?d=e&f", "/abc"),
        ("endpoint/fragment", "/abc#d", "/abc"),
        ("endpoint/percent-encoding", "/a%20b%2Fc", "/a%20b%2Fc"),
        ("endpoint/dots", "/a/../b/./c", "/a/../b/./c"),
        ("endpoint/slashes", "//a///b/", "//a///b/"),
        ("endpoint/absolute-form", "http://host/a/b?c", "/a/b"),
        ("endpoint/absolute-form-without-path", "http://host", "/"),
    ];
    for (name, target, path) in targets {
        let request = format!("GET {target} HTTP/1.1\r\nHost: host\r\n\r\n");
        cases.push(Case::answered(name, RULE, request, [Answer::greeting(path)]));
    }

    let head = Answer::Head("/abc".into());
    cases.push(Case::answered("endpoint/head", RULE, "HEAD /abc HTTP/1.1\r\nHost: host\r\n\r\n", [head]));
    let methods = [
        ("endpoint/post", "POST"),
        ("endpoint/put", "PUT"),
        ("endpoint/delete", "DELETE"),
        ("endpoint/options", "OPTIONS"),
        ("endpoint/unknown-method", "BREW"),
    ];
    for (name, method) in methods {
        let request = format!("{method} /abc HTTP/1.1\r\nHost: host\r\nContent-Length: 0\r\n\r\n");
        cases.push(Case::answered(name, RULE, request, [Answer::NotAllowed]));
    }

    cases.push(Case::new(
        "endpoint/keep-alive",
        RULE,
        "GET /1 HTTP/1.1\r\nHost: host\r\nConnection: keep-alive\r\n\r\n",
        [Answer::greeting("/1")],
        End::Open,
    ));
    let paths: Vec<String> = (1..=16).map(|number| format!("/burst/{number}")).collect();
    let burst: String =
        paths.iter().map(|path| format!("GET {path} HTTP/1.1\r\nHost: host\r\n\r\n")).collect();
    let answers: Vec<Answer> = paths.into_iter().map(Answer::Greeting).collect();
    cases.push(Case::new(super::BURST, RULE, burst, answers, End::Open));
    cases.push(Case::new(
        "endpoint/head-in-a-burst",
        "RFC 9110, section 9.3.2",
        "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nHEAD /2 HTTP/1.1\r\nHost: h\r\n\r\nGET /3 HTTP/1.1\r\nHost: h\r\n\r\n",
        [Answer::greeting("/1"), Answer::Head("/2".into()), Answer::greeting("/3")],
        End::Open,
    ));
    cases
}
