//! `bench drill`: does each server survive faults and misbehaving clients?

use std::path::Path;

use anyhow::Context;

use super::report::rewrite_report;
use super::{BAD, GOOD, Outcome, note, print, styled, told, without_floor};
use crate::checks::drill::{self, DRILLS, Drill, DrillResult, Size};
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

/// Connections that the largest drill opens at once.
const WANTED: u16 = 10_000;

/// Further descriptors: those of the first connections, and what a server opens for itself.
const RESERVED: usize = 400;

pub(super) fn run(root: Option<&Path>, arguments: &cli::Drill) -> anyhow::Result<Outcome> {
    if arguments.list {
        return print(&list());
    }
    let checkout = Checkout::read(root)?.with_server_dirs(&arguments.chosen.server_dir)?;
    let named = arguments.chosen.names(&arguments.names);
    let servers = without_floor(checkout.choose_servers(named)?, named, "does not handle faults")?;
    let drills = choose(&arguments.drills)?;
    let mut kept = arguments.keep.as_deref().map(keep).transpose()?;
    let host = Host::this_machine(checkout.tools())?;
    if arguments.chosen.install {
        install::missing(&host, &servers, true, note);
    }
    let connections = connections(host::raise_descriptor_limit()?);
    let size = if arguments.short { Size::Short } else { Size::Full { connections } };

    let mut records = Vec::new();
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
                print(&format!("{:<14} {}: {}\n", server.name, styled(BAD, "failed"), told(&error)))?;
                continue;
            }
        }
        let Some(results) = run_drills(&host, server, &drills, size, kept.as_mut(), &mut records)? else {
            return Ok(Outcome::Interrupted);
        };
        outdated += &self::outdated(server, &results);
        all_well &= results.iter().all(DrillResult::is_as_known);
    }
    all_well &= outdated.is_empty();
    print(&table(&records))?;
    print(&outdated)?;
    if let Some(folder) = &arguments.keep {
        anstream::eprintln!("report: {}", rewrite_report(folder)?.display());
    }
    Ok(if all_well { Outcome::Fine } else { Outcome::Failed })
}

/// Opens the file of a result folder that stores the results. Fails when the folder cannot be
/// written.
fn keep(folder: &Path) -> anyhow::Result<DrillsFile> {
    let (file, torn) = DrillsFile::open(folder).context("--keep")?;
    if let Some(torn) = torn {
        anstream::eprintln!("{torn}");
    }
    Ok(file)
}

/// Runs the drills with one server, prints each result to standard error, adds it to `records`, and
/// stores it. Returns `None` when the user interrupts the command.
fn run_drills(
    host: &Host,
    server: &Server,
    drills: &[&Drill],
    size: Size,
    mut kept: Option<&mut DrillsFile>,
    records: &mut Vec<DrillRecord>,
) -> anyhow::Result<Option<Vec<DrillResult>>> {
    let version = kept.as_ref().and_then(|_| launch::version(host, server).ok());
    let drilled = drill::drilled_record(server, version);
    let mut results = Vec::new();
    for drill in drills {
        let started = machine::now();
        let result = drill.run(host, server, size);
        if host.interrupted() {
            return Ok(None);
        }
        anstream::eprintln!("{}", progress(server, &result));
        let record = drill::drill_record(drilled.clone(), drill, size, started, &result);
        if let Some(kept) = &mut kept {
            kept.append(&record)?;
        }
        records.push(record);
        results.push(result);
    }
    Ok(Some(results))
}

/// A line for each known failure that passes, or that names a drill that does not exist.
fn outdated(server: &Server, results: &[DrillResult]) -> String {
    let passes = |result: &&DrillResult| result.outcome.is_ok() && !result.is_as_known();
    let passed = results.iter().filter(passes).map(|result| format!("{} passes", result.drill));
    let unknown = drill::unknown_names(server).map(|name| format!("{name} is not a drill"));
    let manifest = server.folder.join("server.toml");
    let line = |what: String| format!("{} {what}: remove it from {}\n", server.name, manifest.display());
    passed.chain(unknown).map(line).collect()
}

/// The drills that `--drills` names, in the order of [`DRILLS`]; all when it names none or is
/// `all`. Fails when a name is unknown.
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

/// How many connections this machine allows. Prints a line when they are fewer than the drills
/// want.
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

fn progress(server: &Server, result: &DrillResult) -> String {
    let (style, text) = match &result.outcome {
        Ok(figure) => (GOOD, figure),
        Err(wrong) => (BAD, wrong),
    };
    format!("{:<14} {:<24} {}", server.name, result.drill, styled(style, text))
}

fn table(records: &[DrillRecord]) -> String {
    // Styles are added once the columns have their widths.
    let table = report::drills(records, report::terminal_width());
    format!("\n{}", table.replace(report::FAILED, &styled(BAD, report::FAILED)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN_FAILURES: &str = r#"
        [[known_failures]]
        cases = ["drill/never-read", "drill/kill", "drill/no-such", "endpoint/get"]
        reason = "Nothing is bounded."
        [[known_failures]]
        cases = ["drill/half-close", "drill/mixed"]
        reason = "Whichever comes first."
        flaky = true
    "#;

    #[test]
    fn outdated_known_failures_are_reported() {
        let server = Server { folder: "example".into(), ..Server::example(KNOWN_FAILURES) };
        let result = |drill: &'static str, passes: bool| {
            let outcome = if passes { Ok(String::new()) } else { Err(String::new()) };
            DrillResult::new(drill, outcome, &server)
        };
        let results = [
            result("drill/idle", true),
            result("drill/resets", false),
            result("drill/half-close", true),
            result("drill/never-read", false),
            result("drill/kill", true),
            result("drill/mixed", false),
        ];
        let as_known: Vec<bool> = results.iter().map(DrillResult::is_as_known).collect();
        assert_eq!(as_known, [true, false, true, true, false, true]);
        assert_eq!(
            outdated(&server, &results),
            "example drill/kill passes: remove it from example/server.toml\n\
             example drill/no-such is not a drill: remove it from example/server.toml\n"
        );
    }
}
