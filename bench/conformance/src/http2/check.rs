//! Compares what a server did on a connection of HTTP/2 with what a case allows.

use std::net::SocketAddr;
use std::time::Instant;

use super::connection::exchange;
use super::exchange::Exchange;
use super::frame::code;
use super::mismatch::mismatch;
use super::script::{End, Frames, Want};
use crate::case::{Case, Severity};
use crate::client::Ending;
use crate::played::{Failure, Played};
use crate::settings::{SPLIT_TIME, Settings};

/// Codes with which a server may refuse a right request, or end the connection, without calling it
/// an error (RFC 9113, sections 5.4.1, 7 and 8.7).
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
    let short = script.short_write().filter(|_| settings.splits);
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

/// Returns a failure if `got` is none of the case's right alternatives.
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

/// Whether all answers so far are right, and the server then ended the connection or a stream
/// without an error. It may do so at any time (RFC 9113, section 5.4.1).
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
