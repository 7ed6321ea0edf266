//! Timeouts: the server serves a slow client within its timeouts, and closes after them.

use crate::case::Case;
use crate::expected::Expected;
use crate::http2::frame::{PREFACE, flag, frame, kind, last_data, opening, ping, request, setting};
use crate::http2::hpack::field;
use crate::http2::script::{End, Event, Finish, Frames, Step, Want};
use crate::http2::site::{Site, opened, send};
use crate::rules::ENDPOINT;
use crate::settings::Timeout;

/// The tenths of the idle timeout that pass before a request that the server still has to answer:
/// more than the head timeout, so that a server that confuses the two timeouts fails.
const IDLE_TENTHS: u32 = 6;

pub(super) fn cases(site: &Site) -> Vec<Case> {
    [heads(site), slow(site), waits(site)].concat().into_iter().map(Case::strict).collect()
}

/// The client sends these bytes on a new connection, then nothing. The server closes after a timeout.
fn stalled(site: &Site, name: &'static str, steps: Vec<Step>, timeout: Timeout) -> Case {
    let frames = site.raw(Vec::new()).then(steps).with_finish(Finish::WaitFor(timeout));
    site.case(name, ENDPOINT, frames.or([], End::Over))
}

/// Steps that send these bytes after both sides have sent their settings.
fn after_settings(bytes: Vec<u8>) -> Vec<Step> {
    vec![send(opened(&[])), Step::Await(Event::Settings), Step::Silence, send(bytes)]
}

fn without_end(site: &Site) -> Vec<u8> {
    frame(kind::HEADERS, flag::END_STREAM, 1, &site.get())
}

/// Prefaces, frames and field blocks that begin and never become a whole request.
fn heads(site: &Site) -> Vec<Case> {
    let get = request(1, &site.get());
    let half = |bytes: &[u8]| bytes[..bytes.len() / 2].to_vec();
    let end = frame(kind::CONTINUATION, flag::END_HEADERS, 1, &field("x-last", "1"));
    let silent = |bytes: &[u8]| vec![Step::Silence, send(bytes)];
    let head = |name, steps| stalled(site, name, steps, Timeout::Head);
    let mut dripped = after_settings(without_end(site));
    dripped.push(Step::Drip(Timeout::Head, frame(kind::CONTINUATION, 0, 1, &[])));
    vec![
        head("h2-timing/preface-of-one-byte", silent(b"P")),
        head("h2-timing/preface-stalled", silent(&half(PREFACE))),
        head("h2-timing/settings-stalled", silent(&[PREFACE, &[0, 0]].concat())),
        head("h2-timing/frame-of-one-byte", after_settings(vec![0])),
        head("h2-timing/headers-stalled", after_settings(half(&get))),
        head(
            "h2-timing/second-headers-stalled",
            after_settings([&get[..], &half(&request(3, &site.get()))].concat()),
        ),
        head("h2-timing/continuation-awaited", after_settings(without_end(site))),
        head("h2-timing/continuation-stalled", after_settings([without_end(site), half(&end)].concat())),
        head("h2-timing/continuations-dripped", dripped),
    ]
}

/// Requests that arrive slowly, but within the timeouts.
fn slow(site: &Site) -> Vec<Case> {
    let get = request(1, &site.get());
    let end = frame(kind::CONTINUATION, flag::END_HEADERS, 1, &field("x-last", "1"));
    let (begin, rest) = get.split_at(get.len() / 2);
    let (first, last) = PREFACE.split_at(PREFACE.len() / 2);
    let last = [last, &opened(&[])[PREFACE.len()..], &get].concat();
    let pause = |timeout, tenths, bytes: &[u8]| [Step::Pause(timeout, tenths), send(bytes)];
    let posted = Want::Answer(1, Expected::status(&[200, 405, 501]));
    let post = [site.post(), field("content-length", "6")].concat();
    let post = [opening(1, &post), frame(kind::DATA, 0, 1, b"abc")].concat();
    let answered = |name, frames: Frames| {
        site.case(name, ENDPOINT, frames.or([Want::Answer(1, site.answer())], End::Open))
    };
    let of = |bytes| site.raw(Vec::new()).then(after_settings(bytes));
    let both = [Want::Answer(1, site.answer()), Want::Answer(3, site.answer())];
    let next = pause(Timeout::Idle, IDLE_TENTHS, &request(3, &site.get()));
    vec![
        answered(
            "h2-timing/slow-preface",
            site.raw(Vec::new()).then([Step::Silence, send(first)]).then(pause(Timeout::Head, 4, &last)),
        ),
        answered("h2-timing/slow-headers", of(begin.to_vec()).then(pause(Timeout::Head, 4, rest))),
        answered("h2-timing/slow-continuation", of(without_end(site)).then(pause(Timeout::Head, 4, &end))),
        site.case(
            "h2-timing/slow-content",
            ENDPOINT,
            of(post).then(pause(Timeout::Head, 4, &last_data(1, b"def"))).or([posted], End::Open),
        ),
        site.case("h2-timing/idle-for-a-while", ENDPOINT, site.sent(&get).then(next).or(both, End::Open)),
        answered(
            "h2-timing/idle-for-a-while-at-first",
            site.sent([]).then(pause(Timeout::Idle, IDLE_TENTHS, &get)),
        ),
    ]
}

/// The client is silent while no head is incomplete: it is idle, it has sent only a part of its
/// content or of a PING, or it leaves no room for an answer.
fn waits(site: &Site) -> Vec<Case> {
    let idle = |name, steps| stalled(site, name, steps, Timeout::Idle);
    let post = || opening(1, &[site.post(), field("content-length", "9")].concat());
    let data = frame(kind::DATA, 0, 1, b"abcdefghi");
    vec![
        idle("h2-timing/idle-from-the-start", Vec::new()),
        idle("h2-timing/idle-after-the-preface", vec![send(opened(&[]))]),
        idle("h2-timing/idle-after-an-answer", vec![send([opened(&[]), request(1, &site.get())].concat())]),
        idle(
            "h2-timing/window-awaited",
            vec![send([opened(&[(setting::INITIAL_WINDOW_SIZE, 0)]), request(1, &site.get())].concat())],
        ),
        idle("h2-timing/content-awaited", after_settings(post())),
        idle("h2-timing/content-stalled", after_settings([&post()[..], &data[..12]].concat())),
        idle("h2-timing/ping-stalled", after_settings(ping(1)[..12].to_vec())),
    ]
}
