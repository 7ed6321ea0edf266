//! A case: what the client sends on a connection, and how the server may respond.

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

/// What the client sends on a new connection, and the alternatives for the server's response.
#[must_use]
#[derive(Clone, Debug)]
pub struct Case {
    /// The name of the case, as `subject/name`. Manifests refer to it.
    pub name: &'static str,
    /// The rule that the case tests.
    pub rule: Rule,
    /// How severe a failure is.
    pub severity: Severity,
    /// The server that the case is for: the endpoint, or one path of another server.
    pub(super) target: Target,
    pub(super) transport: Transport,
    pub(super) script: Script,
}

/// What the client does and which responses are right, per protocol.
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
    /// The RFCs leave the behaviour open: it is a rule of the endpoint alone, a recommendation, or
    /// a limit.
    Strict,
    /// The RFCs require the behaviour.
    Wrong,
    /// The server answered a request that was never sent, but is hidden within another one.
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
    /// Sends these requests repeatedly. Each round starts when the previous one has been answered.
    Rounds(Rounds),
    /// Sends these bytes one by one, a tenth of a timeout apart, until an answer arrives.
    Drip(Timeout, &'static str),
}

/// Requests that are sent repeatedly, to find out whether answers wait for a TCP acknowledgement.
#[derive(Clone, Debug)]
pub(super) struct Rounds {
    pub(super) requests: &'static str,
    /// The number of answers to wait for per round, which is the number of requests.
    pub(super) answers: usize,
    pub(super) rounds: u32,
}

/// The longest time of a round that does not wait for an acknowledgement: less than the 40 ms by
/// which Linux delays one, and far more than an answer takes.
pub(super) const DELAY: Duration = Duration::from_millis(30);

/// Returns a message when the answers waited for acknowledgements: when even the fastest round of
/// the second half took longer than [`DELAY`]. In the first half the kernel may not delay them yet.
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
    /// The client sends one more request in the last write; [`End::Open`] requires its answer.
    Probe,
    /// The client shuts down its side, after which the server has to close.
    HalfClose,
    /// The client does nothing: the server has to close on its own.
    Wait,
    /// The client does nothing: the server closes after one of its timeouts.
    WaitFor(Timeout),
}

#[derive(Clone, Debug)]
pub(super) struct Alternative {
    pub(super) answers: Vec<Expected>,
    /// The state of the connection after the answers.
    pub(super) end: End,
    /// Whether the RFCs allow this alternative, and the endpoint does not. It is then a strict
    /// failure, whatever the severity of the case.
    pub(super) is_left_open: bool,
}

/// The state of the connection after the last answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Open: a further request is answered.
    Open,
    /// Closed, by an end of the stream or by a reset.
    Closed,
    /// Closed by an end of the stream, and not by a reset, which could have overtaken the answer.
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

    /// Applies `change` to the messages of a case of HTTP/1.1.
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

    /// Adds an alternative that the RFCs allow and the endpoint does not: it is a strict failure.
    pub(super) fn left_open(self, answers: impl Into<Vec<Expected>>, end: End) -> Self {
        self.with_alternative(answers.into(), end, true)
    }

    /// Leaves open that the server answers 400 to the probe, or to everything: the probe follows a
    /// request that closes the connection, which a client must not do (RFC 9112, section 9.6).
    pub(super) fn probed_after_its_end(self) -> Self {
        let bad = [Expected::status(&[400])];
        let first = self.messages().and_then(|messages| messages.alternatives.first());
        let and_bad = [first.map_or(&[][..], |right| &right.answers), &bad].concat();
        self.left_open(bad, End::Closed).left_open(and_bad, End::Closed)
    }

    /// Leaves open that the server refuses the method before it reads the framing, and closes.
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

    /// Returns the case under another name and over another transport.
    pub(super) fn over(self, name: &'static str, transport: Transport) -> Self {
        Self { name, transport, ..self }
    }

    /// The messages of the case, if it is a case of HTTP/1.1.
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

    /// Whether the case waits for the server's timeouts.
    pub fn waits_for_timeouts(&self) -> bool {
        self.subject().ends_with("timing")
    }

    /// The right answers in words, such as `400, then closed; or 200, then open`.
    pub fn right(&self) -> String {
        match &self.script {
            Script::Messages(messages) => messages.right(),
            Script::Frames(frames) => frames.right(),
            Script::Records(records) => records.right().to_owned(),
        }
    }

    /// Whether each right alternative needs more than one answer on the connection.
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

    /// The number of final answers up to the last one that may be 200, or of all if none may; the
    /// maximum over the alternatives. A success after them is the answer to something else.
    pub(super) fn most_answers(&self) -> usize {
        let until_success = |alternative: &Alternative| {
            let finals: Vec<&Expected> =
                alternative.answers.iter().filter(|answer| !answer.is_interim()).collect();
            finals.iter().rposition(|answer| answer.allows(200)).map_or(finals.len(), |last| last + 1)
        };
        self.alternatives.iter().map(until_success).max().unwrap_or(0)
    }

    /// For each final answer, whether it answers a HEAD request and so has no body.
    pub(super) fn head_only(&self) -> Vec<bool> {
        let answers = self.alternatives.first().map_or(&[][..], |alternative| &alternative.answers);
        answers.iter().filter(|answer| !answer.is_interim()).map(|answer| answer.head_only).collect()
    }

    /// Whether the requests are of HTTP/1.0, whose clients are sent no interim answers.
    pub(super) fn is_http_1_0(&self) -> bool {
        let line = |step: &Step| match step {
            Step::Send(bytes) => bytes.split(|byte| *byte == b'\r').next().map(<[u8]>::to_vec),
            _ => None,
        };
        self.steps.iter().find_map(line).is_some_and(|line| line.ends_with(b"HTTP/1.0"))
    }

    /// The bytes of the case, if it is also sent split: one short write that waits for no timeout.
    pub(super) fn short_write(&self) -> Option<&[u8]> {
        match (self.steps.as_slice(), self.finish) {
            (_, Finish::WaitFor(_)) => None,
            ([Step::Send(bytes)], _) if bytes.len() <= SHORT => Some(bytes),
            _ => None,
        }
    }

    /// Returns the messages in two writes, the first of `at` bytes.
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
    /// Writes the name, the severity, the rule and the right answers.
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

/// The subject in the name of a case, such as `host` in `host/missing`.
pub fn subject_of(name: &str) -> &str {
    name.split('/').next().unwrap_or(name)
}

pub(super) fn send(bytes: impl Into<Cow<'static, str>>) -> Step {
    Step::Send(bytes.into().into_owned().into_bytes())
}
