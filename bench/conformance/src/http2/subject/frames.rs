//! Frames of any type: their sizes, flags and reserved bits (RFC 9113, section 4).

use crate::case::Case;
use crate::expected::Expected;
use crate::http2::Frames;
use crate::http2::frame::{MAX_PAYLOAD, flag, frame, kind, last_data, opening, ping, request};
use crate::http2::hpack::field;
use crate::http2::script::{End, Want};
use crate::http2::site::{Site, codes, ending, resetting, send};
use crate::rules::Rule;
use crate::rules::http2::{
    CLIENT_PUSH, DATA, DATA_STREAM, FRAME_SIZE, HEADERS_STREAM, LARGE_FRAME, RESERVED_BIT, UNKNOWN_ANYWHERE,
    UNKNOWN_TYPE, UNUSED_FLAGS,
};
use crate::subject::shorthand::POSTED;

/// Every flag but those that HEADERS defines.
const UNUSED_BY_HEADERS: u8 = !(flag::WHOLE | flag::PADDED | flag::PRIORITY);

pub(super) fn cases(site: &Site) -> Vec<Case> {
    [ignored(site), sizes(site), misplaced(site)].concat()
}

fn ignored(site: &Site) -> Vec<Case> {
    let get = request(1, &site.get());
    let unknown = |flags, stream, length: usize| frame(kind::UNKNOWN, flags, stream, &vec![7; length]);
    let before = |bytes: Vec<u8>| [bytes, get.clone()].concat();
    let flags = frame(kind::HEADERS, flag::WHOLE | UNUSED_BY_HEADERS, 1, &site.get());
    let reserved = frame(kind::HEADERS, flag::WHOLE, 1 | 1 << 31, &site.get());
    let data_flags = frame(kind::DATA, !flag::PADDED, 1, b"abc");
    let posted = [opening(1, &site.post()), data_flags].concat();
    let ping_flags = frame(kind::PING, !flag::ACK, 0, &7_u64.to_be_bytes());
    vec![
        site.answered("h2-frames/unknown-type", UNKNOWN_TYPE, before(unknown(0, 0, 8))),
        site.answered("h2-frames/unknown-type-empty", UNKNOWN_TYPE, before(unknown(0, 0, 0))),
        site.answered("h2-frames/unknown-type-with-flags", UNKNOWN_TYPE, before(unknown(0xff, 0, 8))),
        site.answered("h2-frames/every-unknown-type", UNKNOWN_TYPE, before(all_unknown())),
        site.answered(
            "h2-frames/unknown-type-on-a-stream",
            UNKNOWN_TYPE,
            [get.clone(), unknown(0, 1, 8)].concat(),
        ),
        site.answered("h2-frames/unknown-type-on-an-idle-stream", UNKNOWN_ANYWHERE, before(unknown(0, 7, 8))),
        site.answered("h2-frames/unused-flags", UNUSED_FLAGS, flags),
        site.case(
            "h2-frames/unused-flags-of-data",
            UNUSED_FLAGS,
            site.sent(posted).or([Want::Answer(1, any_final())], End::Open),
        ),
        site.case(
            "h2-frames/unused-flags-of-ping",
            UNUSED_FLAGS,
            site.sent(before(ping_flags)).or([Want::Pong(7), Want::Answer(1, site.answer())], End::Open),
        ),
        site.answered("h2-frames/reserved-bit", RESERVED_BIT, reserved),
        site.case(
            "h2-frames/reserved-bit-of-the-connection",
            RESERVED_BIT,
            site.sent(frame(kind::PING, 0, 1 << 31, &7_u64.to_be_bytes())).or([Want::Pong(7)], End::Open),
        ),
    ]
}

/// One frame of each type that RFC 9113 does not define, except those that extensions have registered
/// (ALTSVC, ORIGIN, PRIORITY_UPDATE).
fn all_unknown() -> Vec<u8> {
    let others = (0x0a_u8..=0xff).filter(|kind| ![0x0a, 0x0c, 0x10].contains(kind));
    others.flat_map(|kind| frame(kind, 0, 0, b"x")).collect()
}

/// Any status of a final answer to a POST.
fn any_final() -> Expected {
    Expected::status(POSTED)
}

fn sizes(site: &Site) -> Vec<Case> {
    let get = request(1, &site.get());
    let largest = frame(kind::UNKNOWN, 0, 0, &vec![0; MAX_PAYLOAD]);
    let content = [opening(1, &site.post()), last_data(1, &vec![b'x'; MAX_PAYLOAD])].concat();
    let over = vec![b'x'; MAX_PAYLOAD + 1];
    let large_data = [opening(1, &site.post()), last_data(1, &over)].concat();
    let large_block = [site.get(), field("x-large", "x".repeat(MAX_PAYLOAD))].concat();
    let empty: Vec<u8> = (0..10).flat_map(|_| frame(kind::DATA, 0, 1, b"")).collect();
    let with_empty = [opening(1, &site.post()), empty, last_data(1, b"abc")].concat();
    let answered = |name, rule: Rule, bytes: Vec<u8>| {
        site.case(name, rule, site.sent(bytes).or([Want::Answer(1, any_final())], End::Open))
    };
    // Too large DATA is a stream error, unless the server takes it for a connection error.
    let data = resetting(site.sent(large_data), codes::SIZE)
        .or([], End::GoAway(codes::SIZE))
        .or([Want::LargeFrames], End::Any);
    let large = |name, bytes: Vec<u8>| {
        site.case(name, FRAME_SIZE, ending(site.sent(bytes), codes::SIZE).or([Want::LargeFrames], End::Any))
    };
    vec![
        site.answered("h2-frames/largest", LARGE_FRAME, [largest, get].concat()),
        answered("h2-frames/largest-content", LARGE_FRAME, content),
        answered("h2-frames/empty-content", DATA, with_empty),
        site.case("h2-frames/too-large-content", FRAME_SIZE, data),
        large("h2-frames/too-large-fields", request(1, &large_block)),
        large("h2-frames/too-large-settings", frame(kind::SETTINGS, 0, 0, &vec![0; 6 * 2731])),
        large("h2-frames/too-large-ping", frame(kind::PING, 0, 0, &over)),
    ]
}

fn misplaced(site: &Site) -> Vec<Case> {
    let promise = [&2_u32.to_be_bytes()[..], &site.get()].concat();
    // The stream is not closed, since a server may discard frames on a closed stream.
    let pushed = site.blocked(frame(kind::PUSH_PROMISE, flag::END_HEADERS, 1, &promise));
    let error = |name, rule, bytes| site.connection_error(name, rule, bytes, codes::PROTOCOL);
    vec![
        error("h2-frames/data-without-a-stream", DATA_STREAM, last_data(0, b"abc")),
        error("h2-frames/headers-without-a-stream", HEADERS_STREAM, request(0, &site.get())),
        site.case("h2-frames/push-of-a-client", CLIENT_PUSH, ending(pushed, codes::PROTOCOL)),
        error(
            "h2-frames/push-of-a-client-without-a-stream",
            CLIENT_PUSH,
            frame(kind::PUSH_PROMISE, flag::END_HEADERS, 0, &promise),
        ),
        site.case(
            "h2-frames/ping-and-request-in-halves",
            UNKNOWN_TYPE,
            halves(site, &[ping(7), request(1, &site.get())].concat()),
        ),
    ]
}

/// Sends these bytes in two writes, as TCP may deliver them.
fn halves(site: &Site, bytes: &[u8]) -> Frames {
    let (first, second) = bytes.split_at(bytes.len() / 2);
    site.sent(first).then([send(second)]).or([Want::Pong(7), Want::Answer(1, site.answer())], End::Open)
}
