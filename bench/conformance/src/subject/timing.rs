//! Time: a client that is slow is served within the server's timeouts, and let go after them.

use super::super::case::{Finish, Step, Timeout, send};
use super::{Answer, Case, ENDPOINT_RULE, End, NEXT, chunked, get, greeting, post, posted};

/// RFC 9110, section 15.5.9.
const TOO_SLOW: &[u16] = &[408];

/// Never a whole head, in more bytes than a timeout has tenths.
const DRIPPED: &str = "GET /a HTTP/1.1\r\nHost: h\r\nX: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy";

/// The table.
pub(super) fn cases() -> Vec<Case> {
    [heads(), waits(), bodies()].concat().into_iter().map(Case::strict).collect()
}

fn heads() -> Vec<Case> {
    let stalled = |name, request: String, answers: Vec<Answer>| {
        Case::new(name, ENDPOINT_RULE, request, answers, End::Closed).finish(Finish::WaitFor(Timeout::Head))
    };
    let too_slow = || Answer::status(TOO_SLOW);
    let second = get("") + "GET /b HTTP/1.1\r\nHos";
    let pause = Step::Pause(Timeout::Head, 2);
    vec![
        stalled("timing/head-of-one-byte", "G".into(), vec![too_slow()]),
        stalled("timing/head-stalled", "GET /a HTTP/1.1\r\nHost: h\r\n".into(), vec![too_slow()]),
        stalled("timing/head-dripped", String::new(), vec![too_slow()])
            .then([Step::Drip(Timeout::Head, DRIPPED)]),
        stalled("timing/second-head-stalled", second, vec![Answer::greeting("/a"), too_slow()]),
        Case::answered("timing/slow-head", ENDPOINT_RULE, "GET /a HTTP/1.1\r\n", greeting()).then([
            pause.clone(),
            send("Host: h\r\n"),
            pause.clone(),
            send("\r\n"),
        ]),
        // The time is that of a head, and not of a connection.
        Case::new(
            "timing/slow-heads",
            ENDPOINT_RULE,
            "GET /a HTTP/1.1\r\n",
            [Answer::greeting("/a"), Answer::greeting("/a"), Answer::greeting("/a")],
            End::Any,
        )
        .then([
            Step::Pause(Timeout::Head, 5),
            send("Host: h\r\n\r\nGET /a HTTP/1.1\r\n"),
            Step::Pause(Timeout::Head, 5),
            send("Host: h\r\n\r\nGET /a HTTP/1.1\r\n"),
            Step::Pause(Timeout::Head, 5),
            send("Host: h\r\n\r\n"),
        ]),
    ]
}

fn waits() -> Vec<Case> {
    // A server may say that it waited in vain.
    let closed = |name, request: String, answers: Vec<Answer>| {
        let said = [answers.clone(), vec![Answer::status(TOO_SLOW)]].concat();
        let case = Case::new(name, ENDPOINT_RULE, request, answers, End::Closed).or(said, End::Closed);
        case.finish(Finish::WaitFor(Timeout::Idle))
    };
    let next = [Answer::greeting("/a"), Answer::greeting("/next")];
    vec![
        closed("timing/idle-from-the-start", String::new(), Vec::new()),
        closed("timing/idle-after-an-answer", get(""), greeting().to_vec()),
        closed("timing/idle-after-a-body", post("Content-Length: 3\r\n", "abc"), vec![posted()]),
        Case::new("timing/idle-for-a-while", ENDPOINT_RULE, get(""), next, End::Open)
            .then([Step::Pause(Timeout::Idle, 5), send(NEXT)]),
        Case::answered("timing/idle-for-a-while-at-first", ENDPOINT_RULE, "", greeting())
            .then([Step::Pause(Timeout::Idle, 5), send(get(""))]),
    ]
}

fn bodies() -> Vec<Case> {
    let stalled = |name, request: String| {
        let case =
            Case::new(name, ENDPOINT_RULE, request, [Answer::status(&[200, 405, 408, 501])], End::Closed);
        case.or([], End::Closed).finish(Finish::WaitFor(Timeout::Idle))
    };
    let expecting = post("Content-Length: 3\r\nExpect: 100-continue\r\n", "");
    let continued = [Answer::proceed(), Answer::status(&[200, 405, 408, 501])];
    let slow = |name, request: String, rest: &'static str| {
        let both = [posted(), Answer::greeting("/next")];
        let case = Case::new(name, ENDPOINT_RULE, request, both, End::Open).or([posted()], End::Closed);
        case.then([Step::Pause(Timeout::Head, 4), send(rest), send(NEXT)])
    };
    vec![
        stalled("timing/body-stalled", post("Content-Length: 9\r\n", "abc")),
        stalled("timing/chunk-stalled", chunked("9\r\nabc")),
        stalled("timing/trailer-stalled", chunked("0\r\nX: y")),
        stalled("timing/body-awaited", expecting)
            .or(continued, End::Closed)
            .or([Answer::proceed()], End::Closed)
            .or([Answer::status(&[417])], End::Closed),
        slow("timing/slow-body", post("Content-Length: 6\r\n", "abc"), "def"),
        slow("timing/slow-chunks", chunked("3\r\na"), "bc\r\n0\r\n\r\n"),
    ]
}
