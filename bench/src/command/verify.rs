//! `bench verify`: does each server answer as it should?

use std::path::Path;

use super::{BAD, GOOD, Outcome, print, styled};
use crate::checkout::Checkout;
use crate::cli::Verify;
use crate::conformance::{self, Case};
use crate::host::Host;
use crate::launch;
use crate::server::Server;
use crate::verify::{self, Verification};

pub(super) fn run(root: Option<&Path>, arguments: &Verify) -> anyhow::Result<Outcome> {
    let checkout = Checkout::read(root)?;
    let servers = checkout.choose_servers(&arguments.servers)?;
    let host = Host::this_machine(checkout.tools())?;
    let cases = conformance::cases();
    let mut all_well = true;
    for server in servers {
        if let Some(why) = launch::unavailable(&host, server) {
            print(&format!("{:<14} {}: {why}\n", server.name, styled(BAD, "unavailable")))?;
            continue;
        }
        let verification = verify_one(&host, server, &cases);
        if host.interrupted() {
            return Ok(Outcome::Interrupted);
        }
        all_well &= verification.as_ref().is_ok_and(Verification::is_as_known);
        print(&line(server, cases.len(), &verification))?;
    }
    Ok(if all_well { Outcome::Fine } else { Outcome::Failed })
}

fn verify_one(host: &Host, server: &Server, cases: &[Case]) -> anyhow::Result<Verification> {
    launch::build(host, server)?;
    verify::verify(host, server, cases)
}

/// One line for a server that is as its manifest says, and one more for each thing that is not.
fn line(server: &Server, cases: usize, verification: &anyhow::Result<Verification>) -> String {
    let verification = match verification {
        Ok(verification) => verification,
        Err(error) => return format!("{:<14} {}: {error:#}\n", server.name, styled(BAD, "failed")),
    };
    let verdict =
        if verification.is_as_known() { styled(GOOD, "as known") } else { styled(BAD, "not as known") };
    let mut out =
        format!("{:<14} {verdict}: {} of {cases} cases pass", server.name, verification.passed.len());
    if !verification.known.is_empty() {
        out += &format!(", {} are known gaps", verification.known.len());
    }
    out.push('\n');
    for finding in &verification.failed {
        let wrong = finding.wrong.as_deref().unwrap_or_default();
        out += &format!("  {} failed: {wrong}\n", finding.case);
    }
    for case in &verification.closed {
        let manifest = server.folder.join("server.toml");
        out += &format!("  {case} passes, or is no case: take it out of {}\n", manifest.display());
    }
    out
}
