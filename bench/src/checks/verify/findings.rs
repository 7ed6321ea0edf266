//! The findings about one server as data for other programs, with failures grouped by cause.

use std::collections::BTreeMap;

use conformance::{CaseResult, Severity, causes};
use serde::Serialize;

use super::Verification;

/// The findings about one server, in the form of `--format json`.
#[derive(Debug, Serialize)]
pub struct Findings {
    /// The server's name, or its address.
    pub server: String,
    /// Whether the server is as its manifest says or, without a manifest, whether all cases pass.
    pub is_as_known: bool,
    /// The number of cases that passed or failed.
    pub cases: u64,
    /// The number of cases that pass, without flaky ones.
    pub passed: u64,
    /// The number of cases that the manifest lists as flaky.
    pub flaky: u64,
    /// The number of hidden requests that were answered.
    pub hidden: usize,
    /// The number of cases in which the server broke a rule of HTTP.
    pub wrong: usize,
    /// The number of cases that the RFCs leave open and in which the server differs from the
    /// endpoint.
    pub strict: usize,
    /// Oddities in the header fields of answers to any request.
    pub odd: Vec<String>,
    /// The cases that say nothing about the server, or were not sent, by reason.
    pub not_asked: BTreeMap<String, Vec<&'static str>>,
    /// The last cases that failed before the server accepted no more connections; empty if it still
    /// does.
    pub gone_at: Vec<&'static str>,
    /// Statements of the manifest that are not true.
    pub outdated: Vec<String>,
    /// The causes of failures that the manifest does not list, then of those that it lists; each
    /// group begins with the most severe.
    pub causes: Vec<CauseFound>,
}

/// Failures of one cause.
#[derive(Debug, Serialize)]
pub struct CauseFound {
    /// `smuggling`, `wrong` or `strict`.
    pub severity: String,
    /// The section of the RFC, or another source of the rule.
    pub section: &'static str,
    /// The text of the rule.
    pub rule: &'static str,
    /// What was expected and did not happen.
    pub reason: String,
    /// Whether the manifest lists the failures.
    pub is_known: bool,
    /// The cases, with what happened.
    pub failures: Vec<FailureFound>,
}

/// One failure.
#[derive(Debug, Serialize)]
pub struct FailureFound {
    /// `subject/name`.
    pub case: &'static str,
    /// The byte after which the request was split; `null` if it was sent as a whole.
    pub split: Option<usize>,
    /// What happened.
    pub got: String,
}

impl Findings {
    /// The findings of a verification of the server with this name.
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
