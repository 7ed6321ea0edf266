//! Does a server answer as its manifest says? All cases of [`conformance`], or a few before a run.
//!
//! `bench verify` and a measurement count the same cases in the same way ([`Verification::count`]):
//! a case counts as passed when it passes sent as a whole. A case that the manifest lists as flaky
//! is counted apart, since one run says nothing about the next. `bench verify --conformance` also
//! sends the short cases split after each of their bytes. That takes ten times as long, so that a
//! measurement does not; a case that fails only when split is therefore reported, and not counted.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{anyhow, ensure};

use crate::checks::drill;
use crate::machine::host::Host;
use crate::servers::launch;
use crate::servers::server::{KnownFailure, Server};
use crate::servers::workload::{Mode, Workload};
use crate::store::record::ConformanceRecord;
use crate::tools;
use conformance::{BURST, Case, CaseResult, ENDPOINT, End, Expected, Failure};
use conformance::{Settings, Severity, TIMING, Timeouts};

/// Timeouts for the cases that wait for them, and the flags that set them. Six tenths of the idle
/// timeout are clearly longer than the head timeout by a clock of whole seconds, so that a server
/// that takes one for the other fails on every run.
const SHORT: Timeouts = Timeouts { head: Duration::from_secs(1), idle: Duration::from_secs(4) };
const SHORT_FLAGS: [&str; 4] = ["--head-timeout", "1", "--idle-timeout", "4"];

/// The response timeout of known failures. Most of them are requests that the server never answers.
const KNOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// Which cases to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// The endpoint's own cases: does the server say what it should?
    Endpoint,
    /// All cases, each as a whole.
    Cases,
    /// All cases, the short ones also split after each of their bytes.
    Splits,
}

/// The results of the cases, compared with the manifest.
#[derive(Debug, Default)]
pub struct Verification {
    /// The result of each case that was sent, in order.
    pub results: Vec<CaseResult>,
    /// Known failures that pass, or that name a case that does not exist: the manifest is wrong.
    pub outdated: Vec<String>,
    /// The known failures by case, and whether they are flaky.
    known: HashMap<String, bool>,
}

/// Starts a server that is built, sends it the cases, and stops it. Cases that wait for its
/// timeouts are sent to a second process with short ones, or not at all if it has no flags for
/// them. A server that passes none of the endpoint's own cases is sent no others; a floor is sent
/// cases of its own. Fails when the server cannot be started, or does not exit with 0 on SIGTERM.
pub fn verify(host: &Host, server: &Server, depth: Depth) -> anyhow::Result<Verification> {
    let settings = Settings { splits: depth == Depth::Splits, ..Settings::default() };
    let verification = |results| Ok(Verification::new(results, &server.known_failures));
    if server.is_floor {
        let cases = conformance::floor_cases("/abc", "host", Expected::greeting("/abc"));
        return verification(send(host, server, &[], &cases, &settings)?);
    }
    let mut results = send(host, server, &[], &cases(Depth::Endpoint), &settings)?;
    let is_the_endpoint = results.iter().any(|result| result.failure.is_none());
    if depth == Depth::Endpoint || !is_the_endpoint {
        return verification(results);
    }
    let others = cases(depth).into_iter().filter(|case| case.subject() != ENDPOINT);
    let (timing, others): (Vec<Case>, Vec<Case>) = others.partition(|case| case.subject() == TIMING);
    results.extend(send(host, server, &[], &others, &settings)?);
    if ["head-timeout", "idle-timeout"].iter().all(|limit| server.honours(limit)) {
        results.extend(send(host, server, &SHORT_FLAGS, &timing, &Settings { timeouts: SHORT, ..settings })?);
    }
    verification(results)
}

/// Sends the cases to a server that already runs, except those that wait for its timeouts.
pub fn verify_attached(address: SocketAddr, depth: Depth) -> Verification {
    let cases: Vec<Case> = cases(depth).into_iter().filter(|case| case.subject() != TIMING).collect();
    let response_timeout = Duration::from_secs(2);
    let settings = Settings { splits: depth == Depth::Splits, response_timeout, ..Settings::default() };
    Verification::new(conformance::run(address, &cases, &settings), &[])
}

/// Before a run: sends the workload's own request, whose answer has to be right byte for byte, then
/// a pipelined burst of distinct paths, unless the server is known to fail it. A floor is sent the
/// workload's request repeatedly. Fails when an answer is wrong, or the server keeps a connection
/// whose end the load tool leaves to it.
pub fn before_timing(address: SocketAddr, workload: &Workload, server: &Server) -> anyhow::Result<()> {
    let path = &workload.path;
    let answer = Expected::body(workload.answer.clone());
    if server.is_floor {
        let cases = conformance::floor_cases(path, &address.to_string(), answer);
        let fails = |case: &Case| check(address, case, &format!("GET {path}, {}", case.name));
        return cases.iter().try_for_each(fails);
    }
    // Such a tool would send its next request over a connection that the server keeps.
    let closing = workload.load().filter(|load| load.mode == Mode::Close);
    let closing = closing.map(|load| tools::find(&load.tool)).transpose()?;
    let (field, end) = match closing.filter(|tool| tool.leaves_close_to_the_server()) {
        Some(_) => ("Connection: close\r\n", End::Closed),
        None => ("", End::Any),
    };
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{field}\r\n");
    let case = Case::new("workload/request", "the workload", request, [answer], end);
    check(address, &case, format!("GET {path} {field}").trim_end())?;
    let mut bursts = cases(Depth::Endpoint).into_iter().filter(|case| case.name == BURST);
    match bursts.next().filter(|burst| server.known_failure(burst.name).is_none()) {
        Some(burst) => check(address, &burst, "a burst of pipelined requests"),
        None => Ok(()),
    }
}

impl Verification {
    pub(crate) fn new(results: Vec<CaseResult>, known_failures: &[KnownFailure]) -> Self {
        let exist: HashSet<&str> = conformance::cases().iter().map(|case| case.name).collect();
        let passes =
            |name: &str| results.iter().any(|result| result.case == name && result.failure.is_none());
        let (mut outdated, mut known) = (Vec::new(), HashMap::new());
        for failure in known_failures {
            // `bench drill` compares the drills with the manifest.
            for name in failure.cases.iter().filter(|name| !drill::is_drill(name)) {
                if !exist.contains(name.as_str()) || passes(name) && !failure.flaky {
                    outdated.push(name.clone());
                }
                known.insert(name.clone(), failure.flaky);
            }
        }
        Self { results, outdated, known }
    }

    /// Whether the server is as its manifest says.
    pub fn is_as_known(&self) -> bool {
        self.unknown().next().is_none() && self.outdated.is_empty()
    }

    /// Counts the cases that `chosen` selects by name, as a measurement records them.
    pub fn count(&self, chosen: impl Fn(&str) -> bool) -> ConformanceRecord {
        let chosen: Vec<_> = self.results.iter().filter(|result| chosen(result.case)).collect();
        let count = |is_counted: &dyn Fn(&CaseResult) -> bool| {
            chosen.iter().filter(|result| is_counted(result)).count() as u64
        };
        ConformanceRecord {
            cases: chosen.len() as u64,
            passed: count(&|result| !self.is_flaky(result) && whole_failure(result).is_none()),
            flaky: Some(count(&|result| self.is_flaky(result))),
            smuggled: count(&|result| self.counts_as(result, Severity::Smuggling)),
        }
    }

    /// The number of cases that failed with this severity, sent as a whole. Flaky ones count only
    /// when they are smuggling, which never goes unreported.
    pub fn failed(&self, severity: Severity) -> usize {
        self.results.iter().filter(|result| self.counts_as(result, severity)).count()
    }

    /// Failures that the manifest does not list.
    pub fn unknown(&self) -> impl Iterator<Item = &CaseResult> {
        self.results.iter().filter(|result| result.failure.is_some() && !self.is_known(result))
    }

    /// Failures that the manifest lists.
    pub fn known(&self) -> impl Iterator<Item = &CaseResult> {
        self.results.iter().filter(|result| result.failure.is_some() && self.is_known(result))
    }

    /// Cases, except flaky ones, that passed as a whole and failed when split: counted as passed.
    pub fn only_split(&self) -> impl Iterator<Item = &CaseResult> {
        self.results.iter().filter(|result| {
            result.failure.is_some() && whole_failure(result).is_none() && !self.is_flaky(result)
        })
    }

    /// Whether the manifest lists the case as flaky.
    pub fn is_flaky(&self, result: &CaseResult) -> bool {
        self.known.get(result.case) == Some(&true)
    }

    fn is_known(&self, result: &CaseResult) -> bool {
        self.known.contains_key(result.case)
    }

    fn counts_as(&self, result: &CaseResult, severity: Severity) -> bool {
        let counts = severity == Severity::Smuggling || !self.is_flaky(result);
        counts && whole_failure(result).is_some_and(|failure| failure.severity == severity)
    }
}

/// The failure of a case that was sent as a whole.
fn whole_failure(result: &CaseResult) -> Option<&Failure> {
    result.failure.as_ref().filter(|failure| failure.split.is_none())
}

fn cases(depth: Depth) -> Vec<Case> {
    match depth {
        Depth::Endpoint => conformance::endpoint_cases(),
        Depth::Cases | Depth::Splits => conformance::cases(),
    }
}

/// Sends the cases to a process of their own. Known failures come last, with a shorter timeout.
fn send(
    host: &Host,
    server: &Server,
    flags: &[&str],
    cases: &[Case],
    settings: &Settings,
) -> anyhow::Result<Vec<CaseResult>> {
    let running = launch::start(host, server, &[], flags)?;
    let (known, others): (Vec<Case>, Vec<Case>) =
        cases.iter().cloned().partition(|case| server.known_failure(case.name).is_some());
    let mut results = conformance::run(running.address, &others, settings);
    let response_timeout = settings.response_timeout.min(KNOWN_TIMEOUT);
    let settings = Settings { response_timeout, ..*settings };
    results.extend(conformance::run(running.address, &known, &settings));
    let ended = running.stop()?;
    let (status, words) = (ended.status, ended.last_words());
    ensure!(status.success(), "the server ended with {status} on SIGTERM{words}");
    results.sort_by_key(|result| cases.iter().position(|case| case.name == result.case));
    Ok(results)
}

fn check(address: SocketAddr, case: &Case, what: &str) -> anyhow::Result<()> {
    match conformance::check(address, case, &Settings::default()) {
        Some(failure) => Err(anyhow!("{what}: {failure}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A result: passes as a whole and split, fails as a whole, or fails only when split.
    fn result(case: &'static str, outcome: &str) -> CaseResult {
        let split = (outcome == "fails split").then_some(1);
        let (reason, got) = (String::new(), String::new());
        let failure = Failure { severity: Severity::Wrong, split, reason, got };
        CaseResult { case, rule: "", failure: (outcome != "passes").then_some(failure) }
    }

    /// `flaky NAME` is a flaky known failure.
    fn known_failure(name: &&str) -> KnownFailure {
        let (case, flaky) = name.strip_prefix("flaky ").map_or((*name, false), |case| (case, true));
        KnownFailure { cases: vec![case.to_owned()], reason: String::new(), flaky }
    }

    fn verification(results: Vec<CaseResult>, known_failures: &[&str]) -> Verification {
        Verification::new(results, &known_failures.iter().map(known_failure).collect::<Vec<_>>())
    }

    #[test]
    fn results_are_compared_with_the_manifest() {
        // Known failures, the number of failures not among them, and those that are outdated.
        let cases: [(&[&str], usize, &[&str]); 7] = [
            (&[], 1, &[]),
            (&["host/twice"], 0, &[]),
            (&["host/twice", "host/missing"], 0, &["host/missing"]),
            (&["host/twice", "host/none-such"], 0, &["host/none-such"]),
            // It was not sent.
            (&["host/twice", "endpoint/burst"], 0, &[]),
            (&["host/twice", "drill/idle"], 0, &[]),
            (&["host/twice", "flaky host/missing"], 0, &[]),
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
    fn a_case_counts_by_its_whole_request_and_a_flaky_one_is_counted_apart() {
        // The outcome of one of three cases, of which another passes and a third fails.
        let cases: [(&str, &[&str], &str, usize, usize); 6] = [
            ("passes", &[], "2/3", 1, 0),
            ("fails", &[], "1/3", 2, 0),
            // The same for a measurement, which does not split, and for `bench verify`.
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
}
