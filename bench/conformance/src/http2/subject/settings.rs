//! SETTINGS (RFC 9113, section 6.5).

use crate::case::Case;
use crate::http2::frame::{MAX_WINDOW, WINDOW, flag, frame, kind, request, setting, settings};
use crate::http2::script::{End, Event, Step, Want};
use crate::http2::site::{Site, codes, opened, send};
use crate::rules::http2::{
    ACKNOWLEDGED, SETTINGS, SETTINGS_ACK, SETTINGS_SIZE, SETTINGS_STREAM, SETTINGS_VALUES, TABLE_SIZE,
    UNKNOWN_SETTINGS, UNUSED_FLAGS,
};

pub(super) fn cases(site: &Site) -> Vec<Case> {
    [acknowledged(site), taken(site), refused(site)].concat()
}

fn acknowledged(site: &Site) -> Vec<Case> {
    let get = request(1, &site.get());
    let three = [settings(&[]), settings(&[(setting::MAX_FRAME_SIZE, 16_384)]), settings(&[])].concat();
    let of = |name, bytes: Vec<u8>, count| {
        let wants = [Want::Acks(count), Want::Answer(1, site.answer())];
        let steps = [Step::Await(Event::Acks(count)), send(&get)];
        site.case(name, ACKNOWLEDGED, site.sent(bytes).then(steps).or(wants, End::Open))
    };
    let later = site
        .sent(&get)
        .then([Step::Await(Event::End(1)), send(settings(&[])), Step::Await(Event::Acks(2))])
        .or([Want::Acks(2)], End::Any)
        .with_finish(crate::http2::script::Finish::Wait);
    vec![
        of("h2-settings/acknowledged", Vec::new(), 1),
        of("h2-settings/each-acknowledged", three, 4),
        site.case("h2-settings/acknowledged-after-an-answer", ACKNOWLEDGED, later),
    ]
}

/// Values that a server has to accept.
fn taken(site: &Site) -> Vec<Case> {
    let get = request(1, &site.get());
    let with = |values: &[(u16, u32)]| [settings(values), get.clone()].concat();
    let twice = [(setting::INITIAL_WINDOW_SIZE, 0), (setting::INITIAL_WINDOW_SIZE, WINDOW)];
    let many: Vec<(u16, u32)> = (0x1000..0x1064).map(|name| (name, 7)).collect();
    let all = [
        (setting::HEADER_TABLE_SIZE, 4096),
        (setting::ENABLE_PUSH, 0),
        (setting::MAX_CONCURRENT_STREAMS, 100),
        (setting::INITIAL_WINDOW_SIZE, 1 << 20),
        (setting::MAX_FRAME_SIZE, 1 << 14),
        (setting::MAX_HEADER_LIST_SIZE, 1 << 16),
    ];
    let cases = [
        ("h2-settings/unknown", UNKNOWN_SETTINGS, vec![(0xff, 1)]),
        ("h2-settings/reserved-for-extensions", UNKNOWN_SETTINGS, vec![(0x0a0a, u32::MAX), (0xfafa, 0)]),
        ("h2-settings/of-number-0", UNKNOWN_SETTINGS, vec![(0, u32::MAX)]),
        ("h2-settings/hundred-unknown", UNKNOWN_SETTINGS, many),
        ("h2-settings/all-defined", SETTINGS, all.to_vec()),
        ("h2-settings/value-twice", SETTINGS, twice.to_vec()),
        ("h2-settings/no-streams-of-the-server", SETTINGS, vec![(setting::MAX_CONCURRENT_STREAMS, 0)]),
        ("h2-settings/largest-window", SETTINGS_VALUES, vec![(setting::INITIAL_WINDOW_SIZE, MAX_WINDOW)]),
        ("h2-settings/largest-frame", SETTINGS_VALUES, vec![(setting::MAX_FRAME_SIZE, (1 << 24) - 1)]),
        ("h2-settings/smallest-frame", SETTINGS_VALUES, vec![(setting::MAX_FRAME_SIZE, 1 << 14)]),
        ("h2-settings/largest-fields", SETTINGS, vec![(setting::MAX_HEADER_LIST_SIZE, u32::MAX)]),
    ];
    let mut cases: Vec<Case> =
        cases.into_iter().map(|(name, rule, values)| site.answered(name, rule, with(&values))).collect();
    let flags = [frame(kind::SETTINGS, 0xfe, 0, &[]), get.clone()].concat();
    cases.push(site.answered("h2-settings/unused-flags", UNUSED_FLAGS, flags));
    // The client's decoder has a table of the announced size: answers must not use more.
    let tables = [("h2-settings/no-table", 0), ("h2-settings/large-table", 1 << 20)];
    cases.extend(tables.map(|(name, size)| {
        let opening = opened(&[(setting::HEADER_TABLE_SIZE, size)]);
        let three = [1, 3, 5];
        let in_turn = three
            .iter()
            .flat_map(|stream| [send(request(*stream, &site.get())), Step::Await(Event::End(*stream))]);
        let wants: Vec<Want> = three.iter().map(|stream| Want::Answer(*stream, site.answer())).collect();
        let frames = site.raw(opening).then([Step::Await(Event::Acks(1))]).then(in_turn);
        site.case(name, TABLE_SIZE, frames.or(wants, End::Open).with_table(size))
    }));
    cases
}

fn refused(site: &Site) -> Vec<Case> {
    let values = |name, setting, value, codes| {
        site.connection_error(name, SETTINGS_VALUES, settings(&[(setting, value)]), codes)
    };
    let ack = frame(kind::SETTINGS, flag::ACK, 0, &[0, 3, 0, 0, 0, 9]);
    let of_length = |length| frame(kind::SETTINGS, 0, 0, &[0; 16][..length]);
    vec![
        values("h2-settings/push-of-2", setting::ENABLE_PUSH, 2, codes::PROTOCOL),
        values("h2-settings/window-overflow", setting::INITIAL_WINDOW_SIZE, 1 << 31, codes::FLOW_CONTROL),
        values("h2-settings/window-of-32-bits", setting::INITIAL_WINDOW_SIZE, u32::MAX, codes::FLOW_CONTROL),
        values("h2-settings/frame-too-small", setting::MAX_FRAME_SIZE, (1 << 14) - 1, codes::PROTOCOL),
        values("h2-settings/frame-of-0", setting::MAX_FRAME_SIZE, 0, codes::PROTOCOL),
        values("h2-settings/frame-too-large", setting::MAX_FRAME_SIZE, 1 << 24, codes::PROTOCOL),
        site.connection_error("h2-settings/ack-with-values", SETTINGS_ACK, ack, codes::SIZE),
        site.connection_error(
            "h2-settings/on-a-stream",
            SETTINGS_STREAM,
            frame(kind::SETTINGS, 0, 1, &[]),
            codes::PROTOCOL,
        ),
        site.connection_error("h2-settings/five-bytes", SETTINGS_SIZE, of_length(5), codes::SIZE),
        site.connection_error("h2-settings/seven-bytes", SETTINGS_SIZE, of_length(7), codes::SIZE),
        site.connection_error("h2-settings/one-byte", SETTINGS_SIZE, of_length(1), codes::SIZE),
    ]
}
