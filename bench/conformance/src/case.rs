//! A case: what is sent, and the outcomes that are right.

use std::borrow::Cow;
use std::fmt;

use super::answer::Answer;

/// What is sent on a fresh connection, and the outcomes of which one has to come.
#[derive(Clone, Debug)]
pub struct Case {
    /// `subject/name`, by which manifests refer to it.
    pub name: &'static str,
    /// Where its rule comes from: a section of an RFC, or the endpoint's own rules.
    pub rule: &'static str,
    /// How bad it is to fail it.
    pub severity: Severity,
    pub(super) steps: Vec<Step>,
    pub(super) finish: Finish,
    pub(super) outcomes: Vec<Outcome>,
}

/// How bad it is to fail a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The endpoint's own rule, one that the RFCs only recommend, or one that they leave to the server's
    /// limits.
    Strict,
    /// A rule that has to be kept.
    Wrong,
    /// A request is answered that was never sent: it was found within the bytes of another.
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

/// A piece of what a client does.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// It sends these bytes in one write.
    Send(Vec<u8>),
    /// It lets the server read what was sent.
    Yield,
    /// It waits until so many answers have come, interim ones too.
    Await(usize),
    /// It does nothing, for so many tenths of one of the server's timeouts.
    Pause(Timeout, u32),
    /// It sends these bytes one by one, each a tenth of a timeout after the other, until an answer comes.
    Drip(Timeout, &'static str),
}

/// One of the server's timeouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timeout {
    /// From a head's first byte to its last.
    Head,
    /// Waiting for a first or a next request, or for the next piece of a body.
    Idle,
}

/// What a client does at last, to find out what became of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finish {
    /// It sends another request in the same write as the last bytes: [`End::Open`] is that this one is
    /// answered.
    Probe,
    /// It ends its side, after which the server has to end its own.
    HalfClose,
    /// Nothing: the server has to end the connection by itself.
    Wait,
    /// Nothing, and it takes the server one of its timeouts to end the connection.
    WaitFor(Timeout),
}

/// One outcome.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// The answers in order.
    pub(super) answers: Vec<Answer>,
    /// What becomes of the connection.
    pub(super) end: End,
}

/// What becomes of the connection after the last answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It answers a further request.
    Open,
    /// It is closed, and a further request is not answered.
    Closed,
    /// It is closed by an end of the stream and not by a reset, which could have overtaken the answer.
    ClosedCleanly,
    /// It is either open or closed.
    Any,
}

impl Case {
    /// A case with one right outcome.
    pub fn new(
        name: &'static str,
        rule: &'static str,
        request: impl Into<Vec<u8>>,
        answers: impl Into<Vec<Answer>>,
        end: End,
    ) -> Self {
        let steps = vec![Step::Send(request.into())];
        let outcomes = vec![Outcome { answers: answers.into(), end }];
        Self { name, rule, severity: Severity::Wrong, steps, finish: Finish::Probe, outcomes }
    }

    /// A case in which the answers count, and not what becomes of the connection.
    pub(super) fn answered(
        name: &'static str,
        rule: &'static str,
        request: impl Into<Vec<u8>>,
        answers: impl Into<Vec<Answer>>,
    ) -> Self {
        Self::new(name, rule, request, answers, End::Any)
    }

    /// A case whose request has to be refused with one of these statuses, and the connection closed.
    pub(super) fn refused(
        name: &'static str,
        rule: &'static str,
        request: impl Into<Vec<u8>>,
        statuses: &'static [u16],
    ) -> Self {
        Self::new(name, rule, request, [Answer::status(statuses)], End::Closed)
    }

    /// The same case with one more right outcome.
    #[must_use]
    pub(super) fn or(mut self, answers: impl Into<Vec<Answer>>, end: End) -> Self {
        self.outcomes.push(Outcome { answers: answers.into(), end });
        self
    }

    /// The same case of this severity.
    #[must_use]
    pub(super) fn severity(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }

    /// The same case, for a rule that is no more than recommended.
    #[must_use]
    pub(super) fn strict(self) -> Self {
        self.severity(Severity::Strict)
    }

    /// The same case with these steps after the first.
    #[must_use]
    pub(super) fn then(mut self, steps: impl IntoIterator<Item = Step>) -> Self {
        self.steps.extend(steps);
        self
    }

    /// The same case with another finish.
    #[must_use]
    pub(super) fn finish(self, finish: Finish) -> Self {
        Self { finish, ..self }
    }

    /// The part of the name that says what the case is about.
    pub fn subject(&self) -> &'static str {
        super::subject(self.name)
    }

    /// Which of the final answers are to a HEAD, and so have no body.
    pub(super) fn head_only(&self) -> Vec<bool> {
        let answers = self.outcomes.first().map_or(&[][..], |outcome| &outcome.answers);
        answers.iter().filter(|answer| !answer.is_interim()).map(|answer| answer.head_only).collect()
    }

    /// The bytes of a case that is one write and waits for no timeout, which is what can be split.
    pub(super) fn only_write(&self) -> Option<&[u8]> {
        match (self.steps.as_slice(), self.finish) {
            (_, Finish::WaitFor(_)) => None,
            ([Step::Send(bytes)], _) => Some(bytes),
            _ => None,
        }
    }

    /// The same case in two writes, the first of so many bytes.
    pub(super) fn split(&self, at: usize) -> Self {
        let mut case = self.clone();
        if let [Step::Send(bytes)] = case.steps.as_mut_slice() {
            let rest = bytes.split_off(at.min(bytes.len()));
            case.steps.extend([Step::Yield, Step::Send(rest)]);
        }
        case
    }
}

/// A piece that is sent.
pub(super) fn send(bytes: impl Into<Cow<'static, str>>) -> Step {
    Step::Send(bytes.into().into_owned().into_bytes())
}
