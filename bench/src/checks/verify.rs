//! Does a server answer as it should? The cases of [`conformance`], held against the manifest, and a short look
//! before each run.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{anyhow, ensure};

use crate::checks::drill;
use crate::machine::host::Host;
use crate::servers::launch;
use crate::servers::server::{KnownFailure, Server};
use crate::servers::workload::Workload;
use conformance::{self, Answer, BURST, Case, ENDPOINT, End, Finding, Settings, Severity, TIMING, Timeouts};

/// Timeouts for the cases that wait for them, and the flags that set them.
const SHORT: Timeouts = Timeouts { head: Duration::from_secs(1), idle: Duration::from_secs(2) };
const SHORT_FLAGS: [&str; 4] = ["--head-timeout", "1", "--idle-timeout", "2"];

/// How long to wait for a server that is known to answer a case wrongly, which often is not to answer.
const KNOWN_PATIENCE: Duration = Duration::from_secs(1);

/// How much to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// The endpoint's own cases: does it say what it should?
    Endpoint,
    /// All cases, each in one piece.
    Cases,
    /// All cases, the short ones also split after each of their bytes.
    Splits,
}

/// What the cases came to, held against the manifest.
#[derive(Debug, Default)]
pub struct Verification {
    /// What came of each case that was asked, in their order.
    pub findings: Vec<Finding>,
    /// Gaps of the manifest whose case passes, or is not there: the manifest is wrong.
    pub closed: Vec<String>,
    known: HashSet<String>,
}

/// Starts a server that is built, sends it the cases, and stops it. Those that wait for its timeouts are sent to a second
/// process with short ones, or left out if it has none. A server that passes none of the endpoint's own cases is asked no
/// others; a floor is asked cases of its own.
pub fn verify(host: &Host, server: &Server, depth: Depth) -> anyhow::Result<Verification> {
    let settings = Settings { splits: depth == Depth::Splits, ..Settings::default() };
    if server.is_floor {
        let cases = conformance::floor_cases("/abc", "host", Answer::greeting("/abc"));
        return Ok(Verification::new(ask(host, server, &[], &cases, &settings)?, &server.known_failures));
    }
    let mut findings = ask(host, server, &[], &cases(Depth::Endpoint), &settings)?;
    let is_the_endpoint = findings.iter().any(|finding| finding.wrong.is_none());
    if depth == Depth::Endpoint || !is_the_endpoint {
        return Ok(Verification::new(findings, &server.known_failures));
    }
    let others = cases(depth).into_iter().filter(|case| case.subject() != ENDPOINT);
    let (timing, others): (Vec<Case>, Vec<Case>) = others.partition(|case| case.subject() == TIMING);
    findings.extend(ask(host, server, &[], &others, &settings)?);
    if ["head-timeout", "idle-timeout"].iter().all(|limit| server.honours(limit)) {
        findings.extend(ask(host, server, &SHORT_FLAGS, &timing, &Settings { timeouts: SHORT, ..settings })?);
    }
    Ok(Verification::new(findings, &server.known_failures))
}

/// Sends the cases to a server that somebody else has started. Those that wait for its timeouts are left out, since these
/// are not known.
pub fn verify_attached(address: SocketAddr, depth: Depth) -> Verification {
    let cases: Vec<Case> = cases(depth).into_iter().filter(|case| case.subject() != TIMING).collect();
    let settings =
        Settings { splits: depth == Depth::Splits, patience: Duration::from_secs(2), ..Settings::default() };
    Verification::new(conformance::run(address, &cases, &settings), &[])
}

/// Before a run: the workload's own request, byte for byte, then a pipelined burst of distinct paths, in order. A server
/// that is known not to pipeline is spared the burst, and a floor is asked the workload's request again and again. An error says
/// what is wrong.
pub fn before_timing(address: SocketAddr, workload: &Workload, server: &Server) -> anyhow::Result<()> {
    let answer = Answer::body(workload.answer.clone());
    if server.is_floor {
        let cases = conformance::floor_cases(&workload.path, &address.to_string(), answer);
        let wrong = |case: &Case, wrong| anyhow!("GET {}, {}: {wrong}", workload.path, case.name);
        return cases.iter().try_for_each(|case| check(address, case).map_err(|error| wrong(case, error)));
    }
    let request = format!("GET {} HTTP/1.1\r\nHost: {address}\r\n\r\n", workload.path);
    let case = Case::new("workload/request", "the workload", request, [answer], End::Any);
    check(address, &case).map_err(|wrong| anyhow!("GET {}: {wrong}", workload.path))?;
    let mut bursts = cases(Depth::Endpoint).into_iter().filter(|case| case.name == BURST);
    match bursts.next().filter(|burst| server.known_failure(burst.name).is_none()) {
        Some(burst) => {
            check(address, &burst).map_err(|wrong| anyhow!("a burst of pipelined requests: {wrong}"))
        }
        None => Ok(()),
    }
}

impl Verification {
    pub(crate) fn new(findings: Vec<Finding>, known_failures: &[KnownFailure]) -> Self {
        let all: HashSet<&str> = conformance::cases().iter().map(|case| case.name).collect();
        let (failed, passed): (Vec<&Finding>, Vec<&Finding>) =
            findings.iter().partition(|finding| finding.wrong.is_some());
        let (failed, passed) = (names(&failed), names(&passed));
        // Drills are for `bench drill` to hold against the manifest.
        let cases = known_failures.iter().flat_map(|known_failure| {
            known_failure.cases.iter().map(move |case| (case.as_str(), known_failure.flaky))
        });
        let cases: Vec<(&str, bool)> = cases.filter(|(case, _)| !drill::is_drill(case)).collect();
        let is_closed =
            |(case, flaky): &&(&str, bool)| !all.contains(case) || (passed.contains(case) && !flaky);
        let closed = cases.iter().filter(is_closed).map(|(case, _)| (*case).to_owned()).collect();
        let known = cases.iter().filter(|(case, _)| failed.contains(case));
        let known = known.map(|(case, _)| (*case).to_owned()).collect();
        Self { findings, closed, known }
    }

    /// Whether the server is as its manifest says.
    pub fn is_as_known(&self) -> bool {
        self.unknown().next().is_none() && self.closed.is_empty()
    }

    /// How many cases passed.
    pub fn passed(&self) -> usize {
        self.findings.iter().filter(|finding| finding.wrong.is_none()).count()
    }

    /// How many cases failed this badly.
    pub fn failed(&self, severity: Severity) -> usize {
        self.findings
            .iter()
            .filter_map(|finding| finding.wrong.as_ref())
            .filter(|wrong| wrong.severity == severity)
            .count()
    }

    /// Cases that failed, of which the manifest says nothing.
    pub fn unknown(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.wrong.is_some() && !self.known.contains(finding.case))
    }

    /// Cases that failed as the manifest says.
    pub fn known(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.wrong.is_some() && self.known.contains(finding.case))
    }
}

fn cases(depth: Depth) -> Vec<Case> {
    match depth {
        Depth::Endpoint => conformance::endpoint_cases(),
        Depth::Cases | Depth::Splits => conformance::cases(),
    }
}

/// What a process of its own answers to the cases.
fn ask(
    host: &Host,
    server: &Server,
    flags: &[&str],
    cases: &[Case],
    settings: &Settings,
) -> anyhow::Result<Vec<Finding>> {
    let running = launch::start(host, server, &[], flags)?;
    let (known, others): (Vec<Case>, Vec<Case>) =
        cases.iter().cloned().partition(|case| server.known_failure(case.name).is_some());
    let mut findings = conformance::run(running.address, &others, settings);
    let patience = settings.patience.min(KNOWN_PATIENCE);
    findings.extend(conformance::run(running.address, &known, &Settings { patience, ..*settings }));
    let ended = running.stop()?;
    ensure!(ended.status.success(), "it ended with {} on SIGTERM{}", ended.status, ended.last_words());
    let place = |finding: &Finding| cases.iter().position(|case| case.name == finding.case);
    findings.sort_by_key(place);
    Ok(findings)
}

fn check(address: SocketAddr, case: &Case) -> Result<(), conformance::Wrong> {
    conformance::check(address, case, &Settings::default()).map_or(Ok(()), Err)
}

fn names(findings: &[&Finding]) -> HashSet<&'static str> {
    findings.iter().map(|finding| finding.case).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use conformance::Wrong;

    #[test]
    fn findings_are_held_against_the_manifest() {
        let wrong = || Wrong { severity: Severity::Wrong, reason: String::new(), got: String::new() };
        let finding = |case, passes: bool| Finding { case, rule: "", wrong: (!passes).then(wrong) };
        let findings = || vec![finding("host/missing", true), finding("host/twice", false)];
        // What the manifest says, and what is unknown to it or closed.
        let cases: [(&[&str], usize, &[&str]); 7] = [
            (&[], 1, &[]),
            (&["host/twice"], 0, &[]),
            (&["host/twice", "host/missing"], 0, &["host/missing"]),
            (&["host/twice", "host/none-such"], 0, &["host/none-such"]),
            // It was not asked.
            (&["host/twice", "endpoint/burst"], 0, &[]),
            (&["host/twice", "drill/idle"], 0, &[]),
            (&["host/twice", "flaky host/missing"], 0, &[]),
        ];
        for (known_failures, unknown, closed) in cases {
            let known_failure = |case: &&str| KnownFailure {
                cases: vec![case.trim_start_matches("flaky ").to_owned()],
                reason: String::new(),
                flaky: case.starts_with("flaky "),
            };
            let verification =
                Verification::new(findings(), &known_failures.iter().map(known_failure).collect::<Vec<_>>());
            assert_eq!(verification.unknown().count(), unknown, "{known_failures:?}");
            assert_eq!(verification.closed, closed, "{known_failures:?}");
            assert_eq!(verification.is_as_known(), unknown == 0 && closed.is_empty(), "{known_failures:?}");
            assert_eq!((verification.passed(), verification.failed(Severity::Wrong)), (1, 1));
        }
    }
}
