//! What playing a case shows, whatever its protocol.

use std::fmt;

use answers::Response;

use crate::case::Severity;
use crate::deviation::Deviation;
use crate::expected::Expected;

/// Why a case failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// How severe it is. [`Severity::Smuggling`] only where a hidden request was answered.
    pub severity: Severity,
    /// After which byte the request was split; `None` where it was sent as a whole.
    pub split: Option<usize>,
    /// What was expected and did not happen.
    pub reason: String,
    /// What happened: the statuses, the end of the connection, and the answer that shows the failure.
    pub got: String,
    /// Whether all was right as far as it went, and then the server closed or said nothing more.
    pub stops_early: bool,
    /// Whether the server dropped all requests before the probe, as one does that answers the last of
    /// those that arrive together.
    pub is_dropped: bool,
}

/// What playing a case shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Played {
    /// Why it failed; `None` when it passed.
    pub(crate) failure: Option<Failure>,
    /// Whether no connection could be made.
    pub(crate) is_refused: bool,
    /// What is odd about the fields of its answers, sent as a whole.
    pub(crate) deviations: Vec<Deviation>,
    /// Its answers of a kind that has a `Date`, and those that were greetings.
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
    /// Counts what is odd about the answers' fields. An answer is a greeting where one is right in its
    /// place.
    pub(crate) fn count(&mut self, right: &[Expected], responses: &[&Response]) {
        for (place, response) in responses.iter().enumerate() {
            self.answers[0] += usize::from(Deviation::has_date(response));
            self.deviations.extend(Deviation::in_date(response));
            // Of a body, too: what a HEAD gets may be shorter.
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
