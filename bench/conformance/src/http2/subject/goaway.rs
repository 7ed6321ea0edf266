//! GOAWAY of a client (RFC 9113, section 6.8).

use crate::case::Case;
use crate::http2::frame::{frame, goaway, kind, request};
use crate::http2::script::{End, Finish, Want};
use crate::http2::site::{Site, codes};
use crate::rules::http2::{FRAME_SIZE, GOAWAY, GOAWAY_STREAM, UNKNOWN_CODES};

pub(super) fn cases(site: &Site) -> Vec<Case> {
    let get = request(1, &site.get());
    let after = |name, rule, bytes: Vec<u8>| {
        let frames = site.sent([get.clone(), bytes].concat()).with_finish(Finish::Wait);
        site.case(name, rule, frames.or([Want::Answer(1, site.answer())], End::Any))
    };
    vec![
        after("h2-goaway/after-a-request", GOAWAY, goaway(0, b"")).strict(),
        after("h2-goaway/with-words", GOAWAY, goaway(0, b"no more")).strict(),
        after("h2-goaway/with-an-unknown-code", UNKNOWN_CODES, goaway(0xfade, b"")).strict(),
        site.connection_error(
            "h2-goaway/on-a-stream",
            GOAWAY_STREAM,
            frame(kind::GOAWAY, 0, 1, &[0; 8]),
            codes::PROTOCOL,
        ),
        site.connection_error(
            "h2-goaway/seven-bytes",
            FRAME_SIZE,
            frame(kind::GOAWAY, 0, 0, &[0; 7]),
            codes::SIZE,
        ),
    ]
}
