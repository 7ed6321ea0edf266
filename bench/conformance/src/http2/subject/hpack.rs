//! The compression of fields (RFC 7541), with field blocks that are made byte by byte.

use crate::case::Case;
use crate::http2::Frames;
use crate::http2::frame::{flag, frame, kind, request};
use crate::http2::hpack::{
    HUFFMAN, field, form, index, indexed, integer, literal, named, size_update, string,
};
use crate::http2::script::{End, Event, Step, Want};
use crate::http2::site::{Site, codes, send};
use crate::rules::Rule;
use crate::rules::http2::{
    COMPRESSION_STATE, DECODING, DYNAMIC_TABLE, EVICTION, HUFFMAN as HUFFMAN_RULE, INDEX_RANGE, INDEX_ZERO,
    INTEGER, REPRESENTATIONS, SIZE_UPDATE, SIZE_UPDATE_PLACE, STRINGS, TABLE_SIZE,
};

/// "a" in the Huffman code is 00011, and the rest of the byte is padded with ones (RFC 7541, appendix B).
const A: u8 = 0b0001_1111;

/// The size of the dynamic table at the start of a connection, in bytes.
const TABLE: usize = 4096;

/// Indices of the static table whose fields decide how a request is answered: content-length,
/// expect, host, the conditions, range, transfer-encoding.
const UNFIT: [u8; 10] = [28, 35, 38, 39, 40, 41, 42, 43, 50, 57];

pub(super) fn cases(site: &Site) -> Vec<Case> {
    [forms(site), indices(site), integers(site), strings(site), tables(site), sizes(site)].concat()
}

/// A request whose field block cannot be decompressed.
fn broken(site: &Site, name: &'static str, rule: Rule, more: &[u8]) -> Case {
    site.connection_error(name, rule, request(1, &[&site.get(), more].concat()), codes::COMPRESSION)
}

/// A GET whose field block ends with these bytes. The server has to answer it.
fn taken(site: &Site, name: &'static str, rule: Rule, more: &[u8]) -> Case {
    site.answered(name, rule, request(1, &[&site.get(), more].concat()))
}

/// The same request in each representation of its fields.
fn forms(site: &Site) -> Vec<Case> {
    let path = site.path();
    let of = |form| {
        let named = |index, value: &str| named(form, index, value);
        [
            indexed(index::METHOD_GET),
            site.scheme_byte(),
            named(index::PATH, path),
            named(index::AUTHORITY, "h"),
            literal(form, "x-test", "1"),
        ]
        .concat()
    };
    let mut cases: Vec<Case> = [
        ("h2-hpack/with-indexing", form::INCREMENTAL),
        ("h2-hpack/without-indexing", form::PLAIN),
        ("h2-hpack/never-indexed", form::NEVER),
    ]
    .map(|(name, form)| site.answered(name, REPRESENTATIONS, request(1, &of(form))))
    .to_vec();
    // These include names of answer fields, which mean nothing in a request.
    let names: Vec<u8> = (15..=61)
        .filter(|index| !UNFIT.contains(index))
        .flat_map(|index| named(form::PLAIN, index, "1"))
        .collect();
    cases.push(taken(site, "h2-hpack/names-of-the-static-table", REPRESENTATIONS, &names));
    cases.push(taken(site, "h2-hpack/field-of-the-static-table", REPRESENTATIONS, &indexed(16)));
    cases
}

fn indices(site: &Site) -> Vec<Case> {
    vec![
        broken(site, "h2-hpack/index-0", INDEX_ZERO, &[form::INDEXED]),
        broken(site, "h2-hpack/index-of-an-empty-table", INDEX_RANGE, &indexed(index::NEWEST)),
        broken(site, "h2-hpack/index-beyond", INDEX_RANGE, &integer(form::INDEXED, 7, 1000)),
        broken(site, "h2-hpack/name-of-an-empty-table", INDEX_RANGE, &named(form::PLAIN, index::NEWEST, "1")),
        broken(
            site,
            "h2-hpack/name-of-an-empty-table-with-indexing",
            INDEX_RANGE,
            &named(form::INCREMENTAL, index::NEWEST, "1"),
        ),
    ]
}

fn integers(site: &Site) -> Vec<Case> {
    let overflow = |first: u8| [&[first][..], &[0xff; 12], &[0x7f]].concat();
    // The length of the value is 127, in two octets more than it needs.
    let padded = [form::PLAIN, 1, b'x', 0x7f, 0x80, 0x80, 0x00];
    let padded = [&padded[..], &[b'v'; 127]].concat();
    vec![
        broken(site, "h2-hpack/index-that-overflows", INTEGER, &overflow(0xff)),
        broken(
            site,
            "h2-hpack/length-that-overflows",
            INTEGER,
            &[&[form::PLAIN][..], &overflow(0x7f)].concat(),
        ),
        broken(site, "h2-hpack/size-that-overflows", INTEGER, &overflow(0x3f)),
        broken(
            site,
            "h2-hpack/index-of-63-bits",
            INTEGER,
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
        ),
        broken(site, "h2-hpack/integer-that-is-cut-off", DECODING, &[0xff, 0x80]),
        broken(site, "h2-hpack/integer-without-its-rest", DECODING, &[0xff]),
        // An implementation may limit the octets of an integer.
        taken(site, "h2-hpack/integer-with-empty-octets", INTEGER, &padded).strict(),
    ]
}

fn strings(site: &Site) -> Vec<Case> {
    let value = |bytes: &[u8]| {
        let length = HUFFMAN | u8::try_from(bytes.len()).unwrap_or(0);
        [&[form::PLAIN][..], &string("x-test"), &[length], bytes].concat()
    };
    let name = [&[form::PLAIN, HUFFMAN | 1, A][..], &string("1")].concat();
    // "www.example.com" of RFC 7541, appendix C.4.1.
    let long = [0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff];
    let cut = |bytes: &[u8]| [&[form::PLAIN][..], bytes].concat();
    vec![
        taken(site, "h2-hpack/huffman-value", STRINGS, &value(&long)),
        taken(site, "h2-hpack/huffman-name", STRINGS, &name),
        taken(site, "h2-hpack/huffman-empty", STRINGS, &value(&[])),
        // 00011 three times is 15 bits, and one bit of padding follows.
        taken(site, "h2-hpack/huffman-padded-by-one-bit", HUFFMAN_RULE, &value(&[0b0001_1000, 0b1100_0111])),
        taken(
            site,
            "h2-hpack/empty-strings",
            STRINGS,
            &[&[form::PLAIN][..], &string("x"), &string("")].concat(),
        ),
        broken(site, "h2-hpack/huffman-padded-by-a-byte", HUFFMAN_RULE, &value(&[A, 0xff])),
        broken(site, "h2-hpack/huffman-padded-with-zeros", HUFFMAN_RULE, &value(&[0b0001_1000])),
        broken(site, "h2-hpack/huffman-padding-alone", HUFFMAN_RULE, &value(&[0xff])),
        broken(site, "h2-hpack/huffman-eos", HUFFMAN_RULE, &value(&[A, 0xff, 0xff, 0xff, 0xff])),
        broken(site, "h2-hpack/huffman-eos-alone", HUFFMAN_RULE, &value(&[0xff; 4])),
        broken(site, "h2-hpack/name-longer-than-the-block", DECODING, &cut(&[0x20, b'x'])),
        broken(site, "h2-hpack/value-longer-than-the-block", DECODING, &cut(&[1, b'x', 0x7e, b'1'])),
        broken(site, "h2-hpack/name-alone", DECODING, &cut(&[1, b'x'])),
        broken(site, "h2-hpack/first-byte-alone", DECODING, &[form::INCREMENTAL]),
    ]
}

/// A script that sends one request after the other. All of them share one dynamic table.
fn in_turn(site: &Site, blocks: &[Vec<u8>]) -> Frames {
    let streams = (0..).map(|number| 1 + 2 * number);
    let steps = blocks
        .iter()
        .zip(streams)
        .flat_map(|(block, stream)| [Step::Await(Event::End(stream)), send(request(stream + 2, block))]);
    site.sent(request(1, &first(site))).then(steps)
}

/// The field block of a request that adds its path to the dynamic table as the newest entry.
fn first(site: &Site) -> Vec<u8> {
    let authority = named(form::PLAIN, index::AUTHORITY, "h");
    [
        indexed(index::METHOD_GET),
        site.scheme_byte(),
        named(form::INCREMENTAL, index::PATH, site.path()),
        authority,
    ]
    .concat()
}

/// The field block of a request whose path is the table entry at this index.
fn at(site: &Site, index: u8) -> Vec<u8> {
    let authority = named(form::PLAIN, index::AUTHORITY, "h");
    [indexed(index::METHOD_GET), site.scheme_byte(), indexed(index), authority].concat()
}

fn tables(site: &Site) -> Vec<Case> {
    let newest = || at(site, index::NEWEST);
    let wants = |count: u32| -> Vec<Want> {
        (0..count).map(|number| Want::Answer(1 + 2 * number, site.answer())).collect()
    };
    let kept = |name, rule: Rule, blocks: &[Vec<u8>]| {
        let count = u32::try_from(blocks.len()).unwrap_or(0) + 1;
        site.case(name, rule, in_turn(site, blocks).or(wants(count), End::Open))
    };
    let gone = |name, rule: Rule, blocks: &[Vec<u8>]| {
        let frames = in_turn(site, blocks).or([], End::GoAway(codes::COMPRESSION));
        site.case(name, rule, frames.left_open([], End::Closed))
    };
    let with = |more: Vec<u8>| [site.get(), more].concat();
    let second = literal(form::INCREMENTAL, "x-second", "2");
    let larger = literal(form::INCREMENTAL, "x-large", "x".repeat(TABLE));
    // Two entries that fit and leave no room for the path. Each entry counts 32 octets more than
    // its name and value.
    let filler = |number: u8| literal(form::INCREMENTAL, "x-fill", vec![b'0' + number; TABLE / 2 - 39]);
    let filled = with([filler(1), filler(2)].concat());
    // The connection has one table, which also keeps the entries of a refused request.
    let refused = [first(site), field("X-Upper", "1")].concat();
    let after_refused = site
        .sent([request(1, &refused), request(3, &newest())].concat())
        .or([Want::Reset(1, codes::PROTOCOL), Want::Answer(3, site.answer())], End::Open)
        .or([Want::Refusal(1), Want::Answer(3, site.answer())], End::Open)
        .left_open([Want::Answer(3, site.answer())], End::Open)
        .left_open([], End::Closed);
    let split = [
        frame(kind::HEADERS, flag::END_STREAM, 1, &first(site)[..4]),
        frame(kind::CONTINUATION, flag::END_HEADERS, 1, &first(site)[4..]),
        request(3, &newest()),
    ];
    vec![
        kept("h2-hpack/table-across-requests", DYNAMIC_TABLE, &[newest(), newest()]),
        kept("h2-hpack/table-grows", DYNAMIC_TABLE, &[with(second.clone()), at(site, index::NEWEST + 1)]),
        kept(
            "h2-hpack/name-of-the-table",
            DYNAMIC_TABLE,
            &[[
                indexed(index::METHOD_GET),
                site.scheme_byte(),
                named(form::PLAIN, index::NEWEST, site.path()),
                named(form::PLAIN, index::AUTHORITY, "h"),
            ]
            .concat()],
        ),
        site.case(
            "h2-hpack/table-within-a-block",
            DYNAMIC_TABLE,
            site.sent(request(1, &with([second.clone(), indexed(index::NEWEST)].concat())))
                .or(wants(1), End::Open),
        ),
        site.case(
            "h2-hpack/table-of-a-block-in-two-frames",
            DYNAMIC_TABLE,
            site.sent(split.concat()).or(wants(2), End::Open),
        ),
        gone("h2-hpack/evicted", EVICTION, &[filled, newest_after(site, 2)]),
        kept("h2-hpack/larger-than-the-table", EVICTION, &[with(larger.clone())]),
        gone("h2-hpack/emptied-by-a-larger-one", EVICTION, &[with(larger), newest()]),
        site.case("h2-hpack/table-after-a-refused-request", COMPRESSION_STATE, after_refused),
    ]
}

/// The field block of a request whose path is an entry that is older than `newer` other entries.
fn newest_after(site: &Site, newer: u8) -> Vec<u8> {
    at(site, index::NEWEST + newer)
}

fn sizes(site: &Site) -> Vec<Case> {
    let with = |updates: &[usize]| {
        let updates: Vec<u8> = updates.iter().flat_map(|size| size_update(*size)).collect();
        request(1, &[updates, site.get()].concat())
    };
    let late = [site.get(), size_update(0)].concat();
    let emptied = [size_update(0), size_update(TABLE), at(site, index::NEWEST)].concat();
    let emptied =
        in_turn(site, &[emptied]).or([], End::GoAway(codes::COMPRESSION)).left_open([], End::Closed);
    vec![
        site.answered("h2-hpack/size-of-0", TABLE_SIZE, with(&[0])),
        site.answered("h2-hpack/size-of-100", TABLE_SIZE, with(&[100])),
        site.answered("h2-hpack/size-as-it-is", TABLE_SIZE, with(&[TABLE])),
        site.answered("h2-hpack/two-sizes", SIZE_UPDATE_PLACE, with(&[0, TABLE])),
        site.case("h2-hpack/emptied-by-a-size", EVICTION, emptied),
        // This is above the limit of any server.
        site.connection_error(
            "h2-hpack/size-beyond-the-limit",
            SIZE_UPDATE,
            with(&[1 << 30]),
            codes::COMPRESSION,
        ),
        site.connection_error(
            "h2-hpack/size-after-a-field",
            SIZE_UPDATE_PLACE,
            request(1, &late),
            codes::COMPRESSION,
        )
        .strict(),
    ]
}
