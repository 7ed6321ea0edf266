//! Flow control (RFC 9113, sections 5.2 and 6.9): what a server may send, and when.

use crate::case::Case;
use crate::expected::Expected;
use crate::http2::frame::{MAX_WINDOW, WINDOW, frame, kind, opening, ping, request, setting, window_update};
use crate::http2::script::{End, Event, Frames, Step, Want};
use crate::http2::site::{Site, codes, initial_window, opened, resetting, send};
use crate::rules::http2::{
    WINDOW as RULE, WINDOW_CHANGE, WINDOW_CHANGE_OVERFLOW, WINDOW_COUNTED, WINDOW_OVERFLOW, WINDOW_RESERVED,
    WINDOW_SIZE, WINDOW_ZERO,
};

/// The number of requests, and the length of their path in bytes, for which the answers are
/// together longer than the connection's window: each greeting repeats its path.
const STREAMS: u32 = 25;
const LONG: u32 = 3000;

pub(super) fn cases(site: &Site) -> Vec<Case> {
    let mut cases = updates(site);
    // The fixed answer of another server may be too short to fill a window.
    if site.greets() {
        cases.extend([stream(site), connection(site)].concat());
    }
    cases
}

/// The preface with this initial window, and a request on stream 1.
fn with_window(site: &Site, window: u32) -> Frames {
    let values = [(setting::INITIAL_WINDOW_SIZE, window)];
    site.raw([opened(&values), request(1, &site.get())].concat())
}

/// Gives the server time to send what it wants to send: waits for its answer to a PING.
fn after_ping(data: u64) -> [Step; 2] {
    [send(ping(data)), Step::Await(Event::Pong(data))]
}

fn stream(site: &Site) -> Vec<Case> {
    let answer = || [Want::Answer(1, site.answer())];
    let head = || Step::Await(Event::Head(1));
    let at_most = |most| Step::AtMost(1, most);
    let of = |name, rule, frames: Frames| site.case(name, rule, frames.or(answer(), End::Open));
    // The new initial window gives the probe its room. It also applies to streams that are open.
    let zero = with_window(site, 0)
        .then([head()])
        .then(after_ping(1))
        .then([at_most(0), send([window_update(1, 1 << 20), initial_window(1 << 16)].concat())]);
    let one = with_window(site, 1)
        .then([Step::Await(Event::Content(1, 1))])
        .then(after_ping(1))
        .then([at_most(1), send(window_update(1, 4)), Step::Await(Event::Content(1, 5))])
        .then(after_ping(2))
        .then([at_most(5), send([window_update(1, 1000), initial_window(WINDOW)].concat())]);
    let by_settings = with_window(site, 0)
        .then([head()])
        .then(after_ping(1))
        .then([at_most(0), send(initial_window(WINDOW))]);
    let smaller = with_window(site, 8)
        .then([Step::Await(Event::Content(1, 8)), send(initial_window(3)), Step::Await(Event::Acks(2))])
        // The window is -5, and then -1.
        .then([send(window_update(1, 4))])
        .then(after_ping(1))
        .then([at_most(8), send(window_update(1, 3)), Step::Await(Event::Content(1, 10))])
        .then(after_ping(2))
        .then([at_most(10), send([window_update(1, 1000), initial_window(WINDOW)].concat())]);
    let get_3 = request(3, &site.get());
    let others = with_window(site, 0)
        .then([head(), send([get_3, window_update(3, 1000)].concat()), Step::Await(Event::End(3))])
        .then([at_most(0), send(initial_window(WINDOW))]);
    let before = [frame(kind::HEADERS, 5, 1, &site.get()), window_update(1, 1000)].concat();
    vec![
        of("h2-windows/none", RULE, zero),
        of("h2-windows/one-byte", RULE, one),
        of("h2-windows/opened-by-settings", WINDOW_CHANGE, by_settings),
        of("h2-windows/negative", WINDOW_CHANGE, smaller),
        of("h2-windows/of-another-stream", RULE, others),
        of("h2-windows/more-than-needed", RULE, site.sent(before)),
    ]
}

fn updates(site: &Site) -> Vec<Case> {
    let open = || opening(1, &site.post());
    let of_length = |length, stream| frame(kind::WINDOW_UPDATE, 0, stream, &[0, 0, 0, 9, 9][..length]);
    let size = |name, bytes| site.connection_error(name, WINDOW_SIZE, bytes, codes::SIZE);
    let reserved = frame(kind::WINDOW_UPDATE, 0, 0, &(1_u32 << 31 | 100).to_be_bytes());
    let zero = resetting(site.blocked(window_update(1, 0)), codes::PROTOCOL);
    // The total exceeds the initial window of every server that was tried, except where a server
    // starts with the largest window.
    let upload = site.sent([]).then([Step::Await(Event::Settings), Step::Upload(100, site.post())]);
    let largest = [window_update(0, MAX_WINDOW - WINDOW), request(1, &site.get())].concat();
    vec![
        site.case("h2-windows/given-back", WINDOW_COUNTED, upload.then([send([])]).or([], End::Open))
            .strict(),
        site.case("h2-windows/update-by-0", WINDOW_ZERO, zero),
        site.connection_error(
            "h2-windows/update-of-the-connection-by-0",
            WINDOW_ZERO,
            window_update(0, 0),
            codes::PROTOCOL,
        ),
        size("h2-windows/update-of-three-bytes", of_length(3, 0)),
        size("h2-windows/update-of-five-bytes", of_length(5, 0)),
        size("h2-windows/update-of-a-stream-of-three-bytes", [open(), of_length(3, 1)].concat()),
        site.answered(
            "h2-windows/update-with-the-reserved-bit",
            WINDOW_RESERVED,
            [reserved, request(1, &site.get())].concat(),
        )
        .strict(),
        site.answered("h2-windows/largest", WINDOW_OVERFLOW, largest),
        site.connection_error(
            "h2-windows/overflow-of-the-connection",
            WINDOW_OVERFLOW,
            [window_update(0, MAX_WINDOW), window_update(0, MAX_WINDOW)].concat(),
            codes::FLOW_CONTROL,
        ),
        site.connection_error(
            "h2-windows/overflow-by-one",
            WINDOW_OVERFLOW,
            window_update(0, MAX_WINDOW - WINDOW + 1),
            codes::FLOW_CONTROL,
        ),
    ]
}

/// Streams whose answers fill the window of the connection.
fn connection(site: &Site) -> Vec<Case> {
    let path = format!("/{}", "p".repeat(LONG as usize));
    let requests = |_: ()| -> Vec<u8> {
        (0..STREAMS).flat_map(|number| request(1 + 2 * number, &site.block("GET", &path))).collect()
    };
    let room = || window_update(0, 1 << 20);
    let full = |values: &[(u16, u32)]| {
        // The rest of the window is too small for an answer, and some servers do not split answers.
        let is_full = Step::Await(Event::Content(0, (WINDOW - LONG) as usize));
        let frames = site.raw([opened(values), requests(())].concat()).then([is_full]).then(after_ping(1));
        frames.then([Step::AtMost(0, WINDOW as usize)])
    };
    let answers: Vec<Want> =
        (0..STREAMS).map(|number| Want::Answer(1 + 2 * number, Expected::greeting(&path))).collect();
    // The initial window does not apply to the connection's window.
    let large = [(setting::INITIAL_WINDOW_SIZE, 1 << 20)];
    let overflow =
        full(&[]).then([Step::Unfinished(|stream| window_update(stream, MAX_WINDOW)), send(room())]);
    let by_settings = full(&[]).then([
        Step::Unfinished(|stream| window_update(stream, MAX_WINDOW - WINDOW)),
        send([initial_window(WINDOW + 2 * LONG), room()].concat()),
    ]);
    vec![
        site.case(
            "h2-windows/of-the-connection",
            RULE,
            full(&[]).then([send(room())]).or(answers.clone(), End::Open),
        ),
        site.case(
            "h2-windows/of-the-connection-and-not-by-settings",
            RULE,
            full(&large).then([send(room())]).or(answers, End::Open),
        ),
        site.case(
            "h2-windows/overflow-of-a-stream",
            WINDOW_OVERFLOW,
            overflow
                .or([Want::SomeReset(codes::FLOW_CONTROL)], End::Open)
                .or([], End::GoAway(codes::FLOW_CONTROL))
                .left_open([Want::SomeReset(&[])], End::Open)
                .left_open([], End::Closed),
        ),
        site.case(
            "h2-windows/overflow-by-settings",
            WINDOW_CHANGE_OVERFLOW,
            crate::http2::site::ending(by_settings, codes::FLOW_CONTROL),
        ),
    ]
}
