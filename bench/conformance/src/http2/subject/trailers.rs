//! Field blocks after the content of a request (RFC 9113, section 8.1).

use crate::case::Case;
use crate::expected::Expected;
use crate::http2::frame::{flag, frame, kind, opening, request};
use crate::http2::hpack::field;
use crate::http2::script::{End, Want};
use crate::http2::site::Site;
use crate::rules::http2::{NAMES, TRAILERS};
use crate::subject::shorthand::POSTED;

pub(super) fn cases(site: &Site) -> Vec<Case> {
    let content = [opening(1, &site.post()), frame(kind::DATA, 0, 1, b"abc")].concat();
    let with = |flags, block: Vec<u8>| [content.clone(), frame(kind::HEADERS, flags, 1, &block)].concat();
    let trailer = || field("x-trailer", "1");
    let at_once = [opening(1, &site.post()), request(1, &trailer())].concat();
    let taken = |name, bytes: Vec<u8>| {
        let wants = [Want::Answer(1, Expected::status(POSTED))];
        site.case(name, TRAILERS, site.sent(bytes).or(wants, End::Open))
    };
    let halves = [
        content.clone(),
        frame(kind::HEADERS, flag::END_STREAM, 1, &trailer()),
        frame(kind::CONTINUATION, flag::END_HEADERS, 1, &field("x-second", "2")),
    ];
    vec![
        taken("h2-trailers/after-content", with(flag::WHOLE, trailer())),
        taken("h2-trailers/without-content", at_once),
        taken("h2-trailers/in-two-frames", halves.concat()),
        taken("h2-trailers/empty", with(flag::WHOLE, Vec::new())),
        site.malformed(
            "h2-trailers/that-do-not-end-the-stream",
            TRAILERS,
            with(flag::END_HEADERS, trailer()),
        ),
        site.malformed(
            "h2-trailers/with-a-pseudo-field",
            TRAILERS,
            with(flag::WHOLE, [field(":method", "POST"), trailer()].concat()),
        ),
        site.malformed("h2-trailers/with-upper-case", NAMES, with(flag::WHOLE, field("X-Trailer", "1"))),
    ]
}
