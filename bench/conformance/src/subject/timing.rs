//! Timeouts: the server serves a slow client within its timeouts, and closes after them.

use super::shorthand::{Case, End, Expected, NEXT, chunked, get, greeting, post, posted};
use crate::case::{Finish, Step, send};
use crate::rules::ENDPOINT as ENDPOINT_RULE;
use crate::settings::Timeout;

/// RFC 9110, section 15.5.9.
const TOO_SLOW: &[u16] = &[408];

/// An incomplete head that has more bytes than the ten that are sent within a timeout.
const DRIPPED: &str = "GET /a HTTP/1.1\r\nHost: h\r\nX: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy";

/// The tenths of the idle timeout that pass before a request that the server still has to answer.
/// They are longer than the head timeout, so that a server that confuses the two timeouts fails.
const IDLE_TENTHS: u32 = 6;

pub(super) fn cases() -> Vec<Case> {
    [heads(), waits(), bodies()].concat().into_iter().map(Case::strict).collect()
}

fn heads() -> Vec<Case> {
    let stalled = |name, request: String, answers: Vec<Expected>| {
        Case::new(name, ENDPOINT_RULE, request, answers, End::Closed)
            .with_finish(Finish::WaitFor(Timeout::Head))
    };
    let too_slow = || Expected::status(TOO_SLOW);
    let second = get("") + "GET /b HTTP/1.1\r\nHos";
    let parts = |tenths, parts: &[&'static str]| -> Vec<Step> {
        parts.iter().flat_map(|part| [Step::Pause(Timeout::Head, tenths), send(*part)]).collect()
    };
    let line = "GET /a HTTP/1.1\r\n";
    let next = "Host: h\r\n\r\nGET /a HTTP/1.1\r\n";
    let three = vec![Expected::greeting("/a"); 3];
    vec![
        stalled("timing/head-of-one-byte", "G".into(), vec![too_slow()]),
        stalled("timing/head-stalled", "GET /a HTTP/1.1\r\nHost: h\r\n".into(), vec![too_slow()]),
        stalled("timing/head-dripped", String::new(), vec![too_slow()])
            .then([Step::Drip(Timeout::Head, DRIPPED)]),
        stalled("timing/second-head-stalled", second, vec![Expected::greeting("/a"), too_slow()]),
        Case::answered("timing/slow-head", ENDPOINT_RULE, line, greeting())
            .then(parts(2, &["Host: h\r\n", "\r\n"])),
        // The timeout is per head, not per connection.
        Case::answered("timing/slow-heads", ENDPOINT_RULE, line, three)
            .then(parts(5, &[next, next, "Host: h\r\n\r\n"])),
    ]
}

fn waits() -> Vec<Case> {
    // A server may send 408 before it closes.
    let closed = |name, request: String, answers: Vec<Expected>| {
        let said = [answers.clone(), vec![Expected::status(TOO_SLOW)]].concat();
        let case = Case::new(name, ENDPOINT_RULE, request, answers, End::Closed).or(said, End::Closed);
        case.with_finish(Finish::WaitFor(Timeout::Idle))
    };
    let next = [Expected::greeting("/a"), Expected::greeting("/next")];
    vec![
        closed("timing/idle-from-the-start", String::new(), Vec::new()),
        closed("timing/idle-after-an-answer", get(""), greeting().to_vec()),
        closed("timing/idle-after-a-body", post("Content-Length: 3\r\n", "abc"), vec![posted()]),
        Case::new("timing/idle-for-a-while", ENDPOINT_RULE, get(""), next, End::Open)
            .then([Step::Pause(Timeout::Idle, IDLE_TENTHS), send(NEXT)]),
        Case::answered("timing/idle-for-a-while-at-first", ENDPOINT_RULE, "", greeting())
            .then([Step::Pause(Timeout::Idle, IDLE_TENTHS), send(get(""))]),
    ]
}

fn bodies() -> Vec<Case> {
    let answer = Expected::status(&[200, 405, 408, 501]);
    let stalled = |name, request: String| {
        let case = Case::new(name, ENDPOINT_RULE, request, [answer.clone()], End::Closed);
        case.or([], End::Closed).with_finish(Finish::WaitFor(Timeout::Idle))
    };
    let expecting = post("Content-Length: 3\r\nExpect: 100-continue\r\n", "");
    let continued = [Expected::continue_100(), answer.clone()];
    let slow = |name, request: String, rest: &'static str| {
        let both = [posted(), Expected::greeting("/next")];
        let case = Case::new(name, ENDPOINT_RULE, request, both, End::Open).or([posted()], End::Closed);
        case.then([Step::Pause(Timeout::Head, 4), send(rest), send(NEXT)])
    };
    vec![
        stalled("timing/body-stalled", post("Content-Length: 9\r\n", "abc")),
        stalled("timing/chunk-stalled", chunked("9\r\nabc")),
        stalled("timing/trailer-stalled", chunked("0\r\nX: y")),
        stalled("timing/body-awaited", expecting)
            .or(continued, End::Closed)
            .or([Expected::continue_100()], End::Closed)
            .or([Expected::status(&[417])], End::Closed),
        slow("timing/slow-body", post("Content-Length: 6\r\n", "abc"), "def"),
        slow("timing/slow-chunks", chunked("3\r\na"), "bc\r\n0\r\n\r\n"),
    ]
}
