//! Compares what a server did on a connection of HTTP/2 with what a case allows.

use std::net::SocketAddr;
use std::time::Instant;

use super::connection::{MOST_STREAMS, exchange};
use super::exchange::Exchange;
use super::frame::{MAX_PAYLOAD, code, code_name, setting};
use super::script::{Alternative, End, Frames, Want, codes_named};
use crate::case::{Case, Severity};
use crate::check::{Failure, Played, SHORT, SPLIT_TIME};
use crate::client::Ending;
use crate::settings::Settings;

/// Codes by which a server refuses what is right, or ends, without saying that it is wrong (RFC 9113,
/// sections 5.4.1, 7 and 8.7).
const POLITE: [u32; 4] = [code::NO_ERROR, code::REFUSED_STREAM, code::CANCEL, code::ENHANCE_YOUR_CALM];

/// Plays a case against the server at `address`. Fails when no connection can be made.
pub(crate) fn play(
    address: SocketAddr,
    case: &Case,
    script: &Frames,
    settings: &Settings,
) -> std::io::Result<Played> {
    let got = exchange(address, case.transport, script, settings)?;
    let mut played = Played { failure: judge(case, script, None, &got), ..Played::default() };
    for want in script.alternatives.first().iter().flat_map(|right| &right.wants) {
        if let Want::Answer(stream, right) = want
            && let Some(response) = got.streams.get(stream).and_then(|stream| stream.response.as_ref())
        {
            played.count(std::slice::from_ref(right), &[response]);
        }
    }
    let short = script.only_write().filter(|bytes| settings.splits && bytes.len() <= SHORT);
    let deadline = Instant::now() + SPLIT_TIME;
    for at in (1..short.map_or(0, <[u8]>::len)).take_while(|_| Instant::now() < deadline) {
        if played.failure.is_some() {
            break;
        }
        let got = exchange(address, case.transport, &script.split(at), settings)?;
        played.failure = judge(case, script, Some(at), &got);
    }
    Ok(played)
}

/// Whether what has arrived is one of the alternatives, if the connection were in this state.
pub(super) fn is_right(script: &Frames, got: &Exchange, ending: Ending) -> bool {
    script.alternatives.iter().any(|alternative| mismatch(alternative, got, ending).is_none())
}

/// Why `got` is none of the case's right alternatives; `None` when it is one of them.
fn judge(case: &Case, script: &Frames, split: Option<usize>, got: &Exchange) -> Option<Failure> {
    let (mut reasons, mut is_left_open): (Vec<String>, bool) = (Vec::new(), false);
    for alternative in &script.alternatives {
        match mismatch(alternative, got, got.ending) {
            None if alternative.is_left_open => is_left_open = true,
            None => return None,
            Some(_) if alternative.is_left_open => {}
            Some(reason) if reasons.contains(&reason) => {}
            Some(reason) => reasons.push(reason),
        }
    }
    let is_strict = is_left_open || got.malformed.is_none() && ends_politely(script, got);
    let severity = if is_strict { Severity::Strict } else { case.severity };
    let reason = got.malformed.clone().unwrap_or_else(|| reasons.join(", or "));
    Some(Failure { severity, split, reason, got: got.describe(), stops_early: false, is_dropped: false })
}

/// What differs. An end that has not come yet is none.
fn mismatch(alternative: &Alternative, got: &Exchange, ending: Ending) -> Option<String> {
    if let Some(malformed) = &got.malformed {
        return Some(malformed.clone());
    }
    alternative
        .wants
        .iter()
        .find_map(|want| unmet(want, got))
        .or_else(|| end_mismatch(alternative.end, got, ending))
}

/// Why something that has to be there is not, or the reverse.
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
        // An answer before it is one that says of an error.
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
    // An answer of HTTP/1.1 is an end only where it is one of an error.
    let is_served = got.http_1.is_some_and(|status| status < 400);
    let of = |is_met: bool, reason: &str| (!is_met).then(|| reason.to_owned());
    match end {
        End::Any => None,
        End::Open => of(ending == Ending::Open, "expected the connection to stay open"),
        End::Closed => {
            let is_told = goaway.is_some_and(|code| code != code::NO_ERROR);
            of((is_closed || is_told) && !is_served, "expected GOAWAY or a close")
        }
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

/// Whether all is right as far as it goes, and the server then ended the connection or a stream without
/// a word of an error. It may do so at any time (RFC 9113, section 5.4.1).
fn ends_politely(script: &Frames, got: &Exchange) -> bool {
    let is_polite = |code: u32| POLITE.contains(&code);
    let resets: Vec<u32> = got.streams.values().filter_map(|stream| stream.reset).collect();
    let goaway = got.goaway;
    let is_ended = matches!(got.ending, Ending::Eof | Ending::Reset) || goaway.is_some();
    let is_right = |want: &Want| match want {
        Want::Answer(stream, expected) => {
            let stream = got.streams.get(stream).filter(|stream| stream.is_ended);
            let response = stream.and_then(|stream| stream.response.as_ref());
            response.is_none_or(|response| expected.mismatch(response).is_none())
        }
        _ => true,
    };
    (is_ended || !resets.is_empty())
        && got.http_1.is_none()
        && goaway.is_none_or(is_polite)
        && resets.into_iter().all(is_polite)
        && script
            .alternatives
            .iter()
            .any(|alternative| alternative.end == End::Open && alternative.wants.iter().all(is_right))
}
