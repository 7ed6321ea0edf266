//! Priorities of RFC 7540, which servers may ignore (RFC 9113, sections 5.3.2 and 6.3).

use crate::case::Case;
use crate::http2::frame::{flag, frame, kind, priority, request};
use crate::http2::script::End;
use crate::http2::site::{Site, codes, resetting};
use crate::rules::http2::{FRAME_SIZE, HEADERS_PRIORITY, PRIORITY_SIZE, PRIORITY_STATE, PRIORITY_STREAM};

/// The bit of an exclusive dependency.
const EXCLUSIVE: u32 = 1 << 31;

pub(super) fn cases(site: &Site) -> Vec<Case> {
    let get = request(1, &site.get());
    let of = |stream, dependency, weight| frame(kind::PRIORITY, 0, stream, &priority(dependency, weight));
    let before = |frames: &[Vec<u8>]| [frames.concat(), get.clone()].concat();
    let with = |dependency| {
        let payload = [priority(dependency, 200), site.get()].concat();
        frame(kind::HEADERS, flag::WHOLE | flag::PRIORITY, 1, &payload)
    };
    // The groups by which Firefox once arranged its requests.
    let groups = [of(3, 0, 200), of(5, 0, 100), of(7, 0, 0), of(9, 7, 0), of(11, 3, 0)];
    let short = frame(kind::PRIORITY, 0, 1, &[0; 4]);
    let size = |payload: &[u8]| resetting(site.blocked(frame(kind::PRIORITY, 0, 1, payload)), codes::SIZE);
    let cut = frame(kind::HEADERS, flag::WHOLE | flag::PRIORITY, 1, &[0, 0, 0]);
    vec![
        site.answered("h2-priority/of-an-idle-stream", PRIORITY_STATE, before(&[of(7, 0, 15)])),
        site.answered("h2-priority/of-the-next-stream", PRIORITY_STATE, before(&[of(1, 0, 255)])),
        site.answered("h2-priority/of-groups", PRIORITY_STATE, before(&groups)),
        site.answered("h2-priority/exclusive", PRIORITY_STATE, before(&[of(7, EXCLUSIVE, 15)])),
        site.answered("h2-priority/after-a-request", PRIORITY_STATE, [get.clone(), of(1, 0, 0)].concat()),
        site.answered("h2-priority/in-a-request", HEADERS_PRIORITY, with(0)),
        site.answered("h2-priority/in-a-request-exclusive", HEADERS_PRIORITY, with(EXCLUSIVE)),
        site.answered("h2-priority/in-a-request-of-an-idle-stream", HEADERS_PRIORITY, with(99)),
        site.connection_error("h2-priority/without-a-stream", PRIORITY_STREAM, of(0, 3, 15), codes::PROTOCOL),
        site.case("h2-priority/four-bytes", PRIORITY_SIZE, size(&[0; 4])),
        site.case("h2-priority/six-bytes", PRIORITY_SIZE, size(&[0; 6])),
        site.connection_error("h2-priority/cut-short-in-a-request", FRAME_SIZE, cut, codes::SIZE),
        // An idle stream cannot be reset.
        site.case(
            "h2-priority/four-bytes-of-an-idle-stream",
            PRIORITY_SIZE,
            resetting(site.sent(short), codes::SIZE).or([], End::GoAway(codes::SIZE)),
        ),
    ]
}
