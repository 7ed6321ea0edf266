//! The method (RFC 9110, section 9).

use super::shorthand::{BAD, Case, End, Expected, NEXT, NO_METHOD, get, greeting};
use crate::rules::{ALLOW, CONTENT_OF_GET, DATE, HEAD, METHOD, METHODS_SAFE as OVERRIDE, REQUEST_LINE};

pub(super) fn cases() -> Vec<Case> {
    let with = |line: &str| format!("{line} HTTP/1.1\r\nHost: h\r\n\r\n");
    let mut cases = heads();
    // Registered methods that the endpoint does not have.
    let known = [
        ("methods/patch", "PATCH"),
        ("methods/trace", "TRACE"),
        ("methods/propfind", "PROPFIND"),
        ("methods/m-search", "M-SEARCH"),
    ];
    for (name, method) in known {
        let request = with(&format!("{method} /a"));
        cases.push(Case::answered(name, ALLOW, request, [Expected::not_allowed()]).strict());
    }
    // A method is a case-sensitive token: one that only resembles GET is another method.
    let unknown = [
        ("methods/in-small-letters", "get"),
        ("methods/in-mixed-letters", "Get"),
        ("methods/shorter-than-get", "GE"),
        ("methods/longer-than-get", "GETS"),
        ("methods/of-one-letter", "X"),
        ("methods/of-digits", "123"),
        ("methods/of-64-letters", "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX"),
    ];
    for (name, method) in unknown {
        let request = with(&format!("{method} /a"));
        let case = Case::answered(name, METHOD, request, [Expected::status(NO_METHOD)]).strict();
        // Some servers reject lower case. They only must not take the method for GET.
        let is_get = method.eq_ignore_ascii_case("GET");
        cases.push(if is_get { case.or([Expected::status(BAD)], End::Any) } else { case });
    }
    let symbols = with("!#$%&'*+-.^_`|~ /a");
    cases.push(Case::answered("methods/of-symbols", METHOD, symbols, [Expected::status(NO_METHOD)]).strict());

    let malformed: [(_, &[u8]); 9] = [
        ("methods/empty", b" /a"),
        ("methods/with-a-delimiter", b"G(T /a"),
        ("methods/with-a-slash", b"G/T /a"),
        ("methods/with-a-colon", b"GET: /a"),
        ("methods/with-a-comma", b"GET, /a"),
        ("methods/in-quotes", b"\"GET\" /a"),
        ("methods/with-a-control-character", b"G\x01T /a"),
        ("methods/with-a-nul", b"GET\0 /a"),
        ("methods/with-bytes-over-127", b"G\xc3\x89T /a"),
    ];
    for (name, line) in malformed {
        let request = [line, b" HTTP/1.1\r\nHost: h\r\n\r\n"].concat();
        cases.push(Case::rejected(name, REQUEST_LINE, request, BAD).strict());
    }
    let dated = [Expected::not_allowed().dated()];
    let request = with("DELETE /a");
    cases.push(Case::answered("methods/date-on-405", DATE, request, dated).strict());
    let overridden = get("X-HTTP-Method-Override: DELETE\r\n");
    cases.push(Case::answered("methods/override-is-ignored", OVERRIDE, overridden, greeting()).strict());
    cases
}

/// Cases of HEAD, whose answer never has a body: a client would read the body as the next answer.
fn heads() -> Vec<Case> {
    let head = |fields: &str| format!("HEAD /a HTTP/1.1\r\nHost: h\r\n{fields}\r\n");
    let answer = || Expected::head("/a");
    let next = || Expected::greeting("/next");
    // This also answers a HEAD, and so has no body.
    let refused = Expected::status(&[400, 413]);
    let absolute = format!("HEAD http://h/a HTTP/1.1\r\nHost: h\r\n\r\n{NEXT}");
    let twice = head("").repeat(2) + NEXT;
    let body = head("Content-Length: 3\r\n") + "abc" + NEXT;
    let query = format!("HEAD /a?b HTTP/1.1\r\nHost: h\r\n\r\n{NEXT}");
    vec![
        Case::new("methods/head-of-the-absolute-form", HEAD, absolute, [answer(), next()], End::Open),
        Case::new("methods/head-with-a-query", HEAD, query, [answer(), next()], End::Open),
        Case::new("methods/head-twice", HEAD, twice, [answer(), answer(), next()], End::Open),
        Case::new("methods/head-and-close", HEAD, head("Connection: close\r\n"), [answer()], End::Closed)
            .probed_after_its_end(),
        Case::new("methods/head-with-http-1.0", HEAD, "HEAD /a HTTP/1.0\r\n\r\n", [answer()], End::Closed)
            .probed_after_its_end(),
        Case::new("methods/head-with-a-body", CONTENT_OF_GET, body, [answer(), next()], End::Open)
            .or([answer()], End::Closed)
            .or([refused], End::Closed),
    ]
}
