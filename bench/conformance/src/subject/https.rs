//! HTTP/1.1 within TLS: a few of the cases of HTTP/1.1 again, since the bytes within TLS are the
//! same. Cases of half-closed connections are left out: within TLS a server may take the end of the
//! client's side for the end of the connection.

use super::shorthand::{Case, End, Expected, NEXT, get, greeting};
use crate::case::{Rounds, Step};
use crate::protocol::Protocol;
use crate::rules::http2::PROMPT;
use crate::rules::{COMPLETE, PIPELINING};

/// The name of a case within TLS, and its name on plain TCP.
const SAME: [(&str, &str); 31] = [
    ("https/path", "endpoint/path"),
    ("https/root", "endpoint/root"),
    ("https/query", "endpoint/query"),
    ("https/percent-encoding", "endpoint/percent-encoding"),
    ("https/date", "endpoint/date"),
    ("https/content-type", "endpoint/content-type"),
    ("https/content-length", "endpoint/content-length"),
    ("https/head", "endpoint/head"),
    ("https/post", "endpoint/post"),
    ("https/unknown-method", "endpoint/unknown-method"),
    ("https/keep-alive", "endpoint/keep-alive"),
    ("https/burst", "endpoint/burst"),
    ("https/head-in-a-burst", "endpoint/head-in-a-burst"),
    ("https/close", "connection/close"),
    ("https/nothing-after-close", "connection/nothing-after-close"),
    ("https/closes-by-itself", "connection/closes-by-itself"),
    ("https/many-requests", "connection/many-requests"),
    ("https/http-1.0", "connection/http-1.0"),
    ("https/expect-continue", "connection/expect-continue"),
    ("https/no-host", "host/missing"),
    ("https/two-lengths", "smuggling/two-lengths"),
    ("https/hidden-in-a-body", "smuggling/in-a-body"),
    ("https/body-of-a-length", "pipelining/sized-body-between"),
    ("https/chunked-body", "pipelining/chunked-body-between"),
    ("https/garbage-in-the-middle", "pipelining/garbage-in-the-middle"),
    ("https/half-a-head-after", "pipelining/half-a-head-after"),
    ("https/half-a-body-after", "pipelining/half-a-body-after"),
    ("https/thousand", "pipelining/thousand"),
    ("https/long-answers", "pipelining/long-answers"),
    ("https/in-small-records", "pipelining/in-small-pieces"),
    ("https/host-name", "host/name"),
];

/// Like [`SAME`], for the cases that wait for the server's timeouts.
const TIMING: [(&str, &str); 6] = [
    ("https-timing/head-stalled", "timing/head-stalled"),
    ("https-timing/second-head-stalled", "timing/second-head-stalled"),
    ("https-timing/slow-heads", "timing/slow-heads"),
    ("https-timing/idle-after-an-answer", "timing/idle-after-an-answer"),
    ("https-timing/idle-for-a-while", "timing/idle-for-a-while"),
    ("https-timing/body-stalled", "timing/body-stalled"),
];

/// Three requests in one write.
const THREE: &str = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n\
    GET /a HTTP/1.1\r\nHost: h\r\n\r\n\
    GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = within_tls(&SAME);
    cases.extend(records().map(|case| {
        let name = case.name;
        case.over(name, Protocol::Https.transport())
    }));
    cases
}

pub(super) fn timing_cases() -> Vec<Case> {
    within_tls(&TIMING)
}

fn within_tls(same: &[(&'static str, &str)]) -> Vec<Case> {
    let all = super::cases();
    let of = |(name, plain): &(&'static str, &str)| {
        let case = all.iter().find(|case| case.name == *plain)?;
        Some(case.clone().over(name, Protocol::Https.transport()))
    };
    same.iter().filter_map(of).collect()
}

/// Cases in which each write is a TLS record of its own, and a case of answers without a delay.
fn records() -> [Case; 3] {
    let bytes = |text: &str| text.bytes().map(|byte| Step::Send(vec![byte])).collect::<Vec<_>>();
    let both = [Expected::greeting("/a"), Expected::greeting("/next")];
    let two = get("") + NEXT;
    [
        Case::new("https/byte-by-byte", COMPLETE, "", greeting(), End::Open).then(bytes(&get(""))),
        Case::new("https/no-delay", PROMPT, "", vec![Expected::greeting("/a"); 60], End::Open)
            .then([Step::Rounds(Rounds { requests: THREE, answers: 3, rounds: 20 })])
            .strict(),
        Case::new("https/two-byte-by-byte", PIPELINING, "", both, End::Open).then(bytes(&two)),
    ]
}
