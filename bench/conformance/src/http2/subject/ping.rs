//! PING (RFC 9113, section 6.7).

use crate::case::Case;
use crate::http2::frame::{flag, frame, kind, ping, request};
use crate::http2::script::{End, Event, Step, Want};
use crate::http2::site::{Site, codes, send};
use crate::rules::http2::{PING, PING_ACK, PING_SIZE, PING_STREAM};

pub(super) fn cases(site: &Site) -> Vec<Case> {
    let get = request(1, &site.get());
    let answer = || Want::Answer(1, site.answer());
    let several: Vec<u8> = (1..=5).flat_map(ping).collect();
    let pongs: Vec<Want> = (1..=5).map(Want::Pong).chain([answer()]).collect();
    let ack = frame(kind::PING, flag::ACK, 0, &7_u64.to_be_bytes());
    let size = |name, length: usize| {
        let frame = frame(kind::PING, 0, 0, &[7; 16][..length]);
        site.connection_error(name, PING_SIZE, frame, codes::SIZE)
    };
    let of = |name, bytes: Vec<u8>, wants: Vec<Want>| {
        site.case(name, PING, site.sent([bytes, get.clone()].concat()).or(wants, End::Open))
    };
    let data = 0x0102_0304_0506_0708;
    let ack_and_more = [ack, ping(8), get.clone()].concat();
    let unanswered = [Want::NoPong(7), Want::Pong(8), answer()];
    let alone = site.sent(ping(9)).then([Step::Await(Event::Pong(9)), send(&get)]);
    vec![
        of("h2-ping/answered", ping(data), vec![Want::Pong(data), answer()]),
        of("h2-ping/of-zeros", ping(0), vec![Want::Pong(0), answer()]),
        of("h2-ping/several", several, pongs),
        site.case("h2-ping/before-any-request", PING, alone.or([Want::Pong(9), answer()], End::Open)),
        // The RFCs leave open what else a server does.
        site.case(
            "h2-ping/ack-that-none-asked-for",
            PING_ACK,
            site.sent(ack_and_more).or(unanswered, End::Open).left_open([Want::NoPong(7)], End::Closed),
        ),
        site.connection_error(
            "h2-ping/on-a-stream",
            PING_STREAM,
            frame(kind::PING, 0, 1, &[7; 8]),
            codes::PROTOCOL,
        ),
        size("h2-ping/empty", 0),
        size("h2-ping/seven-bytes", 7),
        size("h2-ping/nine-bytes", 9),
    ]
}
