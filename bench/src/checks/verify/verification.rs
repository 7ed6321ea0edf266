//! The results of the cases of one server, compared with its manifest, and counted.

use std::collections::{HashMap, HashSet};

use conformance::{CaseResult, NotAsked, Outcome, Run, Severity};

use crate::checks::drill;
use crate::servers::server::{KnownFailure, Server};
use crate::store::record::ConformanceRecord;

/// The results of the cases, compared with the manifest.
#[derive(Debug, Default)]
pub struct Verification {
    /// The results, and findings about the server as a whole.
    pub run: Run,
    /// Statements of the manifest that are not true: known failures that pass, fail only when
    /// split, or name no case, and hidden requests that are not answered.
    pub outdated: Vec<String>,
    /// The known failures by case, and whether they are flaky.
    known: HashMap<String, bool>,
    /// Whether at most as many hidden requests were answered as the manifest says.
    hidden_are_known: bool,
}

impl Verification {
    /// Compares the results of a server with its manifest.
    pub fn new(run: Run, server: &Server) -> Self {
        Self::compare(run, &server.known_failures, server.hidden)
    }

    /// Takes the results of a server without a manifest: it has no known failures.
    pub fn without_manifest(run: Run) -> Self {
        Self::compare(run, &[], 0)
    }

    pub(crate) fn compare(run: Run, known_failures: &[KnownFailure], hidden: usize) -> Self {
        let cases: HashSet<&str> = conformance::all_cases().iter().map(|case| case.name).collect();
        let results: HashMap<&str, &CaseResult> =
            run.results.iter().map(|result| (result.case, result)).collect();
        let (mut outdated, mut known) = (Vec::new(), HashMap::new());
        for failure in known_failures {
            // `bench drill` compares the drills with the manifest.
            for name in failure.cases.iter().filter(|name| !drill::is_drill(name)) {
                let result = results.get(name.as_str());
                let failed_split =
                    result.and_then(|result| result.failure()).map(|failure| failure.split.is_some());
                // Whether two pieces arrive separately depends on the network and the server.
                let always_fails = failure.is_certain();
                let wrong = match failed_split {
                    _ if !cases.contains(name.as_str()) => Some("does not exist"),
                    None if always_fails && result.is_some_and(|result| result.passed()) => Some("passes"),
                    Some(true) if always_fails => Some("fails only when split, which only_split = true says"),
                    _ => None,
                };
                outdated.extend(wrong.map(|wrong| format!("{name} {wrong}")));
                // A known failure that occurs only when split does not include a failure as a
                // whole.
                if !(failure.only_split && failed_split == Some(false)) {
                    known.insert(name.clone(), failure.flaky);
                }
            }
        }
        let mut found = Self { run, outdated, known, hidden_are_known: false };
        // The manifest's number is that of requests sent as a whole, so one that is answered only
        // when split does not count.
        let is_whole = |result: &&CaseResult| found.is_hidden(result) && result.whole_failure().is_some();
        let answered = found.run.results.iter().filter(is_whole).count();
        found.hidden_are_known = hidden > 0 && answered <= hidden;
        if answered < hidden && found.run.results.iter().any(|result| result.case.starts_with("smuggling/")) {
            found.outdated.push(format!("hidden = {hidden}, and {answered} hidden requests are answered"));
        }
        found
    }

    /// Whether the server is as its manifest says.
    pub fn is_as_known(&self) -> bool {
        let is_cut_short =
            self.run.results.iter().any(|result| {
                matches!(result.outcome, Outcome::NotAsked(NotAsked::Gone | NotAsked::Stopped))
            });
        self.unknown().next().is_none() && self.outdated.is_empty() && !is_cut_short
    }

    /// Counts the cases that `chosen` selects by name, as a measurement records them.
    pub fn count(&self, chosen: impl Fn(&str) -> bool) -> ConformanceRecord {
        let chosen: Vec<_> =
            self.run.results.iter().filter(|result| result.is_asked() && chosen(result.case)).collect();
        let count = |is_counted: &dyn Fn(&CaseResult) -> bool| {
            chosen.iter().filter(|result| is_counted(result)).count() as u64
        };
        ConformanceRecord {
            cases: chosen.len() as u64,
            passed: count(&|result| !self.is_flaky(result) && result.whole_failure().is_none()),
            flaky: Some(count(&|result| self.is_flaky(result))),
            smuggled: count(&|result| self.counts_as(result, Severity::Smuggling)),
            odd: self.run.odd(),
        }
    }

    /// The number of cases that failed with this severity when sent as a whole. Flaky cases count
    /// only if they are smuggling, which is always reported.
    pub fn failed(&self, severity: Severity) -> usize {
        self.run.results.iter().filter(|result| self.counts_as(result, severity)).count()
    }

    /// Failures that the manifest does not list.
    pub fn unknown(&self) -> impl Iterator<Item = &CaseResult> {
        self.run.results.iter().filter(|result| result.failure().is_some() && !self.is_known(result))
    }

    /// Failures that the manifest lists.
    pub fn known(&self) -> impl Iterator<Item = &CaseResult> {
        self.run.results.iter().filter(|result| result.failure().is_some() && self.is_known(result))
    }

    /// Cases, except flaky ones, that passed as a whole and failed when split. They count as
    /// passed.
    pub fn only_split(&self) -> impl Iterator<Item = &CaseResult> {
        self.run.results.iter().filter(|result| {
            result.failure().is_some() && result.whole_failure().is_none() && !self.is_flaky(result)
        })
    }

    /// Whether the manifest lists the case as flaky.
    pub fn is_flaky(&self, result: &CaseResult) -> bool {
        self.known.get(result.case) == Some(&true)
    }

    /// Whether the manifest lists the failure, or counts it among the hidden requests.
    pub fn is_known(&self, result: &CaseResult) -> bool {
        self.known.contains_key(result.case) || self.hidden_are_known && self.is_hidden(result)
    }

    /// Whether a hidden request was answered that the manifest does not list as a case.
    fn is_hidden(&self, result: &CaseResult) -> bool {
        let is_smuggling = result.failure().is_some_and(|failure| failure.severity == Severity::Smuggling);
        is_smuggling && !self.known.contains_key(result.case)
    }

    fn counts_as(&self, result: &CaseResult, severity: Severity) -> bool {
        let counts = severity == Severity::Smuggling || !self.is_flaky(result);
        counts && result.whole_failure().is_some_and(|failure| failure.severity == severity)
    }
}

#[cfg(test)]
mod tests {
    use conformance::{Failure, Rule};

    use super::*;

    /// The result of a case. `outcome` is `passes`, `fails`, `fails split` (it fails only when
    /// split), `hidden` (a hidden request is answered) or `not asked`.
    fn result(case: &'static str, outcome: &str) -> CaseResult {
        let split = (outcome == "fails split").then_some(1);
        let severity = if outcome == "hidden" { Severity::Smuggling } else { Severity::Wrong };
        let failure = Failure {
            severity,
            split,
            reason: String::new(),
            got: String::new(),
            stops_early: false,
            is_dropped: false,
        };
        let outcome = match outcome {
            "passes" => Outcome::Passed,
            "not asked" => Outcome::NotAsked(NotAsked::Pipelining),
            _ => Outcome::Failed(failure),
        };
        CaseResult { case, rule: Rule::new(""), outcome }
    }

    /// `flaky NAME` is a flaky known failure, and `split NAME` is one that occurs only when split.
    fn known_failure(name: &&str) -> KnownFailure {
        let (kind, case) = name.split_once(' ').unwrap_or(("", name));
        KnownFailure {
            cases: vec![case.to_owned()],
            reason: String::new(),
            flaky: kind == "flaky",
            only_split: kind == "split",
        }
    }

    fn verification(results: Vec<CaseResult>, known_failures: &[&str]) -> Verification {
        let run = Run { results, ..Run::default() };
        Verification::compare(run, &known_failures.iter().map(known_failure).collect::<Vec<_>>(), 0)
    }

    #[test]
    fn results_are_compared_with_the_manifest() {
        // Known failures, the number of unknown failures, and the outdated statements.
        let cases: [(&[&str], usize, &[&str]); 11] = [
            (&[], 1, &[]),
            (&["host/twice"], 0, &[]),
            (&["host/twice", "host/missing"], 0, &["host/missing passes"]),
            (&["host/twice", "host/none-such"], 0, &["host/none-such does not exist"]),
            (&["host/twice", "split host/none-such"], 0, &["host/none-such does not exist"]),
            // The case was not sent.
            (&["host/twice", "endpoint/burst"], 0, &[]),
            (&["host/twice", "drill/idle"], 0, &[]),
            (&["host/twice", "flaky host/missing"], 0, &[]),
            // The case may not have been split, or both pieces arrived as one.
            (&["host/twice", "split host/missing"], 0, &[]),
            (&["flaky host/twice"], 0, &[]),
            (&["split host/twice"], 1, &[]),
        ];
        for (known_failures, unknown, outdated) in cases {
            let results = vec![result("host/missing", "passes"), result("host/twice", "fails")];
            let verification = verification(results, known_failures);
            assert_eq!(verification.unknown().count(), unknown, "{known_failures:?}");
            assert_eq!(verification.outdated, outdated, "{known_failures:?}");
            assert_eq!(verification.is_as_known(), unknown == 0 && outdated.is_empty(), "{known_failures:?}");
        }
    }

    #[test]
    fn a_case_that_fails_only_when_split_is_known_as_that() {
        let outdated = ["host/twice fails only when split, which only_split = true says"];
        let cases: [(&str, usize, &[&str]); 4] = [
            ("host/missing", 1, &[]),
            ("host/twice", 0, &outdated),
            ("flaky host/twice", 0, &[]),
            ("split host/twice", 0, &[]),
        ];
        for (known_failure, unknown, outdated) in cases {
            let verification = verification(vec![result("host/twice", "fails split")], &[known_failure]);
            assert_eq!(verification.unknown().count(), unknown, "{known_failure}");
            assert_eq!(verification.outdated, outdated, "{known_failure}");
        }
    }

    #[test]
    fn a_case_counts_by_its_whole_request_and_a_flaky_one_is_counted_apart() {
        // The outcome of a case beside one that passes and one that fails, its known failure, the
        // count, the number of failures, and the number of failures only when split.
        let cases: [(&str, &[&str], &str, usize, usize); 6] = [
            ("passes", &[], "2/3", 1, 0),
            ("fails", &[], "1/3", 2, 0),
            // A measurement, which does not split, and `bench verify` count the same.
            ("fails split", &[], "2/3", 1, 1),
            ("passes", &["flaky host/twice"], "1–2/3", 1, 0),
            ("fails", &["flaky host/twice"], "1–2/3", 1, 0),
            ("fails split", &["flaky host/twice"], "1–2/3", 1, 0),
        ];
        for (outcome, known_failures, expected, failed, only_split) in cases {
            let outcomes = [("host/list", "passes"), ("host/url", "fails"), ("host/twice", outcome)];
            let results = outcomes.map(|(case, outcome)| result(case, outcome)).into();
            let found = verification(results, known_failures);
            let counted = (found.failed(Severity::Wrong), found.only_split().count());
            assert_eq!(found.count(|_| true).to_string(), expected, "{outcome} {known_failures:?}");
            assert_eq!(counted, (failed, only_split), "{outcome} {known_failures:?}");
        }
    }

    /// The manifest of software that is not this project's states the number of hidden requests
    /// that are answered, but not the cases.
    #[test]
    fn hidden_requests_are_compared_by_their_number() {
        // The manifest's number, the number of unknown failures, and the outdated statements.
        let cases: [(usize, usize, &[&str]); 4] = [
            (2, 0, &[]),
            (1, 2, &[]),
            (0, 2, &[]),
            (3, 0, &["hidden = 3, and 2 hidden requests are answered"]),
        ];
        for (hidden, unknown, outdated) in cases {
            let found = ["smuggling/in-a-body", "smuggling/in-a-chunk"].map(|case| result(case, "hidden"));
            let run = Run { results: found.into(), ..Run::default() };
            let verification = Verification::compare(run, &[], hidden);
            assert_eq!(verification.unknown().count(), unknown, "{hidden}");
            assert_eq!(verification.outdated, outdated, "{hidden}");
        }
    }

    #[test]
    fn what_was_not_asked_is_no_failure_and_is_not_counted() {
        let results = vec![result("host/list", "passes"), result("endpoint/burst", "not asked")];
        let found = verification(results, &[]);
        assert!(found.is_as_known());
        assert_eq!(found.count(|_| true).to_string(), "1/1");
    }
}
