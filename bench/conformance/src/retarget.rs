//! Adapts the cases to one path of any other server.

use crate::case::{Case, Finish, Messages, Script, Step};
use crate::expected::Expected;
use crate::http2;
use crate::subject::shorthand::HIDDEN;
use crate::target::Target;

/// The paths in cases that stand for any path. A case with another path is about that path.
const ANY: [&str; 10] = ["/a", "/abc", "/b", "/h", "/next", "/old", "/1", "/2", "/3", "/late"];

/// Adapts the case to `target`. Returns `None` if the case is about the paths of the greeting, or
/// if its bytes cannot be adapted: a hidden request has to keep the length that the request around
/// it states.
pub(crate) fn retarget(case: &Case, target: &Target) -> Option<Case> {
    let Target::Fixed { path, body } = target else { return Some(case.clone()) };
    let is_about_paths = |answer: &Expected| {
        answer.path.as_deref().is_some_and(|path| !ANY.contains(&path) || case.subject() == "target")
    };
    let messages = match &case.script {
        Script::Messages(messages) => messages,
        Script::Frames(_) => return http2::case_at(case, target),
        Script::Records(_) => return Some(Case { target: target.clone(), ..case.clone() }),
    };
    if messages.alternatives.iter().flat_map(|alternative| &alternative.answers).any(is_about_paths) {
        return None;
    }
    let messages = messages_at(messages.clone(), path, body)?;
    Some(Case { target: target.clone(), script: Script::Messages(messages), ..case.clone() })
}

fn messages_at(mut messages: Messages, path: &str, body: &str) -> Option<Messages> {
    for step in &mut messages.steps {
        match step {
            Step::Send(bytes) => *bytes = at_path(bytes, path)?,
            Step::Drip(..) | Step::Rounds(_) => return None,
            Step::Yield | Step::Await(_) | Step::Pause(..) => {}
        }
    }
    for alternative in &mut messages.alternatives {
        for answer in &mut alternative.answers {
            *answer = std::mem::take(answer).with_text(body);
        }
    }
    Some(messages)
}

/// Replaces the paths in `bytes` that stand for any path by `path`.
fn at_path(bytes: &[u8], path: &str) -> Option<Vec<u8>> {
    let mut bytes = bytes.to_vec();
    if contains(&bytes, HIDDEN.as_bytes()) {
        bytes = replace(&bytes, HIDDEN.as_bytes(), hidden(path)?.as_bytes());
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes.as_slice();
    while let [first, after @ ..] = rest {
        // Fast, since some cases have megabytes: only these two bytes can begin a target.
        let target = matches!(first, b' ' | b'h').then(|| target_at(rest)).flatten();
        if let Some((before, length)) = target {
            out.extend_from_slice(before);
            out.extend_from_slice(path.as_bytes());
            rest = &rest[length..];
        } else {
            out.push(*first);
            rest = after;
        }
    }
    Some(out)
}

/// If `bytes` begins with a target whose path stands for any path, returns the part of it before
/// the path, and the length of that part and the path.
fn target_at(bytes: &[u8]) -> Option<(&'static [u8], usize)> {
    let forms: [(&[u8], &[u8]); 2] = [(b" ", b" ?#"), (b"http://h", b" ")];
    forms.into_iter().find_map(|(before, ends)| {
        let target = bytes.strip_prefix(before)?;
        let is_whole = |any: &&str| {
            let end = target.strip_prefix(any.as_bytes()).and_then(<[u8]>::first);
            end.is_some_and(|end| ends.contains(end))
        };
        ANY.iter().find(|any| is_whole(any)).map(|any| (before, before.len() + any.len()))
    })
}

/// The hidden request for `path`, as long as [`HIDDEN`]: a longer path makes its host shorter.
fn hidden(path: &str) -> Option<String> {
    let request = HIDDEN.replace("/smuggled", path);
    let host = HIDDEN.split_once("Host: ")?.1.trim_end();
    let length = (host.len() + HIDDEN.len()).checked_sub(request.len()).filter(|length| *length > 0)?;
    Some(request.replace(host, &"h".repeat(length)))
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    out
}

/// Whether a case hides a request for the path of its target within another request.
pub(crate) fn hides_a_request(case: &Case, messages: &Messages) -> bool {
    let Target::Fixed { path, .. } = &case.target else { return true };
    let hidden = hidden(path).unwrap_or_default();
    let hides = |step: &Step| matches!(step, Step::Send(bytes) if contains(bytes, hidden.as_bytes()));
    !hidden.is_empty() && messages.finish == Finish::Probe && messages.steps.iter().any(hides)
}
