//! How a connection begins (RFC 9113, section 3.4).

use crate::case::Case;
use crate::http2::frame::{PREFACE, ping, request, settings, window_update};
use crate::http2::script::{End, Event, Frames, Step, Want};
use crate::http2::site::{Site, codes, opened, send};
use crate::rules::Rule;
use crate::rules::http2::{PREFACE as RULE, SERVER_PREFACE};

pub(super) fn cases(site: &Site) -> Vec<Case> {
    let get = request(1, &site.get());
    let answered = |name, rule: Rule, frames: Frames| {
        site.case(name, rule, frames.or([Want::Answer(1, site.answer())], End::Open))
    };
    // A server may refuse an invalid preface without an answer, or with an error of HTTP/1.1 if it
    // speaks both protocols on one port.
    let refused = |name, bytes: Vec<u8>| {
        let frames = site.raw(bytes).or([], End::GoAway(codes::PROTOCOL)).or([], End::Refused);
        site.case(name, RULE, frames.left_open([], End::Closed))
    };
    let all = [opened(&[]), get.clone()].concat();
    let bytes: Vec<Step> = all.chunks(1).map(send).collect();
    let wrong = [b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", settings(&[]).as_slice()].concat();
    let lower_case = [b"pri * http/2.0\r\n\r\nsm\r\n\r\n", settings(&[]).as_slice()].concat();
    let mut cases = vec![
        answered(
            "h2-preface/settings-without-values",
            RULE,
            site.raw([PREFACE, &settings(&[]), &get].concat()),
        ),
        answered("h2-preface/byte-by-byte", RULE, site.raw(Vec::new()).then(bytes)),
        answered(
            "h2-preface/server-first",
            SERVER_PREFACE,
            site.sent([]).then([Step::Await(Event::Settings), send(&get)]),
        ),
        answered("h2-preface/request-at-once", SERVER_PREFACE, site.sent(&get)),
        refused("h2-preface/other-end", [wrong, get.clone()].concat()),
        refused("h2-preface/lower-case", [lower_case, get.clone()].concat()),
        refused("h2-preface/no-settings", [PREFACE, &get].concat()),
        refused("h2-preface/ping-for-settings", [PREFACE, &ping(1), &settings(&[]), &get].concat()),
        refused(
            "h2-preface/window-for-settings",
            [PREFACE, &window_update(0, 9), &settings(&[]), &get].concat(),
        ),
        refused("h2-preface/garbage", [&[0; 60], &b"\r\n\r\n"[..]].concat()),
    ];
    if site.is_tls() {
        // A server may speak HTTP/1.1 on a plain port as well. Here ALPN has agreed on HTTP/2.
        let http_1 = format!("GET {} HTTP/1.1\r\nHost: h\r\n\r\n", site.path()).into_bytes();
        let frames = site.raw(http_1).or([], End::GoAway(codes::PROTOCOL)).or([], End::Refused);
        cases.push(site.case("h2-preface/http-1.1", RULE, frames.left_open([], End::Closed)));
    }
    cases
}
