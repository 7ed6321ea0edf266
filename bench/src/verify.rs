//! Does a server answer as it should? All cases of [`conformance`] for `bench verify`, and a short look before each run.

use std::net::SocketAddr;

use anyhow::{bail, ensure};

use crate::conformance::{self, Case, Finding};
use crate::host::Host;
use crate::launch;
use crate::server::Server;
use crate::workload::Workload;

/// What the cases came to, held against the manifest.
#[derive(Debug, Default)]
pub struct Verification {
    /// Cases that passed.
    pub passed: Vec<&'static str>,
    /// Cases that failed as the manifest says.
    pub known: Vec<&'static str>,
    /// Cases that failed, of which the manifest says nothing.
    pub failed: Vec<Finding>,
    /// Gaps of the manifest whose case passes, or is not there: the manifest is wrong.
    pub closed: Vec<String>,
}

impl Verification {
    /// Whether the server is as its manifest says.
    pub fn is_as_known(&self) -> bool {
        self.failed.is_empty() && self.closed.is_empty()
    }
}

/// Starts a server that is built, sends it every case, and stops it.
pub fn verify(host: &Host, server: &Server, cases: &[Case]) -> anyhow::Result<Verification> {
    let running = launch::start(host, server, &[], &[])?;
    let findings = conformance::run(running.address, cases);
    let ended = running.stop()?;
    ensure!(ended.status.success(), "it ended with {} on SIGTERM{}", ended.status, ended.last_words());

    let mut verification = Verification::default();
    for finding in findings {
        match (&finding.wrong, server.has_gap(finding.case)) {
            (None, _) => verification.passed.push(finding.case),
            (Some(_), true) => verification.known.push(finding.case),
            (Some(_), false) => verification.failed.push(finding),
        }
    }
    let is_closed = |case: &&str| !verification.known.contains(case);
    verification.closed = server.gap_cases().filter(is_closed).map(str::to_owned).collect();
    Ok(verification)
}

/// Before a run: the workload's own request, byte for byte, then a pipelined burst of distinct paths, in order. A server
/// that is known not to pipeline is spared the burst. An error says what is wrong.
pub fn before_timing(address: SocketAddr, workload: &Workload, server: &Server) -> anyhow::Result<()> {
    let request = format!("GET {} HTTP/1.1\r\nHost: {address}\r\n\r\n", workload.path);
    let got = conformance::exchange(address, request.as_bytes(), &[])?;
    let Some(response) = got.responses.first() else {
        bail!("GET {} was answered with {}", workload.path, got.summary())
    };
    if response.status != 200 || response.body != workload.answer.as_bytes() {
        let body = String::from_utf8_lossy(&response.body);
        bail!(
            "GET {} was answered with {} and {body:?}, not {:?}",
            workload.path,
            response.status,
            workload.answer
        )
    }
    ensure!(got.responses.len() == 1, "GET {} was answered with {}", workload.path, got.summary());
    if server.has_gap(conformance::BURST) {
        return Ok(());
    }
    let burst = conformance::cases().into_iter().find(|case| case.name == conformance::BURST);
    match burst.and_then(|burst| burst.check(address)) {
        Some(wrong) => bail!("a burst of pipelined requests: {wrong}"),
        None => Ok(()),
    }
}
