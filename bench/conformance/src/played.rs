//! The result of playing a case of any protocol.

use std::fmt;

use answers::Response;

use crate::case::Severity;
use crate::deviation::Deviation;
use crate::expected::Expected;

/// Why a case failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The severity of the failure: [`Severity::Smuggling`] only if a hidden request was answered.
    pub severity: Severity,
    /// The number of bytes after which the request was split; `None` if it was sent as a whole.
    pub split: Option<usize>,
    /// What was expected and did not happen.
    pub reason: String,
    /// What happened: the statuses, the end of the connection, and the answer that shows the failure.
    pub got: String,
    /// Whether all answers were right until the server closed or sent nothing more.
    pub stops_early: bool,
    /// Whether the server answered the probe, but none of the requests before it. Some servers
    /// answer only the last of the requests that arrive together.
    pub is_dropped: bool,
}

/// The result of playing a case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Played {
    /// Why the case failed; `None` when it passed.
    pub(crate) failure: Option<Failure>,
    /// Whether no connection could be made.
    pub(crate) is_refused: bool,
    /// The deviations in the fields of the answers to the case when it was sent as a whole.
    pub(crate) deviations: Vec<Deviation>,
    /// The number of answers that need a `Date`, and the number of greetings.
    pub(crate) answers: [usize; 2],
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = self.split {
            write!(out, "split after byte {at}: ")?;
        }
        write!(out, "{}; got {}", self.reason, self.got)
    }
}

impl Played {
    /// Counts the deviations in the fields of the answers. An answer is a greeting if it is the one
    /// that is expected in its place.
    pub(crate) fn count(&mut self, right: &[Expected], responses: &[&Response]) {
        for (place, response) in responses.iter().enumerate() {
            self.answers[0] += usize::from(Deviation::has_date(response));
            self.deviations.extend(Deviation::in_date(response));
            // Only an answer with a body counts: the answer to a HEAD may have fewer fields.
            let is_greeting = |answer: &&Expected| answer.is_greeting(response);
            if right.get(place).is_some_and(|answer| is_greeting(&answer)) {
                self.answers[1] += 1;
                let found =
                    [Deviation::in_type(response), Deviation::in_length(response.body.len(), response)];
                self.deviations.extend(found.into_iter().flatten());
            }
        }
    }
}
