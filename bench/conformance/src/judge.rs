//! Is what came back one of the outcomes that are right?

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::Settings;
use super::case::{Case, End, Outcome, Severity};
use super::client::{Ending, Exchange, exchange};
use super::response::Response;

/// The path of requests that are hidden within others: nothing may ever answer one of them.
const SMUGGLED: &str = "/smuggled";

/// The path of requests behind a head that is malformed. Where it is refused, it cannot be told where it
/// ends, so that nothing may answer one of them. Where it is taken for well-formed, that is wrong, and they
/// are just the next ones.
const BEHIND: &str = "/behind";

/// A case of so many bytes is short: it is also sent split after each of its bytes.
const SHORT: usize = 200;

/// Time for a case's splits. All of them take a tenth of it, unless the server waits for one of its timeouts
/// in each.
const SPLITTING: Duration = Duration::from_secs(2);

/// Bytes of what was got that are shown.
const SHOWN: usize = 400;

/// What is wrong with the answer to a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// How bad it is. [`Severity::Smuggling`] only where a hidden request was answered.
    pub severity: Severity,
    /// What was expected that did not come.
    pub reason: String,
    /// What came: the statuses, the end of the connection, and the start of the bytes.
    pub got: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}; got {}", self.reason, self.got)
    }
}

/// What is wrong with the answer of the server at `address` to `case`, if anything is.
pub fn check(address: SocketAddr, case: &Case, settings: &Settings) -> Option<Wrong> {
    let whole = match exchange(address, case, settings) {
        Ok(whole) => whole,
        Err(error) => return Some(unreachable(case, &error)),
    };
    if let Some(reason) = judge(case, &whole) {
        return Some(wrong(case, &whole, reason));
    }
    let bytes = case.only_write().filter(|bytes| settings.splits && bytes.len() <= SHORT)?;
    let deadline = Instant::now() + SPLITTING;
    (1..bytes.len()).take_while(|_| Instant::now() < deadline).find_map(|at| {
        let got = match exchange(address, &case.split(at), settings) {
            Ok(got) => got,
            Err(error) => return Some(unreachable(case, &error)),
        };
        let differs = || statuses(&got).zip(statuses(&whole)).any(|(got, whole)| got != whole);
        let reason = judge(case, &got).or_else(|| differs().then(|| "expected the same answers".into()))?;
        Some(wrong(case, &got, format!("split after byte {at}: {reason}")))
    })
}

/// Why `got` is none of the outcomes that are right.
fn judge(case: &Case, got: &Exchange) -> Option<String> {
    if is_smuggled(got) {
        return Some("a request hidden within another was answered".into());
    }
    let mut reasons = Vec::new();
    for outcome in &case.outcomes {
        let reason = mismatch(outcome, got)?;
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    Some(reasons.join(", or "))
}

fn mismatch(outcome: &Outcome, got: &Exchange) -> Option<String> {
    let mut pairs = outcome.answers.iter().zip(&got.responses).enumerate();
    if let Some(wrong) =
        pairs.find_map(|(place, (answer, response))| Some((place + 1, answer.wrong(response)?)))
    {
        return Some(format!("answer {}: {}", wrong.0, wrong.1));
    }
    if let Some(broken) = &got.broken {
        return Some(broken.clone());
    }
    if let Some(missing) = outcome.answers.get(got.responses.len()) {
        return Some(format!("expected {} as answer {}", missing.statuses(), got.responses.len() + 1));
    }
    if outcome.answers.len() < got.responses.len() {
        return Some(match outcome.answers.len() {
            0 => "expected no answer".into(),
            count => format!("expected no more than {count} answer{}", if count == 1 { "" } else { "s" }),
        });
    }
    match (outcome.end, got.ending) {
        (_, Ending::Silent) => Some("expected an answer or an end".into()),
        (End::Open, Ending::Eof | Ending::Reset) => Some("expected the connection to stay open".into()),
        (End::Closed | End::ClosedCleanly, Ending::Open) => {
            Some("expected the connection to be closed".into())
        }
        (End::ClosedCleanly, Ending::Reset) => Some("expected an end and not a reset".into()),
        _ => None,
    }
}

fn is_smuggled(got: &Exchange) -> bool {
    let is_for = |response: &Response, path: &str| {
        response.body.windows(path.len()).any(|window| window == path.as_bytes())
    };
    let after_refusal = got.responses.iter().skip_while(|response| response.status < 400);
    got.responses.iter().any(|response| is_for(response, SMUGGLED))
        || after_refusal.skip(1).any(|response| is_for(response, BEHIND))
}

/// What has to be the same however the bytes arrive, as far as there are answers: an interim one may be left
/// out when the body is there already, and a server that closes on a body it has not read may have read it.
fn statuses(got: &Exchange) -> impl Iterator<Item = u16> {
    got.responses.iter().filter(|response| !response.is_interim()).map(|response| response.status)
}

fn wrong(case: &Case, got: &Exchange, reason: String) -> Wrong {
    let severity = match (is_smuggled(got), case.severity) {
        (true, _) => Severity::Smuggling,
        (false, severity) => severity.min(Severity::Wrong),
    };
    Wrong { severity, reason, got: describe(got) }
}

fn unreachable(case: &Case, error: &std::io::Error) -> Wrong {
    let severity = case.severity.min(Severity::Wrong);
    Wrong { severity, reason: "expected a connection".into(), got: error.to_string() }
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
    let more = if got.bytes.len() > SHOWN { "…" } else { "" };
    format!("{summary}: \"{}{more}\"", got.bytes[..got.bytes.len().min(SHOWN)].escape_ascii())
}
