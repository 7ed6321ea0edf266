//! Groups failures by their cause: a person reads one entry per cause, not one line per case.

use std::cmp::Reverse;
use std::fmt;

use crate::case::Severity;
use crate::played::Failure;
use crate::rules::Rule;
use crate::run::CaseResult;

/// Failures that have the same severity, rule and reason.
#[derive(Clone, Debug)]
pub struct Cause<'a> {
    /// The severity of the failures.
    pub severity: Severity,
    /// The rule that the cases test.
    pub rule: Rule,
    /// What was expected and did not happen.
    pub reason: &'a str,
    /// The cases by name, with their failures, in order.
    pub failures: Vec<(&'static str, &'a Failure)>,
}

/// The number of cases that are named when a cause is printed; the others are counted.
const NAMED: usize = 6;

/// Returns the causes of all failures among `results`: the most severe first, and among equally
/// severe ones those with the most cases first.
pub fn causes<'a>(results: impl IntoIterator<Item = &'a CaseResult>) -> Vec<Cause<'a>> {
    let mut causes: Vec<Cause> = Vec::new();
    for result in results {
        let Some(failure) = result.failure() else { continue };
        let is_same = |cause: &&mut Cause| {
            (cause.severity, cause.rule, cause.reason)
                == (failure.severity, result.rule, failure.reason.as_str())
        };
        match causes.iter_mut().find(is_same) {
            Some(cause) => cause.failures.push((result.case, failure)),
            None => causes.push(Cause {
                severity: failure.severity,
                rule: result.rule,
                reason: &failure.reason,
                failures: vec![(result.case, failure)],
            }),
        }
    }
    causes.sort_by_key(|cause| Reverse((cause.severity, cause.failures.len())));
    causes
}

impl Cause<'_> {
    /// The names of the cases.
    pub fn cases(&self) -> Vec<&'static str> {
        self.failures.iter().map(|(case, _)| *case).collect()
    }
}

impl fmt::Display for Cause<'_> {
    /// Writes three lines: the cause, its cases, and what the server did in one of them. `{:#}`
    /// names all cases.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.cases();
        let count =
            if let [_] = names.as_slice() { "1 case".into() } else { format!("{} cases", names.len()) };
        writeln!(out, "  {}, {count}: {} ({})", self.severity, self.reason, self.rule.section)?;
        let shown = if out.alternate() { names.len() } else { NAMED.min(names.len()) };
        write!(out, "    {}", names[..shown].join(", "))?;
        match names.len() - shown {
            0 => writeln!(out)?,
            more => writeln!(out, " and {more} more")?,
        }
        let Some((case, failure)) = self.failures.first() else { return Ok(()) };
        let split = failure.split.map(|at| format!(", split after byte {at},")).unwrap_or_default();
        writeln!(out, "    {case}{split} got {}", failure.got)
    }
}
