//! Limits of fields, including the path (RFC 9113, section 10.5.1). Cases about limits are strict,
//! since other servers have other limits.

use crate::case::Case;
use crate::expected::Expected;
use crate::http2::frame::{MAX_PAYLOAD, flag, frame, kind, request};
use crate::http2::hpack::{field, fields, form, index, indexed, literal};
use crate::http2::script::{End, Frames, Want};
use crate::http2::site::Site;
use crate::rules::ENDPOINT;
use crate::rules::http2::FIELD_LIMIT;

/// The limits, which are those of HTTP/1.1: bytes of a field list, bytes of a path with its query,
/// and the number of fields.
const LIST: usize = 16 * 1024;
const PATH: usize = 8 * 1024;
const FIELDS: usize = 100;

/// RFC 9110, section 15.5.15.
const TARGET_TOO_LONG: &[u16] = &[414];

/// The size in bytes of a field that is repeated from the dynamic table: most of the table.
const REPEATED: usize = 3000;

pub(super) fn cases(site: &Site) -> Vec<Case> {
    let mut cases = lists(site);
    if site.greets() {
        cases.extend(paths(site));
    }
    cases
}

fn paths(site: &Site) -> Vec<Case> {
    let case = |name, path: &str, answer| {
        let frames = site.sent(blocks(1, &site.block("GET", path)));
        site.case(name, ENDPOINT, frames.or([Want::Answer(1, answer)], End::Open)).strict()
    };
    let path = |bytes: usize| format!("/{}", "p".repeat(bytes - 1));
    let query = |bytes: usize| format!("/a?{}", "q".repeat(bytes - 3));
    let over = || Expected::status(TARGET_TOO_LONG);
    vec![
        case("h2-limits/path", &path(PATH), Expected::greeting(&path(PATH))),
        case("h2-limits/path-over", &path(PATH + 1), over()),
        case("h2-limits/path-with-a-query", &query(PATH), site.answer()),
        case("h2-limits/path-with-a-query-over", &query(PATH + 1), over()),
    ]
}

fn lists(site: &Site) -> Vec<Case> {
    let list = |bytes: usize| {
        let value = "v".repeat(100);
        let names: Vec<String> = (0..bytes / value.len()).map(|number| format!("x-{number}")).collect();
        let list: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), value.as_str())).collect();
        [site.get(), fields(&list)].concat()
    };
    let short = |count| [site.get(), field("x-short", "v").repeat(count)].concat();
    let refused =
        |name, block: Vec<u8>| site.case(name, FIELD_LIMIT, refused(site.sent(blocks(1, &block)))).strict();
    // Each repetition of the large field is one byte.
    let large = literal(form::INCREMENTAL, "x-large", "v".repeat(REPEATED));
    let repeated = [site.get(), large, indexed(index::NEWEST).repeat(100)].concat();
    let long_value = [site.get(), field("x-long", "v".repeat(2 * LIST))].concat();
    let long_name = [site.get(), field("x".repeat(2 * LIST), "v")].concat();
    let inserting = [list(2 * LIST), literal(form::INCREMENTAL, "x-table", "v")].concat();
    let after = [blocks(1, &inserting), request(3, &[site.get(), indexed(index::NEWEST)].concat())].concat();
    let answer = || Want::Answer(3, site.answer());
    let after = site
        .sent(after)
        .or([Want::Refusal(1), answer()], End::Open)
        .or([Want::Reset(1, &[]), answer()], End::Open)
        // A server with larger limits may accept the fields.
        .or([Want::Answer(1, site.answer()), answer()], End::Open)
        .or([], End::Closed);
    vec![
        site.answered("h2-limits/list", FIELD_LIMIT, blocks(1, &list(LIST / 2))).strict(),
        site.answered("h2-limits/fields", ENDPOINT, blocks(1, &short(FIELDS))).strict(),
        refused("h2-limits/fields-over", short(FIELDS + 1)),
        refused("h2-limits/list-over", list(2 * LIST)),
        refused("h2-limits/list-far-over", list(16 * LIST)),
        refused("h2-limits/list-over-by-the-table", repeated),
        refused("h2-limits/value-over", long_value),
        refused("h2-limits/name-over", long_name),
        site.case("h2-limits/table-after-a-list-over", FIELD_LIMIT, after),
    ]
}

/// Expects an error status on stream 1, a stream error, or the end of the connection.
fn refused(frames: Frames) -> Frames {
    frames.or([Want::Refusal(1)], End::Open).or([Want::Reset(1, &[])], End::Open).or([], End::Closed)
}

/// A request without content whose field block may be longer than a frame.
fn blocks(stream: u32, block: &[u8]) -> Vec<u8> {
    let count = block.chunks(MAX_PAYLOAD).len();
    let of = |(at, part): (usize, &[u8])| {
        let end = if at + 1 == count { flag::END_HEADERS } else { 0 };
        match at {
            0 => frame(kind::HEADERS, flag::END_STREAM | end, stream, part),
            _ => frame(kind::CONTINUATION, end, stream, part),
        }
    };
    block.chunks(MAX_PAYLOAD).enumerate().flat_map(of).collect()
}
