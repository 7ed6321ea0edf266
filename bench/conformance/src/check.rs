//! Compares what a server did with what a case allows.

use std::net::SocketAddr;
use std::time::Instant;

use answers::Response;

use crate::case::{Alternative, Case, End, Messages, Script, Severity};
use crate::client::{Ending, Exchange, exchange};
use crate::expected::{Expected, greeting};
use crate::http2;
use crate::played::{Failure, Played};
use crate::retarget::hides_a_request;
use crate::settings::{SPLIT_TIME, Settings};
use crate::target::Target;
use crate::tls;

/// The path of requests that are hidden within others.
const SMUGGLED: &str = "/smuggled";

/// The number of bytes that are quoted of the answer that shows a failure.
const QUOTED: usize = 200;

/// Plays `case` against the server at `address`, as a whole and, where the settings say so, split.
pub(crate) fn play(address: SocketAddr, case: &Case, settings: &Settings) -> Played {
    let played = match &case.script {
        Script::Messages(messages) => play_messages(address, case, messages, settings),
        Script::Frames(frames) => http2::play(address, case, frames, settings),
        Script::Records(records) => tls::play(address, case, records, settings),
    };
    played.unwrap_or_else(|error| refused(case, &error))
}

fn play_messages(
    address: SocketAddr,
    case: &Case,
    messages: &Messages,
    settings: &Settings,
) -> std::io::Result<Played> {
    let whole = exchange(address, case, messages, settings)?;
    let mut played = Played { failure: judge(case, messages, None, &whole), ..Played::default() };
    let right = messages.alternatives.first().map_or(&[][..], |alternative| &alternative.answers);
    played.count(right, &without_other_interim(right, &whole.responses));
    if played.failure.is_some() {
        return Ok(played);
    }
    let short = messages.short_write().filter(|_| settings.splits);
    let deadline = Instant::now() + SPLIT_TIME;
    for at in (1..short.map_or(0, <[u8]>::len)).take_while(|_| Instant::now() < deadline) {
        let got = exchange(address, case, &messages.split(at), settings)?;
        played.failure = judge(case, messages, Some(at), &got);
        if played.failure.is_some() {
            break;
        }
    }
    Ok(played)
}

fn refused(case: &Case, error: &std::io::Error) -> Played {
    let (severity, got) = (case.severity.min(Severity::Wrong), error.to_string());
    let reason = "expected a connection".to_owned();
    let failure = Failure { severity, split: None, reason, got, stops_early: false, is_dropped: false };
    Played { failure: Some(failure), is_refused: true, ..Played::default() }
}

/// Returns a failure if `got` is none of the case's right alternatives.
fn judge(case: &Case, messages: &Messages, split: Option<usize>, got: &Exchange) -> Option<Failure> {
    let hidden = hidden(case, messages, got);
    let (mut reasons, mut proof) = (Vec::new(), None);
    let (mut is_left_open, mut closes, mut stops_early) = (false, false, false);
    for alternative in &messages.alternatives {
        match mismatch(alternative, got, messages.is_http_1_0()) {
            None if alternative.is_left_open => is_left_open = true,
            None if hidden.is_none() => return None,
            None => {}
            Some(_) if alternative.is_left_open => {}
            Some((reason, at)) => {
                closes |= self::stops_early(alternative, got) && got.ending != Ending::Silent;
                stops_early |= self::stops_early(alternative, got) && !got.responses.is_empty();
                proof = proof.max(at);
                if !reasons.contains(&reason) {
                    reasons.push(reason);
                }
            }
        }
    }
    let severity = match hidden {
        Some(_) if !is_left_open => Severity::Smuggling,
        _ if is_left_open || closes => Severity::Strict,
        _ => case.severity.min(Severity::Wrong),
    };
    let reason = match severity {
        Severity::Smuggling => "a request hidden within another was answered".to_owned(),
        _ => reasons.join(", or "),
    };
    let proof = hidden.filter(|_| severity == Severity::Smuggling).or(proof);
    let is_dropped = got.responses.is_empty() && got.ending == Ending::Open && got.malformed.is_none();
    Some(Failure { severity, split, reason, got: describe(got, proof), stops_early, is_dropped })
}

/// Returns the first difference, and the place of the answer that shows it.
fn mismatch(alternative: &Alternative, got: &Exchange, is_http_1_0: bool) -> Option<(String, Option<usize>)> {
    let responses = if is_http_1_0 {
        got.responses.iter().collect()
    } else {
        without_other_interim(&alternative.answers, &got.responses)
    };
    let mut pairs = alternative.answers.iter().zip(&responses).zip(1..);
    let wrong = pairs.find_map(|((expected, response), number)| {
        Some((format!("answer {number}: {}", expected.mismatch(response)?), place(got, response)))
    });
    if wrong.is_some() {
        return wrong;
    }
    if let Some(malformed) = &got.malformed {
        return Some((malformed.clone(), None));
    }
    let (expected, count) = (alternative.answers.len(), responses.len());
    if let Some(missing) = alternative.answers.get(count) {
        return Some((format!("expected {} as answer {}", missing.statuses(), count + 1), None));
    }
    if expected < count {
        let reason = match expected {
            0 => "expected no answer".into(),
            1 => "expected no more than 1 answer".into(),
            several => format!("expected no more than {several} answers"),
        };
        return Some((reason, responses.get(expected).and_then(|response| place(got, response))));
    }
    let last = count.checked_sub(1).and_then(|last| place(got, responses[last]));
    Some((end_mismatch(alternative.end, got.ending)?.to_owned(), last))
}

fn end_mismatch(expected: End, got: Ending) -> Option<&'static str> {
    match (expected, got) {
        (End::Waiting, Ending::Silent) | (End::Switched, Ending::Switched) => None,
        (End::Waiting, _) => Some("expected the server to wait"),
        (End::Switched, _) => Some("expected another protocol"),
        (_, Ending::Silent) => Some("expected an answer or an end"),
        (End::Open, Ending::Eof | Ending::Reset) => Some("expected the connection to stay open"),
        (End::Closed | End::ClosedCleanly, Ending::Open) => Some("expected the connection to be closed"),
        (End::ClosedCleanly, Ending::Reset) => Some("expected an end and not a reset"),
        _ => None,
    }
}

/// Whether all answers so far are right, and the server then closed, which it may do at any time
/// (RFC 9112, section 9.5), or sent nothing more.
fn stops_early(alternative: &Alternative, got: &Exchange) -> bool {
    let finals: Vec<_> = got.responses.iter().filter(|response| !response.is_interim()).collect();
    let expected: Vec<_> = alternative.answers.iter().filter(|answer| !answer.is_interim()).collect();
    let is_short = finals.len() < expected.len() || alternative.end == End::Open;
    let is_right = finals.iter().zip(&expected).all(|(response, answer)| answer.mismatch(response).is_none());
    let has_ended = matches!(got.ending, Ending::Eof | Ending::Reset | Ending::Silent);
    is_short && is_right && has_ended && finals.len() <= expected.len() && got.malformed.is_none()
}

/// The responses without the interim ones that are not expected at their place: a server may send
/// any number of them (RFC 9110, section 15.2).
fn without_other_interim<'a>(expected: &[Expected], responses: &'a [Response]) -> Vec<&'a Response> {
    let mut kept = Vec::new();
    for response in responses {
        let is_expected = |expected: &Expected| expected.allows(response.status);
        // After 101 nothing is HTTP.
        let is_other = response.is_interim() && response.status != 101;
        if !is_other || expected.get(kept.len()).is_some_and(is_expected) {
            kept.push(response);
        }
    }
    kept
}

/// The place of the answer to a hidden request: a whole answer of its own, with a 2xx status. An
/// error page that quotes the hidden request does not count.
fn hidden(case: &Case, messages: &Messages, got: &Exchange) -> Option<usize> {
    let is_success = |response: &Response| (200..300).contains(&response.status);
    match &case.target {
        Target::Greeting => {
            let body = greeting(SMUGGLED);
            got.responses.iter().position(|response| is_success(response) && response.body == body.as_bytes())
        }
        // All answers have the same body: if there is one more than the case can have, it is to the
        // hidden request.
        Target::Fixed { body, .. } => {
            let most = messages.alternatives.iter().map(|alternative| alternative.answers.len()).max()?;
            let last = got.responses.len().checked_sub(1);
            let last = last.filter(|last| *last >= most && hides_a_request(case, messages))?;
            let response = &got.responses[last];
            (is_success(response) && response.body == body.as_bytes()).then_some(last)
        }
    }
}

fn place(got: &Exchange, wanted: &Response) -> Option<usize> {
    got.responses.iter().position(|response| std::ptr::eq(response, wanted))
}

/// Describes what happened, and quotes the answer at `proof`, or otherwise the first bytes after
/// the last well-formed answer.
fn describe(got: &Exchange, proof: Option<usize>) -> String {
    let mut out: Vec<String> =
        got.responses.iter().take(20).map(|response| response.status.to_string()).collect();
    match got.responses.len() {
        0 => out.push("no answer".into()),
        count if count > out.len() => out.push(format!("and {} more", count - out.len())),
        _ => {}
    }
    let end = match got.ending {
        Ending::Open => Some("and the connection open"),
        Ending::Eof => Some("and the connection closed"),
        Ending::Reset => Some("and the connection reset"),
        Ending::Silent => Some("and then neither an answer nor an end"),
        Ending::Switched => Some("and then another protocol"),
        Ending::Stopped => None,
    };
    out.extend(end.map(str::to_owned));
    let summary = out.join(" ");
    let start = proof.map_or(got.unread, |place| got.starts[place]);
    let end = proof.and_then(|place| got.starts.get(place + 1)).map_or(got.bytes.len(), |next| *next);
    let shown = &got.bytes[start.min(end)..end];
    if shown.is_empty() {
        return summary;
    }
    let of =
        proof.filter(|place| *place > 0).map_or_else(String::new, |place| format!(" (answer {})", place + 1));
    let more = if shown.len() > QUOTED { "…" } else { "" };
    format!("{summary}{of}: \"{}{more}\"", shown[..shown.len().min(QUOTED)].escape_ascii())
}
