//! The states and identifiers of streams (RFC 9113, section 5.1), and their reset (6.4).

use crate::case::Case;
use crate::http2::frame::{
    MAX_WINDOW, WINDOW, code, frame, kind, last_data, opening, request, reset, setting, window_update,
};
use crate::http2::script::{End, Event, Finish, Frames, Step, Want};
use crate::http2::site::{Site, codes, initial_window, opened, resetting, send};
use crate::rules::Rule;
use crate::rules::http2::{
    CLOSED, CONCURRENCY, DATA_STATE, HALF_CLOSED, IDLE, LATE_FRAMES, PRIORITY_STATE, RESET, RESET_SIZE,
    RESET_STREAM, SEVERAL, SKIPPED_STREAMS, STREAM_IDENTIFIER, UNKNOWN_CODES, WINDOW_CLOSED,
};

pub(super) fn cases(site: &Site) -> Vec<Case> {
    [idle(site), half_closed(site), closed(site), identifiers(site), resets(site), many(site)].concat()
}

fn idle(site: &Site) -> Vec<Case> {
    let error = |name, rule, bytes| site.connection_error(name, rule, bytes, codes::PROTOCOL);
    vec![
        error("h2-streams/data-on-an-idle-one", IDLE, last_data(1, b"abc")),
        error("h2-streams/window-of-an-idle-one", IDLE, window_update(1, 100)),
        error("h2-streams/reset-of-an-idle-one", RESET_STREAM, reset(1, code::CANCEL)),
    ]
}

fn half_closed(site: &Site) -> Vec<Case> {
    let frames = |bytes: Vec<u8>| resetting(site.blocked(bytes), codes::CLOSED);
    let still = |name, rule: Rule, bytes: Vec<u8>| {
        let frames = site.blocked(bytes);
        site.case(name, rule, frames.or([Want::Answer(1, site.answer())], End::Open))
    };
    vec![
        site.case("h2-streams/data-after-the-end", DATA_STATE, frames(last_data(1, b"abc"))),
        site.case("h2-streams/empty-data-after-the-end", DATA_STATE, frames(last_data(1, b""))),
        // The frame also breaks the rule that stream identifiers rise, which is a connection error.
        site.case(
            "h2-streams/headers-after-the-end",
            HALF_CLOSED,
            frames(request(1, &site.get())).or([], End::GoAway(codes::CLOSED)),
        ),
        still("h2-streams/window-after-the-end", WINDOW_CLOSED, window_update(1, 100)),
        still(
            "h2-streams/priority-after-the-end",
            PRIORITY_STATE,
            frame(kind::PRIORITY, 0, 1, &crate::http2::frame::priority(0, 15)),
        ),
    ]
}

/// A stream whose answer is whole, or that the client has reset.
fn closed(site: &Site) -> Vec<Case> {
    let answered = || site.sent(request(1, &site.get())).then([Step::Await(Event::End(1))]);
    let answer = || [Want::Answer(1, site.answer())];
    let gone = |name, rule, frames: Frames| {
        let frames = frames.or([], End::GoAway(codes::CLOSED)).or([Want::Reset(1, codes::CLOSED)], End::Open);
        // A server that has ended the stream may discard later frames.
        let frames = frames.or(answer(), End::Open).or([], End::Open);
        site.case(name, rule, frames.left_open([], End::Closed))
    };
    let late = |name, rule: Rule, bytes: Vec<u8>| {
        site.case(name, rule, answered().then([send(bytes)]).or(answer(), End::Open))
    };
    let reset_by_client = [opening(1, &site.post()), reset(1, code::CANCEL)].concat();
    let after_reset = |bytes: Vec<u8>| site.sent([reset_by_client.clone(), bytes].concat());
    vec![
        gone("h2-streams/data-on-a-closed-one", CLOSED, answered().then([send(last_data(1, b"abc"))])),
        gone("h2-streams/data-after-a-reset", CLOSED, after_reset(last_data(1, b"abc"))),
        gone("h2-streams/headers-after-a-reset", CLOSED, after_reset(request(1, &site.get()))),
        late("h2-streams/window-of-a-closed-one", WINDOW_CLOSED, window_update(1, 100)),
        late("h2-streams/reset-of-a-closed-one", LATE_FRAMES, reset(1, code::CANCEL)),
        late(
            "h2-streams/priority-of-a-closed-one",
            PRIORITY_STATE,
            frame(kind::PRIORITY, 0, 1, &crate::http2::frame::priority(0, 15)),
        ),
    ]
}

fn identifiers(site: &Site) -> Vec<Case> {
    let get = |stream| request(stream, &site.get());
    let error = |name, frames: Frames| {
        let frames = frames.or([], End::GoAway(codes::CLOSED)).left_open([], End::Closed);
        site.case(name, STREAM_IDENTIFIER, frames)
    };
    // A stream with a lower identifier is also closed, and its frames may be discarded (RFC 9113,
    // section 5.1).
    let lower = |name, frames: Frames| {
        let frames = frames.or([], End::GoAway(codes::CLOSED)).left_open([Want::NoAnswer(3)], End::Open);
        site.case(name, STREAM_IDENTIFIER, frames.left_open([], End::Closed))
    };
    let wants = |streams: &[u32]| -> Vec<Want> {
        streams.iter().map(|stream| Want::Answer(*stream, site.answer())).collect()
    };
    let skipping = site.sent([get(1), get(101), get(777)].concat()).or(wants(&[1, 101, 777]), End::Open);
    let largest = site.sent(get(MAX_WINDOW)).or(wants(&[MAX_WINDOW]), End::Any).with_finish(Finish::Wait);
    let again = site.sent(get(1)).then([Step::Await(Event::End(1)), send(get(1))]);
    vec![
        error("h2-streams/even", site.sent(get(2))),
        lower("h2-streams/lower", site.sent([get(5), get(3)].concat())),
        lower(
            "h2-streams/lower-after-an-answer",
            site.sent(get(5)).then([Step::Await(Event::End(5)), send(get(3))]),
        ),
        // A second answer would be malformed.
        lower("h2-streams/the-same-again", again),
        site.case("h2-streams/skipping", SKIPPED_STREAMS, skipping),
        site.case("h2-streams/largest", SKIPPED_STREAMS, largest),
    ]
}

fn resets(site: &Site) -> Vec<Case> {
    let size = |name, payload: &[u8]| {
        let bytes = [opening(1, &site.post()), frame(kind::RST_STREAM, 0, 1, payload)].concat();
        site.connection_error(name, RESET_SIZE, bytes, codes::SIZE)
    };
    let cancelled = |code| [opening(1, &site.post()), reset(1, code)].concat();
    let in_flight = [request(1, &site.get()), reset(1, code::CANCEL), request(3, &site.get())].concat();
    let others = site.sent(in_flight).or([Want::Answer(3, site.answer())], End::Open);
    // The blocked content is never sent, even when there is room for it again.
    let frames = site.blocked(reset(1, code::CANCEL));
    vec![
        site.connection_error(
            "h2-streams/reset-without-a-stream",
            RESET_STREAM,
            reset(0, 8),
            codes::PROTOCOL,
        ),
        size("h2-streams/reset-of-three-bytes", &[0, 0, 8]),
        size("h2-streams/reset-of-five-bytes", &[0, 0, 0, 0, 8]),
        site.open("h2-streams/reset-of-an-open-one", RESET, cancelled(code::CANCEL)),
        site.open("h2-streams/reset-with-an-unknown-code", UNKNOWN_CODES, cancelled(0xfade)),
        site.case("h2-streams/reset-among-others", RESET, others),
        site.case("h2-streams/reset-while-blocked", RESET, frames.or([Want::NoContent(1)], End::Open)),
    ]
}

fn many(site: &Site) -> Vec<Case> {
    let get = |stream| request(stream, &site.get());
    let data = |stream, last: bool| {
        if last { last_data(stream, b"x") } else { frame(kind::DATA, 0, stream, b"x") }
    };
    let interleaved = [
        opening(1, &site.post()),
        opening(3, &site.post()),
        data(1, false),
        data(3, false),
        get(5),
        data(3, true),
        data(1, true),
    ]
    .concat();
    // The answers all wait for a window, and so their streams count as open.
    let exceeding = site
        .raw(opened(&[(setting::INITIAL_WINDOW_SIZE, 0)]))
        .then([Step::Exceed(site.get()), send(initial_window(WINDOW))]);
    vec![
        site.case(
            "h2-streams/interleaved",
            SEVERAL,
            site.sent(interleaved).or([Want::Answer(5, site.answer())], End::Open),
        ),
        site.case(
            "h2-streams/more-than-allowed",
            CONCURRENCY,
            exceeding
                .or([Want::SomeReset(codes::REFUSED)], End::Any)
                .or([Want::ManyStreams], End::Any)
                .left_open([], End::Closed)
                .with_finish(Finish::Wait),
        ),
    ]
}
