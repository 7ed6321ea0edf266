//! Compares what a server did with the alternatives of a case of HTTP/2.

use super::exchange::Exchange;
use super::frame::{MAX_PAYLOAD, code, code_name, setting};
use super::script::{Alternative, End, Frames, MOST_STREAMS, Want, codes_named};
use crate::client::Ending;

/// Whether the frames so far match one of the alternatives, given this state of the connection.
pub(super) fn is_right(script: &Frames, got: &Exchange, ending: Ending) -> bool {
    script.alternatives.iter().any(|alternative| mismatch(alternative, got, ending).is_none())
}

/// Returns the first difference, or `None` when the alternative matches. A connection that has not
/// ended yet does not count as closed.
pub(super) fn mismatch(alternative: &Alternative, got: &Exchange, ending: Ending) -> Option<String> {
    if let Some(malformed) = &got.malformed {
        return Some(malformed.clone());
    }
    alternative
        .wants
        .iter()
        .find_map(|want| unmet(want, got))
        .or_else(|| end_mismatch(alternative.end, got, ending))
}

/// Returns what was expected, if `want` is not met.
fn unmet(want: &Want, got: &Exchange) -> Option<String> {
    let stream = |stream: &u32| got.streams.get(stream);
    let is_met = match want {
        Want::Answer(id, expected) => {
            let Some(response) = stream(id).and_then(|stream| stream.response.as_ref()) else {
                return Some(format!("expected {want}"));
            };
            if let Some(wrong) = expected.mismatch(response) {
                return Some(format!("stream {id}: {wrong}"));
            }
            stream(id).is_some_and(|stream| stream.is_ended)
        }
        Want::Refusal(id) => stream(id).is_some_and(|stream| {
            stream.is_over() && stream.response.as_ref().is_some_and(|response| response.status >= 400)
        }),
        // The answer before the reset, if there is a whole one, has to have an error status.
        Want::Reset(id, codes) => stream(id).is_some_and(|stream| {
            let is_success = stream.response.as_ref().is_some_and(|response| response.status < 400);
            let is_one = |code: u32| codes.is_empty() || codes.contains(&code);
            stream.reset.is_some_and(is_one) && !(stream.is_ended && is_success)
        }),
        Want::NoAnswer(id) => stream(id).is_none_or(|stream| stream.response.is_none()),
        Want::NoContent(id) => got.content(*id) == 0,
        Want::SomeReset(codes) => got
            .streams
            .values()
            .filter_map(|stream| stream.reset)
            .any(|code| codes.is_empty() || codes.contains(&code)),
        Want::Pong(data) => got.pongs.contains(data),
        Want::NoPong(data) => !got.pongs.contains(data),
        Want::Acks(count) => got.acks == *count,
        Want::LargeFrames => got
            .settings
            .as_ref()
            .and_then(|settings| settings.get(&setting::MAX_FRAME_SIZE))
            .is_some_and(|size| *size as usize > MAX_PAYLOAD),
        Want::ManyStreams => got
            .settings
            .as_ref()
            .and_then(|settings| settings.get(&setting::MAX_CONCURRENT_STREAMS))
            .is_none_or(|limit| *limit >= MOST_STREAMS),
    };
    (!is_met).then(|| format!("expected {want}"))
}

fn end_mismatch(end: End, got: &Exchange, ending: Ending) -> Option<String> {
    let is_closed = matches!(ending, Ending::Eof | Ending::Reset);
    let goaway = got.goaway;
    // An HTTP/1.1 answer counts as an end only if its status is an error.
    let is_served = got.http_1.is_some_and(|status| status < 400);
    let of = |is_met: bool, reason: &str| (!is_met).then(|| reason.to_owned());
    match end {
        End::Any => None,
        End::Open => of(ending == Ending::Open, "expected the connection to stay open"),
        End::Closed => {
            let is_told = goaway.is_some_and(|code| code != code::NO_ERROR);
            of((is_closed || is_told) && !is_served, "expected GOAWAY or a close")
        }
        End::Over => of(is_closed && !is_served, "expected the connection to be closed"),
        End::Refused => {
            of(is_closed && !is_served && got.streams.is_empty(), "expected the connection to be closed")
        }
        End::GoAway(codes) => match goaway {
            Some(code) if !codes.contains(&code) => {
                Some(format!("expected GOAWAY {}, got {}", codes_named(codes), code_name(code)))
            }
            Some(_) => of(is_closed, "expected the connection to be closed after GOAWAY"),
            None => Some(format!("expected GOAWAY {}", codes_named(codes))),
        },
    }
}
