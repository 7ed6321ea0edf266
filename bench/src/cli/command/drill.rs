//! `bench drill`: how does each server stand misfortune and clients that misbehave?

use std::path::Path;

use anyhow::Context;

use super::report::rewrite_report;
use super::{BAD, GOOD, Outcome, note, print, styled, without_floor};
use crate::checks::drill::{self, DRILLS, Drill, Finding, Size};
use crate::cli;
use crate::machine;
use crate::machine::host::{self, Host};
use crate::report;
use crate::servers::checkout::Checkout;
use crate::servers::install;
use crate::servers::launch;
use crate::servers::server::Server;
use crate::store::drills::DrillRecord;
use crate::store::results::DrillsFile;
use crate::text::names;
use crate::text::numbers;

/// Connections that the largest drill wants at once.
const WANTED: u16 = 10_000;

/// Descriptors that are needed beside those: of connections that are opened first, and what a server keeps for itself.
const RESERVED: usize = 400;

pub(super) fn run(root: Option<&Path>, arguments: &cli::Drill) -> anyhow::Result<Outcome> {
    if arguments.list {
        return print(&list());
    }
    let checkout = Checkout::read(root)?.with_server_dirs(&arguments.chosen.server_dir)?;
    let named = arguments.chosen.names(&arguments.names);
    let servers = without_floor(checkout.choose_servers(named)?, named, "has to stand nothing")?;
    let drills = choose(&arguments.drills)?;
    let mut kept = arguments.keep.as_deref().map(keep).transpose()?;
    let host = Host::this_machine(checkout.tools())?;
    if arguments.chosen.install {
        install::missing(&host, &servers, true, note);
    }
    let connections = connections(host::raise_descriptor_limit()?);
    let size = if arguments.short { Size::Short } else { Size::Full { connections } };

    let mut records = Vec::new();
    // What manifests say and is so no more.
    let mut outdated = String::new();
    let mut all_well = true;
    for server in servers {
        let prepared = launch::prepare(&host, server);
        if host.interrupted() {
            return Ok(Outcome::Interrupted);
        }
        match prepared {
            Ok(None) => {}
            Ok(Some(why)) => {
                print(&format!("{:<14} {}: {why}\n", server.name, styled(BAD, "unavailable")))?;
                continue;
            }
            Err(error) => {
                all_well = false;
                print(&format!("{:<14} {}: {error:#}\n", server.name, styled(BAD, "failed")))?;
                continue;
            }
        }
        let Some(findings) = drill_one(&host, server, &drills, size, kept.as_mut(), &mut records)? else {
            return Ok(Outcome::Interrupted);
        };
        outdated += &self::outdated(server, &findings);
        all_well &= findings.iter().all(Finding::is_as_known);
    }
    all_well &= outdated.is_empty();
    print(&table(&records))?;
    print(&outdated)?;
    if let Some(folder) = &arguments.keep {
        anstream::eprintln!("report: {}", rewrite_report(folder)?.display());
    }
    Ok(if all_well { Outcome::Fine } else { Outcome::Failed })
}

/// The file of a result folder that keeps what is found.
fn keep(folder: &Path) -> anyhow::Result<DrillsFile> {
    let (file, torn) = DrillsFile::open(folder).context("--keep")?;
    if let Some(torn) = torn {
        anstream::eprintln!("{torn}");
    }
    Ok(file)
}

/// Does the drills with one server, says on standard error how each went, adds that to `records`, and keeps it; `None` when
/// somebody asked us to stop.
fn drill_one(
    host: &Host,
    server: &Server,
    drills: &[&Drill],
    size: Size,
    mut kept: Option<&mut DrillsFile>,
    records: &mut Vec<DrillRecord>,
) -> anyhow::Result<Option<Vec<Finding>>> {
    let version = kept.as_ref().and_then(|_| launch::version(host, server).ok());
    let drilled = drill::drilled_record(server, version);
    let mut findings = Vec::new();
    for drill in drills {
        let started = machine::now();
        let finding = drill.run(host, server, size);
        if host.interrupted() {
            return Ok(None);
        }
        anstream::eprintln!("{}", progress(server, &finding));
        let record = drill::drill_record(drilled.clone(), drill, size, started, &finding);
        if let Some(kept) = &mut kept {
            kept.append(&record)?;
        }
        records.push(record);
        findings.push(finding);
    }
    Ok(Some(findings))
}

/// A line for each drill that the manifest says to fail, and that passes or is not there.
fn outdated(server: &Server, findings: &[Finding]) -> String {
    let passes = |finding: &&Finding| finding.outcome.is_ok() && !finding.is_as_known();
    let passed = findings.iter().filter(passes).map(|finding| format!("{} passes", finding.drill));
    let unknown = drill::unknown_names(server).map(|known_failure| format!("{known_failure} is no drill"));
    let manifest = server.folder.join("server.toml");
    let line = |what: String| format!("{} {what}: take it out of {}\n", server.name, manifest.display());
    passed.chain(unknown).map(line).collect()
}

/// The drills that `--drills` names, in their own order; all when it names none or is `all`.
fn choose(wanted: &[String]) -> anyhow::Result<Vec<&'static Drill>> {
    let all = DRILLS.iter();
    if wanted.is_empty() || wanted == ["all"] {
        return Ok(all.collect());
    }
    for name in wanted {
        names::find("drill", name, &DRILLS, |drill| drill.short_name())?;
    }
    Ok(all.filter(|drill| wanted.iter().any(|name| name == drill.short_name())).collect())
}

/// How many connections this machine allows; says so when they are fewer than wanted.
fn connections(descriptors: usize) -> usize {
    let allowed = descriptors.saturating_sub(RESERVED);
    let wanted = usize::from(WANTED);
    if allowed < wanted {
        anstream::eprintln!(
            "The limit of {descriptors} open files (`ulimit -Hn`) leaves {allowed} connections at once instead of {}.",
            numbers::whole(f64::from(WANTED))
        );
    }
    allowed.min(wanted)
}

fn list() -> String {
    let line = |drill: &Drill| format!("{:<18} {}\n", drill.short_name(), drill.about);
    DRILLS.iter().map(line).collect()
}

fn progress(server: &Server, finding: &Finding) -> String {
    let (style, text) = match &finding.outcome {
        Ok(figure) => (GOOD, figure),
        Err(wrong) => (BAD, wrong),
    };
    format!("{:<14} {:<24} {}", server.name, finding.drill, styled(style, text))
}

fn table(records: &[DrillRecord]) -> String {
    // Styles are put on when columns have their widths.
    let table = report::drills(records, report::terminal_width());
    format!("\n{}", table.replace(report::FAILED, &styled(BAD, report::FAILED)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
        name = "example"
        title = "Example"
        language = "Rust"
        runtime = "std"
        model = "thread pool"
        run = ["example"]
        version = ["example", "--version"]
        [[known_failures]]
        cases = ["drill/never-read", "drill/kill", "drill/no-such", "endpoint/get"]
        reason = "Nothing is bounded."
        [[known_failures]]
        cases = ["drill/half-close", "drill/mixed"]
        reason = "Whichever comes first."
        flaky = true
    "#;

    #[test]
    fn what_passes_or_is_no_drill_is_to_leave_the_manifest() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("example");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("server.toml"), MANIFEST).unwrap();
        let server = Server { folder: "example".into(), ..Server::read(&folder, Path::new("/t")).unwrap() };
        let finding = |drill: &'static str, stands: bool| {
            let outcome = if stands { Ok(String::new()) } else { Err(String::new()) };
            Finding::of(drill, outcome, &server)
        };
        let findings = [
            finding("drill/idle", true),
            finding("drill/resets", false),
            finding("drill/half-close", true),
            finding("drill/never-read", false),
            finding("drill/kill", true),
            finding("drill/mixed", false),
        ];
        let as_known: Vec<bool> = findings.iter().map(Finding::is_as_known).collect();
        assert_eq!(as_known, [true, false, true, true, false, true]);
        assert_eq!(
            outdated(&server, &findings),
            "example drill/kill passes: take it out of example/server.toml\n\
             example drill/no-such is no drill: take it out of example/server.toml\n"
        );
    }
}
