//! A case: what the client sends, and what the server may do about it.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::expected::Expected;
use crate::http2::Frames;
use crate::rules::Rule;
use crate::settings::{SHORT, Timeout};
use crate::socket::Transport;
use crate::target::Target;
use crate::tls::Records;

/// What the client sends on a new connection, and the alternatives that the server has.
#[must_use]
#[derive(Clone, Debug)]
pub struct Case {
    /// `subject/name`, by which manifests refer to it.
    pub name: &'static str,
    /// The sentence that it rests on.
    pub rule: Rule,
    /// How severe a failure is.
    pub severity: Severity,
    /// What is asked for in place of the endpoint's own paths.
    pub(super) target: Target,
    /// What carries it.
    pub(super) transport: Transport,
    pub(super) script: Script,
}

/// What the client does, and what is right, in the words of its protocol.
#[derive(Clone, Debug)]
pub(super) enum Script {
    /// Messages of HTTP/1.1.
    Messages(Messages),
    /// Frames of HTTP/2.
    Frames(Frames),
    /// Records of TLS.
    Records(Records),
}

/// Bytes of HTTP/1.1, and the answers to them.
#[derive(Clone, Debug)]
pub(super) struct Messages {
    pub(super) steps: Vec<Step>,
    pub(super) finish: Finish,
    pub(super) alternatives: Vec<Alternative>,
}

/// How severe it is to fail a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The RFCs leave it open: a rule of the endpoint alone, one that they only recommend, or a limit.
    Strict,
    /// The RFCs require it.
    Wrong,
    /// The server answered a request that was never sent: it found one within the bytes of another.
    Smuggling,
}

impl fmt::Display for Severity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Strict => "strict",
            Self::Wrong => "wrong",
            Self::Smuggling => "smuggling",
        })
    }
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Sends these bytes in one write.
    Send(Vec<u8>),
    /// Gives the server time to read what was sent.
    Yield,
    /// Waits until this number of answers has arrived, interim ones included.
    Await(usize),
    /// Is silent for this number of tenths of a timeout.
    Pause(Timeout, u32),
    /// Sends these requests again and again, each time once as many answers have arrived as there are
    /// requests.
    Rounds(Rounds),
    /// Sends these bytes one by one, a tenth of a timeout apart, until an answer arrives.
    Drip(Timeout, &'static str),
}

/// Requests that are sent again and again, to see whether their answers wait for an acknowledgement.
#[derive(Clone, Debug)]
pub(super) struct Rounds {
    pub(super) requests: &'static str,
    /// The number of requests.
    pub(super) answers: usize,
    pub(super) rounds: u32,
}

/// Less than the 40 ms for which Linux delays an acknowledgement, and far more than an answer takes.
pub(super) const DELAY: Duration = Duration::from_millis(30);

/// Why answers took too long: the fastest round of the last half, after which a connection delays its
/// acknowledgements; `None` where it did not.
pub(super) fn delayed(mut times: Vec<Duration>) -> Option<String> {
    let fastest = times.split_off(times.len() / 2).into_iter().min()?;
    let took = fastest.as_millis();
    (fastest > DELAY).then(|| {
        format!("expected answers that do not wait for an acknowledgement, and each time they took {took} ms")
    })
}

/// How the client finds out in the end whether the connection is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finish {
    /// It sends one more request in the last write. [`End::Open`] means that it is answered.
    Probe,
    /// It shuts down its side, after which the server has to close.
    HalfClose,
    /// It does nothing: the server has to close on its own.
    Wait,
    /// It does nothing: the server closes after one of its timeouts.
    WaitFor(Timeout),
}

#[derive(Clone, Debug)]
pub(super) struct Alternative {
    pub(super) answers: Vec<Expected>,
    /// The state of the connection after them.
    pub(super) end: End,
    /// The RFCs allow it, and the endpoint does not: it is a strict failure, whatever the case's own.
    pub(super) is_left_open: bool,
}

/// The state of the connection after the last answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Open: a further request is answered.
    Open,
    /// Closed, by an end of the stream or by a reset.
    Closed,
    /// Closed by an end of the stream. A reset could have overtaken the answer.
    ClosedCleanly,
    /// Open or closed.
    Any,
    /// No longer HTTP/1.1: the server has switched to another protocol.
    Switched,
    /// Neither answered nor closed: the server waits for the rest of a body.
    Waiting,
}

impl Case {
    /// A case with one alternative.
    pub fn new(
        name: &'static str,
        rule: Rule,
        request: impl Into<Vec<u8>>,
        answers: impl Into<Vec<Expected>>,
        end: End,
    ) -> Self {
        let steps = vec![Step::Send(request.into())];
        let alternatives = vec![Alternative { answers: answers.into(), end, is_left_open: false }];
        let messages = Messages { steps, finish: Finish::Probe, alternatives };
        Self::scripted(name, rule, Transport::Plain, Script::Messages(messages))
    }

    /// A case of any protocol.
    pub(super) fn scripted(name: &'static str, rule: Rule, transport: Transport, script: Script) -> Self {
        Self { name, rule, severity: Severity::Wrong, target: Target::Greeting, transport, script }
    }

    /// A case in which only the answers count, not the connection's state.
    pub(super) fn answered(
        name: &'static str,
        rule: Rule,
        request: impl Into<Vec<u8>>,
        answers: impl Into<Vec<Expected>>,
    ) -> Self {
        Self::new(name, rule, request, answers, End::Any)
    }

    /// A request that the server has to reject with one of these statuses, closing the connection.
    pub(super) fn rejected(
        name: &'static str,
        rule: Rule,
        request: impl Into<Vec<u8>>,
        statuses: &'static [u16],
    ) -> Self {
        Self::new(name, rule, request, [Expected::status(statuses)], End::Closed)
    }

    /// The same with other messages.
    fn with_messages(mut self, change: impl FnOnce(&mut Messages)) -> Self {
        if let Script::Messages(messages) = &mut self.script {
            change(messages);
        }
        self
    }

    fn with_alternative(self, answers: Vec<Expected>, end: End, is_left_open: bool) -> Self {
        self.with_messages(|messages| messages.alternatives.push(Alternative { answers, end, is_left_open }))
    }

    pub(super) fn or(self, answers: impl Into<Vec<Expected>>, end: End) -> Self {
        self.with_alternative(answers.into(), end, false)
    }

    /// What the RFCs allow beside what is right here. A server that does it fails strictly.
    pub(super) fn left_open(self, answers: impl Into<Vec<Expected>>, end: End) -> Self {
        self.with_alternative(answers.into(), end, true)
    }

    /// The probe follows a request that closes, which a client must not do (RFC 9112, section 9.6): a
    /// server may reject it, or all of it.
    pub(super) fn probed_after_its_end(self) -> Self {
        let bad = [Expected::status(&[400])];
        let first = self.messages().and_then(|messages| messages.alternatives.first());
        let and_bad = [first.map_or(&[][..], |right| &right.answers), &bad].concat();
        self.left_open(bad, End::Closed).left_open(and_bad, End::Closed)
    }

    /// The server may refuse the method before it looks at the framing, where it closes as well.
    pub(super) fn refused_by_method(self) -> Self {
        self.left_open([Expected::status(&[403, 404, 405, 501])], End::Closed)
    }

    pub(super) fn with_severity(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }

    pub(super) fn strict(self) -> Self {
        self.with_severity(Severity::Strict)
    }

    pub(super) fn then(self, steps: impl IntoIterator<Item = Step>) -> Self {
        self.with_messages(|messages| messages.steps.extend(steps))
    }

    pub(super) fn with_finish(self, finish: Finish) -> Self {
        self.with_messages(|messages| messages.finish = finish)
    }

    /// The same under another name, over another transport.
    pub(super) fn over(self, name: &'static str, transport: Transport) -> Self {
        Self { name, transport, ..self }
    }

    /// What it sends, where that is HTTP/1.1.
    pub(super) fn messages(&self) -> Option<&Messages> {
        match &self.script {
            Script::Messages(messages) => Some(messages),
            Script::Frames(_) | Script::Records(_) => None,
        }
    }

    /// The subject of the case.
    pub fn subject(&self) -> &'static str {
        subject_of(self.name)
    }

    /// Whether it waits for the server's timeouts.
    pub fn waits_for_timeouts(&self) -> bool {
        self.subject().ends_with("timing")
    }

    /// What a right answer is, in words: `400, then closed; or 200, then open`.
    pub fn right(&self) -> String {
        match &self.script {
            Script::Messages(messages) => messages.right(),
            Script::Frames(frames) => frames.right(),
            Script::Records(records) => records.right().to_owned(),
        }
    }

    /// Whether each of its right answers needs a connection that is served on.
    pub fn needs_more_than_one_answer(&self) -> bool {
        self.messages().is_some_and(Messages::needs_more_than_one_answer)
    }
}

impl Messages {
    fn right(&self) -> String {
        let right = self.alternatives.iter().filter(|alternative| !alternative.is_left_open);
        right.map(ToString::to_string).collect::<Vec<_>>().join("; or ")
    }

    fn needs_more_than_one_answer(&self) -> bool {
        self.alternatives.iter().filter(|alternative| !alternative.is_left_open).all(|alternative| {
            alternative.end == End::Open
                || alternative.answers.iter().filter(|answer| !answer.is_interim()).count() > 1
        })
    }

    /// The most final answers after which an alternative has no more that succeed: what succeeds after
    /// them is the answer to something else.
    pub(super) fn most_answers(&self) -> usize {
        let until_success = |alternative: &Alternative| {
            let finals: Vec<&Expected> =
                alternative.answers.iter().filter(|answer| !answer.is_interim()).collect();
            finals.iter().rposition(|answer| answer.allows(200)).map_or(finals.len(), |last| last + 1)
        };
        self.alternatives.iter().map(until_success).max().unwrap_or(0)
    }

    /// For each final answer whether it is to a HEAD and so has no body.
    pub(super) fn head_only(&self) -> Vec<bool> {
        let answers = self.alternatives.first().map_or(&[][..], |alternative| &alternative.answers);
        answers.iter().filter(|answer| !answer.is_interim()).map(|answer| answer.head_only).collect()
    }

    /// Whether its requests are of HTTP/1.0, whose clients are sent no interim answers.
    pub(super) fn is_http_1_0(&self) -> bool {
        let line = |step: &Step| match step {
            Step::Send(bytes) => bytes.split(|byte| *byte == b'\r').next().map(<[u8]>::to_vec),
            _ => None,
        };
        self.steps.iter().find_map(line).is_some_and(|line| line.ends_with(b"HTTP/1.0"))
    }

    /// The bytes of a case that is also sent split: it is one short write, and waits for no timeout.
    pub(super) fn short_write(&self) -> Option<&[u8]> {
        match (self.steps.as_slice(), self.finish) {
            (_, Finish::WaitFor(_)) => None,
            ([Step::Send(bytes)], _) if bytes.len() <= SHORT => Some(bytes),
            _ => None,
        }
    }

    /// The same in two writes, the first of `at` bytes.
    pub(super) fn split(&self, at: usize) -> Self {
        let mut messages = self.clone();
        if let [Step::Send(bytes)] = messages.steps.as_mut_slice() {
            let rest = bytes.split_off(at.min(bytes.len()));
            messages.steps.extend([Step::Yield, Step::Send(rest)]);
        }
        messages
    }
}

impl fmt::Display for Case {
    /// What it is about: its severity and rule, and what a right answer is.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rule { section, says } = self.rule;
        writeln!(out, "{} ({}, {section})", self.name, self.severity)?;
        write!(out, "  right: {}\n  rule: {says}", self.right())
    }
}

impl fmt::Display for Alternative {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answers: Vec<String> = self.answers.iter().map(ToString::to_string).collect();
        match answers.as_slice() {
            [] => out.write_str("no answer")?,
            [first, .., last] if answers.len() > 4 => {
                write!(out, "{first} … {last} ({} answers)", answers.len())?;
            }
            few => out.write_str(&few.join(", "))?,
        }
        out.write_str(match self.end {
            End::Open => ", then open",
            End::Closed => ", then closed",
            End::ClosedCleanly => ", then closed without a reset",
            End::Any => "",
            End::Switched => ", then another protocol",
            End::Waiting => ", then it waits",
        })
    }
}

/// The subject in a case's name: of `host/missing` it is `host`.
pub fn subject_of(name: &str) -> &str {
    name.split('/').next().unwrap_or(name)
}

pub(super) fn send(bytes: impl Into<Cow<'static, str>>) -> Step {
    Step::Send(bytes.into().into_owned().into_bytes())
}
