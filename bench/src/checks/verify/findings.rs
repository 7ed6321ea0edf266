//! What the cases found about one server, for programs: causes before cases.

use std::collections::BTreeMap;

use conformance::{CaseResult, Severity, causes};
use serde::Serialize;

use super::Verification;

/// What the cases found about one server: the form of `--format json`.
#[derive(Debug, Serialize)]
pub struct Findings {
    /// Its name, or where it listens.
    pub server: String,
    /// Whether all is as its manifest says or, without one, whether all pass.
    pub is_as_known: bool,
    /// Cases that were asked.
    pub cases: u64,
    /// Those that pass, without the flaky ones.
    pub passed: u64,
    /// Those that the manifest lists as flaky.
    pub flaky: u64,
    /// Hidden requests that were answered.
    pub hidden: usize,
    /// Cases in which the server broke a rule of HTTP.
    pub wrong: usize,
    /// Cases in which it chose what the RFCs leave open, and not what the endpoint does.
    pub strict: usize,
    /// What is odd about the fields of answers, whatever was asked.
    pub odd: Vec<String>,
    /// Cases that say nothing of this server, by the reason.
    pub not_asked: BTreeMap<String, Vec<&'static str>>,
    /// The last cases that failed before the server was gone; empty where it is still there.
    pub gone_at: Vec<&'static str>,
    /// What the manifest says and is not so.
    pub outdated: Vec<String>,
    /// The failures that the manifest does not list, then those that it does; the most severe first.
    pub causes: Vec<CauseFound>,
}

/// Failures of one cause.
#[derive(Debug, Serialize)]
pub struct CauseFound {
    /// `smuggling`, `wrong` or `strict`.
    pub severity: String,
    /// The section of the RFC, or who else has the rule.
    pub section: &'static str,
    /// What it says.
    pub rule: &'static str,
    /// What was expected and did not happen.
    pub reason: String,
    /// Whether the manifest lists them.
    pub is_known: bool,
    /// The cases, with what happened.
    pub failures: Vec<FailureFound>,
}

/// One failure.
#[derive(Debug, Serialize)]
pub struct FailureFound {
    /// `subject/name`.
    pub case: &'static str,
    /// After which byte the request was split; `null` where it was sent as a whole.
    pub split: Option<usize>,
    /// What happened.
    pub got: String,
}

impl Findings {
    /// What a verification found about the server of this name.
    pub fn new(server: &str, verification: &Verification) -> Self {
        let found = verification.count(|_| true);
        let run = &verification.run;
        let causes = [causes_of(verification.unknown(), false), causes_of(verification.known(), true)];
        Self {
            server: server.to_owned(),
            is_as_known: verification.is_as_known(),
            cases: found.cases,
            passed: found.passed,
            flaky: found.flaky.unwrap_or_default(),
            hidden: verification.failed(Severity::Smuggling),
            wrong: verification.failed(Severity::Wrong),
            strict: verification.failed(Severity::Strict),
            odd: run.odd(),
            not_asked: run.not_asked().into_iter().map(|(why, cases)| (why.to_string(), cases)).collect(),
            gone_at: run.gone_at.clone(),
            outdated: verification.outdated.clone(),
            causes: causes.into_iter().flatten().collect(),
        }
    }
}

fn causes_of<'a>(results: impl Iterator<Item = &'a CaseResult>, is_known: bool) -> Vec<CauseFound> {
    let found = causes(results);
    let cause = |cause: &conformance::Cause| CauseFound {
        severity: cause.severity.to_string(),
        section: cause.rule.section,
        rule: cause.rule.says,
        reason: cause.reason.to_owned(),
        is_known,
        failures: cause
            .failures
            .iter()
            .map(|(case, failure)| FailureFound { case, split: failure.split, got: failure.got.clone() })
            .collect(),
    };
    found.iter().map(cause).collect()
}
