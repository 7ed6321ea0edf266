//! Compares what a server did with what a case allows.

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use answers::Response;

use crate::case::{Alternative, Case, End, Severity};
use crate::client::{Ending, Exchange, exchange};
use crate::expected::Expected;
use crate::settings::Settings;

/// The path of requests that are hidden within others. No answer may ever name it.
const SMUGGLED: &str = "/smuggled";

/// The path of requests after a malformed head. A server that rejects the head cannot know where it
/// ends, so that no answer after the rejection may name this path. A server that takes the head for
/// well-formed is wrong, but then this is simply the next request.
const BEHIND: &str = "/behind";

/// Cases of at most this number of bytes are also sent split after each of their bytes.
const SHORT: usize = 200;

/// Time for all splits of a case: ten times what they need, unless each waits for a timeout.
const SPLIT_TIME: Duration = Duration::from_secs(2);

const QUOTED: usize = 400;

/// Why a case failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// How severe it is. [`Severity::Smuggling`] only where a hidden request was answered.
    pub severity: Severity,
    /// After which byte the request was split; `None` where it was sent as a whole.
    pub split: Option<usize>,
    /// What was expected and did not happen.
    pub reason: String,
    /// What happened: the statuses, the end of the connection, and the first bytes.
    pub got: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = self.split {
            write!(out, "split after byte {at}: ")?;
        }
        write!(out, "{}; got {}", self.reason, self.got)
    }
}

/// Plays `case` against the server at `address`; `None` when the case passes.
pub fn check(address: SocketAddr, case: &Case, settings: &Settings) -> Option<Failure> {
    play(address, case, settings).err()
}

fn play(address: SocketAddr, case: &Case, settings: &Settings) -> Result<(), Failure> {
    let exchange = |played: &Case, split| {
        exchange(address, played, settings).map_err(|error| {
            let severity = case.severity.min(Severity::Wrong);
            Failure { severity, split, reason: "expected a connection".into(), got: error.to_string() }
        })
    };
    let whole = exchange(case, None)?;
    if let Some(reason) = mismatch(case, &whole) {
        return Err(failure(case, None, &whole, reason));
    }
    let short = case.only_write().filter(|bytes| settings.splits && bytes.len() <= SHORT);
    let deadline = Instant::now() + SPLIT_TIME;
    for at in (1..short.map_or(0, <[u8]>::len)).take_while(|_| Instant::now() < deadline) {
        let got = exchange(&case.split(at), Some(at))?;
        let differs = || statuses(&got).zip(statuses(&whole)).any(|(got, whole)| got != whole);
        let reason = mismatch(case, &got).or_else(|| differs().then(|| "expected the same answers".into()));
        if let Some(reason) = reason {
            return Err(failure(case, Some(at), &got, reason));
        }
    }
    Ok(())
}

/// Why `got` is none of the case's alternatives; `None` when it is one of them.
fn mismatch(case: &Case, got: &Exchange) -> Option<String> {
    if is_smuggled(got) {
        return Some("a request hidden within another was answered".into());
    }
    let mut reasons = Vec::new();
    for alternative in &case.alternatives {
        let reason = differs_from(alternative, got)?;
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    Some(reasons.join(", or "))
}

fn differs_from(alternative: &Alternative, got: &Exchange) -> Option<String> {
    let responses = without_other_interim(&alternative.answers, &got.responses);
    let mut pairs = alternative.answers.iter().zip(&responses).zip(1..);
    let wrong = pairs.find_map(|((expected, response), number)| {
        Some(format!("answer {number}: {}", expected.mismatch(response)?))
    });
    if wrong.is_some() || got.malformed.is_some() {
        return wrong.or_else(|| got.malformed.clone());
    }
    let (expected, count) = (alternative.answers.len(), responses.len());
    if let Some(missing) = alternative.answers.get(count) {
        return Some(format!("expected {} as answer {}", missing.statuses(), count + 1));
    }
    if expected < count {
        return Some(match expected {
            0 => "expected no answer".into(),
            1 => "expected no more than 1 answer".into(),
            several => format!("expected no more than {several} answers"),
        });
    }
    let reason = match (alternative.end, got.ending) {
        (_, Ending::Silent) => "expected an answer or an end",
        (End::Open, Ending::Eof | Ending::Reset) => "expected the connection to stay open",
        (End::Closed | End::ClosedCleanly, Ending::Open) => "expected the connection to be closed",
        (End::ClosedCleanly, Ending::Reset) => "expected an end and not a reset",
        _ => return None,
    };
    Some(reason.into())
}

/// The responses without those interim ones that are not expected where they came: a server may
/// send any number (RFC 9110, section 15.2).
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

fn is_smuggled(got: &Exchange) -> bool {
    let names = |response: &Response, path: &str| {
        response.body.windows(path.len()).any(|window| window == path.as_bytes())
    };
    let from_rejection = got.responses.iter().skip_while(|response| response.status < 400);
    got.responses.iter().any(|response| names(response, SMUGGLED))
        || from_rejection.skip(1).any(|response| names(response, BEHIND))
}

/// The statuses that have to be the same however the bytes arrive. Interim answers are left out: a
/// server need not send one when the body is already there. So is an answer that only one of the
/// two exchanges has: a server that closes on an unread body may have read it in the other.
fn statuses(got: &Exchange) -> impl Iterator<Item = u16> {
    got.responses.iter().filter(|response| !response.is_interim()).map(|response| response.status)
}

fn failure(case: &Case, split: Option<usize>, got: &Exchange, reason: String) -> Failure {
    let severity = if is_smuggled(got) { Severity::Smuggling } else { case.severity.min(Severity::Wrong) };
    Failure { severity, split, reason, got: describe(got) }
}

fn describe(got: &Exchange) -> String {
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
        Ending::Stopped => None,
    };
    out.extend(end.map(str::to_owned));
    let summary = out.join(" ");
    if got.bytes.is_empty() {
        return summary;
    }
    let more = if got.bytes.len() > QUOTED { "…" } else { "" };
    format!("{summary}: \"{}{more}\"", got.bytes[..got.bytes.len().min(QUOTED)].escape_ascii())
}
