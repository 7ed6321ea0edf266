//! What is to be done (RFC 9110, section 9).

use super::{Answer, BAD, Case, ENDPOINT_RULE, End, NEXT, NO_METHOD, get, greeting};

const METHOD: &str = "RFC 9110, section 9.1";
const HEAD: &str = "RFC 9110, section 9.3.2";

/// The table.
pub(super) fn cases() -> Vec<Case> {
    let with = |line: &str| format!("{line} HTTP/1.1\r\nHost: h\r\n\r\n");
    let mut cases = heads();
    // Known to the registry of methods, and none of this endpoint's.
    let known = [
        ("methods/patch", "PATCH"),
        ("methods/trace", "TRACE"),
        ("methods/propfind", "PROPFIND"),
        ("methods/m-search", "M-SEARCH"),
    ];
    for (name, method) in known {
        cases.push(Case::answered(
            name,
            ENDPOINT_RULE,
            with(&format!("{method} /a")),
            [Answer::not_allowed()],
        ));
    }
    // A method is a token whose letters count, and nothing that begins like GET is GET.
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
        let case = Case::answered(name, METHOD, with(&format!("{method} /a")), [Answer::status(NO_METHOD)]);
        // Some servers know no small letters in a method at all. What counts is that it is not GET.
        let is_get = method.eq_ignore_ascii_case("GET");
        cases.push(if is_get { case.or([Answer::status(BAD)], End::Any) } else { case });
    }
    let symbols = with("!#$%&'*+-.^_`|~ /a");
    cases.push(Case::answered("methods/of-symbols", METHOD, symbols, [Answer::status(NO_METHOD)]).strict());

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
        cases.push(Case::refused(name, METHOD, request, BAD));
    }
    let dated = [Answer::not_allowed().dated()];
    let request = with("DELETE /a");
    cases.push(Case::answered("methods/date-on-405", "RFC 9110, section 6.6.1", request, dated).strict());
    let overridden = get("X-HTTP-Method-Override: DELETE\r\n");
    cases.push(Case::answered("methods/override-is-ignored", METHOD, overridden, greeting()));
    cases
}

/// HEAD never has a body, whatever else there is about it. What follows would be taken for the next answer.
fn heads() -> Vec<Case> {
    let head = |fields: &str| format!("HEAD /a HTTP/1.1\r\nHost: h\r\n{fields}\r\n");
    let answer = || Answer::head("/a");
    let next = || Answer::greeting("/next");
    let absolute = format!("HEAD http://h/a HTTP/1.1\r\nHost: h\r\n\r\n{NEXT}");
    let query = format!("HEAD /a?b HTTP/1.1\r\nHost: h\r\n\r\n{NEXT}");
    vec![
        Case::new("methods/head-of-the-absolute-form", HEAD, absolute, [answer(), next()], End::Open),
        Case::new("methods/head-with-a-query", HEAD, query, [answer(), next()], End::Open),
        Case::new(
            "methods/head-twice",
            HEAD,
            head("").repeat(2) + NEXT,
            [answer(), answer(), next()],
            End::Open,
        ),
        Case::new("methods/head-and-close", HEAD, head("Connection: close\r\n"), [answer()], End::Closed),
        Case::new("methods/head-with-http-1.0", HEAD, "HEAD /a HTTP/1.0\r\n\r\n", [answer()], End::Closed),
        Case::new(
            "methods/head-with-a-body",
            HEAD,
            head("Content-Length: 3\r\n") + "abc" + NEXT,
            [answer(), next()],
            End::Open,
        )
        .or([answer()], End::Closed),
    ]
}
