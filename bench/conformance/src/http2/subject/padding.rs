//! Padding of DATA and HEADERS (RFC 9113, sections 6.1 and 6.2).

use crate::case::Case;
use crate::expected::Expected;
use crate::http2::frame::{flag, frame, kind, opening, priority};
use crate::http2::script::{End, Want};
use crate::http2::site::{Site, codes};
use crate::rules::http2::{DATA_PADDING, FRAME_SIZE, HEADERS_PADDING};
use crate::subject::shorthand::POSTED;

/// Flags of a request in one frame.
const HEADERS: u8 = flag::WHOLE | flag::PADDED;
/// Flags of content in one frame.
const DATA: u8 = flag::END_STREAM | flag::PADDED;

pub(super) fn cases(site: &Site) -> Vec<Case> {
    let get = site.get();
    let headers = |padding: u8, zeros: usize| {
        frame(kind::HEADERS, HEADERS, 1, &[&[padding], get.as_slice(), &vec![0; zeros]].concat())
    };
    let answered =
        |name, padding: u8| site.answered(name, HEADERS_PADDING, headers(padding, usize::from(padding)));
    let with_priority = [&[9], priority(0, 15).as_slice(), &get, &[0; 9]].concat();
    let both = frame(kind::HEADERS, HEADERS | flag::PRIORITY, 1, &with_priority);
    let data = |bytes: &[u8]| [opening(1, &site.post()), frame(kind::DATA, DATA, 1, bytes)].concat();
    let taken = |name, bytes: &[u8]| {
        let wants = [Want::Answer(1, Expected::status(POSTED))];
        site.case(name, DATA_PADDING, site.sent(data(bytes)).or(wants, End::Open))
    };
    let length = u8::try_from(get.len()).unwrap_or(u8::MAX);
    let headers_error = |name, bytes| site.connection_error(name, HEADERS_PADDING, bytes, codes::PROTOCOL);
    let data_error =
        |name, bytes: &[u8]| site.connection_error(name, DATA_PADDING, data(bytes), codes::PROTOCOL);
    vec![
        answered("h2-padding/fields", 10),
        answered("h2-padding/fields-by-none", 0),
        answered("h2-padding/fields-by-255", 255),
        site.answered("h2-padding/fields-with-a-priority", HEADERS_PADDING, both),
        headers_error("h2-padding/fields-as-long-as-the-payload", headers(length + 1, 0)),
        headers_error("h2-padding/fields-longer-than-the-payload", headers(length + 2, 0)),
        headers_error("h2-padding/fields-by-255-that-are-not-there", headers(255, 0)),
        site.connection_error(
            "h2-padding/fields-without-its-length",
            FRAME_SIZE,
            frame(kind::HEADERS, HEADERS, 1, &[]),
            codes::SIZE,
        ),
        taken("h2-padding/content", &[2, b'a', b'b', b'c', 0, 0]),
        taken("h2-padding/content-by-none", &[0, b'a', b'b', b'c']),
        taken("h2-padding/nothing-but-padding", &[3, 0, 0, 0]),
        data_error("h2-padding/content-as-long-as-the-payload", &[4, 0, 0, 0]),
        data_error("h2-padding/content-longer-than-the-payload", &[255, 0, 0, 0]),
    ]
}
