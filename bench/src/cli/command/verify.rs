//! `bench verify`: does each server answer as it should?

use std::fmt::Write;
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;

use super::{BAD, GOOD, Outcome, note, print, styled, without_floor};
use crate::checks::verify::{self, Depth, Verification};
use crate::cli::Verify;
use crate::machine::host::Host;
use crate::report;
use crate::servers::checkout::Checkout;
use crate::servers::install;
use crate::servers::launch;
use crate::servers::server::Server;
use conformance::Finding;

/// Time for a server on this machine to take a connection.
const CONNECT_BOUND: Duration = Duration::from_secs(5);

pub(super) fn run(root: Option<&Path>, arguments: &Verify) -> anyhow::Result<Outcome> {
    let depth = if arguments.conformance { Depth::Splits } else { Depth::Endpoint };
    if let Some(address) = arguments.address {
        let name = address.to_string();
        TcpStream::connect_timeout(&address, CONNECT_BOUND)
            .with_context(|| format!("--address: cannot connect to {name}: does the server run?"))?;
        let verification = verify::verify_attached(address, depth);
        print(&findings(&name, None, &verification, arguments.all))?;
        let is_as_known = verification.is_as_known();
        print(&table(&[(&name, verification)]))?;
        return Ok(outcome(is_as_known));
    }
    let checkout = Checkout::read(root)?.with_server_dirs(&arguments.chosen.server_dir)?;
    let named = arguments.chosen.names(&arguments.names);
    let mut servers = checkout.choose_servers(named)?;
    if arguments.conformance {
        servers = without_floor(servers, named, "keeps no rules of HTTP")?;
    }
    let host = Host::this_machine(checkout.tools())?;
    if arguments.chosen.install {
        install::missing(&host, &servers, true, note);
    }
    let mut verified = Vec::new();
    let mut all_well = true;
    for server in servers {
        let verification = match launch::prepare(&host, server) {
            Ok(Some(why)) => {
                print(&format!("{:<14} {}: {why}\n", server.name, styled(BAD, "unavailable")))?;
                continue;
            }
            Ok(None) => verify::verify(&host, server, depth),
            Err(error) => Err(error),
        };
        if host.interrupted() {
            return Ok(Outcome::Interrupted);
        }
        all_well &= verification.as_ref().is_ok_and(Verification::is_as_known);
        match verification {
            Ok(verification) => {
                print(&findings(&server.name, Some(server), &verification, arguments.all))?;
                verified.push((server.name.as_str(), verification));
            }
            Err(error) => {
                print(&format!("{:<14} {}: {error:#}\n", server.name, styled(BAD, "failed")))?;
            }
        }
    }
    if arguments.conformance {
        print(&table(&verified))?;
    }
    Ok(outcome(all_well))
}

fn table(verified: &[(&str, Verification)]) -> String {
    format!("\n{}", report::conformance(verified, report::terminal_width()))
}

fn outcome(all_well: bool) -> Outcome {
    if all_well { Outcome::Fine } else { Outcome::Failed }
}

/// One line for a server that is as its manifest says, and more for each thing that is not. With `all`, also for what is
/// known.
fn findings(name: &str, server: Option<&Server>, verification: &Verification, all: bool) -> String {
    let verdict = match (verification.is_as_known(), server) {
        (true, Some(_)) => styled(GOOD, "as known"),
        (true, None) => styled(GOOD, "all pass"),
        (false, Some(_)) => styled(BAD, "not as known"),
        (false, None) => styled(BAD, "some fail"),
    };
    let (passed, asked) = (verification.passed(), verification.findings.len());
    let mut out = format!("{name:<14} {verdict}: {passed} of {asked} cases pass");
    let known = verification.known().count();
    if known > 0 {
        let _ = write!(out, ", {known} are known failures");
    }
    out.push('\n');
    if all {
        verification.known().for_each(|finding| failure(finding, "is known to fail", &mut out));
    }
    verification.unknown().for_each(|finding| failure(finding, "failed", &mut out));
    for case in &verification.closed {
        let manifest = server.map(|server| server.folder.join("server.toml")).unwrap_or_default();
        let _ = writeln!(out, "  {case} passes, or is no case: take it out of {}", manifest.display());
    }
    out
}

fn failure(finding: &Finding, what: &str, out: &mut String) {
    if let Some(wrong) = &finding.wrong {
        let _ = writeln!(out, "  {} {what} ({}, {}): {wrong}", finding.case, wrong.severity, finding.rule);
    }
}
