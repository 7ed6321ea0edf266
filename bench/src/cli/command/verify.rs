//! `bench verify`: does each server answer as it should?

use std::fmt::Write;
use std::path::Path;

use anyhow::Context;

use super::{Asked, BAD, GOOD, Outcome, note, print, read_checkout, styled, told, without_floor};
use crate::checks::verify::{self, Depth, Verification};
use crate::cli::Verify;
use crate::machine::host::Host;
use crate::report;
use crate::servers::build;
use crate::servers::client;
use crate::servers::install;
use crate::servers::launch;
use crate::servers::server::Server;
use crate::text::visible::visible;
use conformance::CaseResult;

pub(super) fn run(root: Option<&Path>, arguments: &Verify) -> anyhow::Result<Outcome> {
    let depth = if arguments.conformance { Depth::Splits } else { Depth::Endpoint };
    if let Some(address) = arguments.address {
        let name = address.to_string();
        client::check_accepts(address).context("--address")?;
        let verification = verify::verify_attached(address, depth);
        print(&results(&name, None, &verification, arguments.all))?;
        let is_as_known = verification.is_as_known();
        print(&table(&[(&name, verification)]))?;
        return Ok(outcome(is_as_known));
    }
    let checkout = read_checkout(root)?.with_server_dirs(&arguments.chosen.server_dir)?;
    let named = arguments.chosen.names(&arguments.names);
    let mut servers = checkout.choose_servers(named)?;
    if arguments.conformance {
        servers = without_floor(servers, named, "does not implement HTTP")?;
    }
    let host = Host::this_machine(checkout.tools())?;
    if arguments.chosen.install {
        install::missing(&host, &servers, true, note);
    }
    let mut verified = Vec::new();
    let (mut all_well, mut asked) = (true, Asked::default());
    for server in servers {
        build::kept(&host, server).iter().for_each(|sentence| note(sentence));
        let verification = match launch::prepare(&host, server) {
            Ok(Some(why)) => {
                print(&format!("{:<14} {}: {why}\n", server.name, styled(BAD, "unavailable")))?;
                asked.left_out(server, named);
                continue;
            }
            Ok(None) => verify::verify(&host, server, depth),
            Err(error) => Err(error),
        };
        if host.interrupted() {
            return Ok(Outcome::Interrupted);
        }
        asked.is_any_answered = true;
        all_well &= verification.as_ref().is_ok_and(Verification::is_as_known);
        match verification {
            Ok(verification) => {
                print(&results(&server.name, Some(server), &verification, arguments.all))?;
                verified.push((server.name.as_str(), verification));
            }
            Err(error) => {
                print(&format!("{:<14} {}: {}\n", server.name, styled(BAD, "failed"), told(&error)))?;
            }
        }
    }
    if arguments.conformance {
        print(&table(&verified))?;
    }
    Ok(asked.outcome(all_well))
}

fn table(verified: &[(&str, Verification)]) -> String {
    format!("\n{}", report::conformance(verified, report::terminal_width()))
}

fn outcome(all_well: bool) -> Outcome {
    if all_well { Outcome::Fine } else { Outcome::Failed }
}

/// A line for the server, and one for each result that its manifest does not list; with `all` also
/// for those that it lists.
fn results(name: &str, server: Option<&Server>, verification: &Verification, all: bool) -> String {
    let verdict = match (verification.is_as_known(), server) {
        (true, Some(_)) => styled(GOOD, "as known"),
        (true, None) => styled(GOOD, "all pass"),
        (false, Some(_)) => styled(BAD, "not as known"),
        (false, None) => styled(BAD, "some fail"),
    };
    let found = verification.count(|_| true);
    let mut out = format!("{name:<14} {verdict}: {} of {} cases pass", found.range(), found.cases);
    let is_flaky = |result: &&CaseResult| verification.is_flaky(result);
    for (count, what) in [
        (verification.known().filter(|result| !is_flaky(result)).count(), "known failures"),
        (verification.results.iter().filter(is_flaky).count(), "flaky"),
        (verification.only_split().count(), "split failures"),
    ] {
        if count > 0 {
            let _ = write!(out, ", {count} {what}");
        }
    }
    out.push('\n');
    if all {
        verification.known().for_each(|result| failure(result, "is a known failure", &mut out));
    }
    verification.unknown().for_each(|result| failure(result, "failed", &mut out));
    for case in &verification.outdated {
        let manifest = server.map(|server| server.folder.join("server.toml")).unwrap_or_default();
        let _ = writeln!(out, "  {case} passes, or does not exist: remove it from {}", manifest.display());
    }
    out
}

fn failure(result: &CaseResult, what: &str, out: &mut String) {
    if let Some(failure) = &result.failure {
        let line = format!("  {} {what} ({}, {}): {failure}", result.case, failure.severity, result.rule);
        let _ = writeln!(out, "{}", visible(&line));
    }
}
