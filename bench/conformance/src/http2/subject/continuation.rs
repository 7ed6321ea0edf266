//! Field blocks of several frames (RFC 9113, sections 4.3 and 6.10).

use crate::case::Case;
use crate::http2::Frames;
use crate::http2::frame::{flag, frame, kind, last_data, opening, ping, priority, request, reset, settings};
use crate::http2::script::Finish;
use crate::http2::site::{Site, codes, ending};
use crate::rules::Rule;
use crate::rules::http2::{
    CONTINUATION as RULE, CONTINUATION_ALONE, CONTINUATION_BROKEN, EXTENSION_IN_BLOCK, FIELD_BLOCK,
    HEADERS_UNFINISHED,
};

pub(super) fn cases(site: &Site) -> Vec<Case> {
    [whole(site), alone(site), broken(site)].concat()
}

/// A request whose field block is split into pieces of `size` bytes.
fn pieces(block: &[u8], size: usize) -> Vec<u8> {
    let pieces: Vec<&[u8]> = block.chunks(size).collect();
    let of = |(at, piece): (usize, &&[u8])| {
        let end = if at + 1 == pieces.len() { flag::END_HEADERS } else { 0 };
        let (kind, flags) = match at {
            0 => (kind::HEADERS, flag::END_STREAM | end),
            _ => (kind::CONTINUATION, end),
        };
        frame(kind, flags, 1, piece)
    };
    pieces.iter().enumerate().flat_map(of).collect()
}

fn continuation(end: u8, block: &[u8]) -> Vec<u8> {
    frame(kind::CONTINUATION, end, 1, block)
}

fn whole(site: &Site) -> Vec<Case> {
    let get = site.get();
    let begin = |block: &[u8]| frame(kind::HEADERS, flag::END_STREAM, 1, block);
    let (first, second) = get.split_at(3);
    let empty_first = [begin(&[]), continuation(flag::END_HEADERS, &get)].concat();
    let empty_last = [begin(&get), continuation(flag::END_HEADERS, &[])].concat();
    let empty_middle = [begin(first), continuation(0, &[]), continuation(flag::END_HEADERS, second)].concat();
    let padded = [&[4], first, &[0; 4]].concat();
    let padded = frame(kind::HEADERS, flag::END_STREAM | flag::PADDED, 1, &padded);
    let flags = [begin(first), continuation(0xff, second)].concat();
    let large = site.get_with(&[("x-large", &"x".repeat(4000))]);
    let half = get.len().div_ceil(2);
    vec![
        site.answered("h2-continuation/two-frames", FIELD_BLOCK, pieces(&get, half)),
        site.answered("h2-continuation/three-frames", RULE, pieces(&get, get.len().div_ceil(3))),
        site.answered("h2-continuation/large-fields", RULE, pieces(&large, 2048)),
        // No rule covers a frame without a fragment.
        site.answered("h2-continuation/empty-first", RULE, empty_first).strict(),
        site.answered("h2-continuation/empty-last", RULE, empty_last).strict(),
        site.answered("h2-continuation/empty-between", RULE, empty_middle).strict(),
        site.answered(
            "h2-continuation/after-padding",
            RULE,
            [padded, continuation(flag::END_HEADERS, second)].concat(),
        ),
        site.answered("h2-continuation/unused-flags", crate::rules::http2::UNUSED_FLAGS, flags),
        // Servers limit the number of CONTINUATION frames, since a field block could have no end.
        site.answered("h2-continuation/byte-by-byte", RULE, pieces(&get, 1)).strict(),
    ]
}

fn alone(site: &Site) -> Vec<Case> {
    let get = site.get();
    let after = [request(1, &get), continuation(flag::END_HEADERS, &get)].concat();
    let after_data =
        [opening(1, &site.post()), frame(kind::DATA, 0, 1, b"abc"), continuation(flag::END_HEADERS, &get)]
            .concat();
    let closed = [pieces(&get, 4), continuation(flag::END_HEADERS, &get)].concat();
    let error = |name, bytes| site.connection_error(name, CONTINUATION_ALONE, bytes, codes::PROTOCOL);
    vec![
        error("h2-continuation/first", continuation(flag::END_HEADERS, &get)),
        error("h2-continuation/after-a-whole-block", after),
        error("h2-continuation/after-the-last-of-a-block", closed),
        error("h2-continuation/after-content", after_data),
        error("h2-continuation/without-a-stream", frame(kind::CONTINUATION, flag::END_HEADERS, 0, &get)),
    ]
}

/// Other frames after HEADERS or CONTINUATION that have not ended their field block.
fn broken(site: &Site) -> Vec<Case> {
    let get = site.get();
    let (first, second) = get.split_at(3);
    let begin = frame(kind::HEADERS, flag::END_STREAM, 1, first);
    let of = |name, rule: Rule, other: Vec<u8>| {
        let bytes = [begin.clone(), other, continuation(flag::END_HEADERS, second)].concat();
        site.case(name, rule, wait(ending(site.sent(bytes), codes::PROTOCOL)))
    };
    let other_stream = frame(kind::CONTINUATION, flag::END_HEADERS, 3, second);
    let within = [begin.clone(), continuation(0, &[]), ping(1)].concat();
    vec![
        of("h2-continuation/broken-by-data", HEADERS_UNFINISHED, last_data(1, b"abc")),
        of("h2-continuation/broken-by-headers", HEADERS_UNFINISHED, request(3, &get)),
        of("h2-continuation/broken-by-headers-of-its-stream", HEADERS_UNFINISHED, request(1, &get)),
        of("h2-continuation/broken-by-ping", HEADERS_UNFINISHED, ping(1)),
        of("h2-continuation/broken-by-settings", HEADERS_UNFINISHED, settings(&[])),
        of("h2-continuation/broken-by-a-reset", HEADERS_UNFINISHED, reset(1, 8)),
        of(
            "h2-continuation/broken-by-a-priority",
            HEADERS_UNFINISHED,
            frame(kind::PRIORITY, 0, 1, &priority(0, 15)),
        ),
        of("h2-continuation/broken-by-an-unknown-type", EXTENSION_IN_BLOCK, frame(kind::UNKNOWN, 0, 0, b"x")),
        of("h2-continuation/of-another-stream", HEADERS_UNFINISHED, other_stream),
        site.case(
            "h2-continuation/broken-after-its-second-frame",
            CONTINUATION_BROKEN,
            wait(ending(site.sent(within), codes::PROTOCOL)),
        ),
    ]
}

/// Sends no probe, since a request after these frames would be one more error.
fn wait(frames: Frames) -> Frames {
    frames.with_finish(Finish::Wait)
}
