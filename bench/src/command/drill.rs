//! `bench drill`: how does each server stand misfortune and clients that misbehave?

use std::path::Path;

use anyhow::Context;

use super::report::rewrite_report;
use super::{BAD, GOOD, HEADING, Outcome, note, print, styled, without_floor};
use crate::checkout::Checkout;
use crate::cli;
use crate::drill::{self, DRILLS, Drill, DrillRecord, DrilledRecord, Finding, Row, Size};
use crate::host::{self, Host};
use crate::install;
use crate::launch;
use crate::machine;
use crate::names;
use crate::report::figures;
use crate::results::DrillsFile;
use crate::server::Server;

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

    let mut rows = Vec::new();
    let mut all_built = true;
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
                all_built = false;
                print(&format!("{:<14} {}: {error:#}\n", server.name, styled(BAD, "failed")))?;
                continue;
            }
        }
        let Some(findings) = drill_one(&host, server, &drills, size, kept.as_mut())? else {
            return Ok(Outcome::Interrupted);
        };
        rows.push(Row { server, findings });
    }
    print(&report(&rows))?;
    if let Some(folder) = &arguments.keep {
        anstream::eprintln!("report: {}", rewrite_report(folder)?.display());
    }
    Ok(if all_built && rows.iter().all(is_as_known) { Outcome::Fine } else { Outcome::Failed })
}

/// The file of a result folder that keeps what is found.
fn keep(folder: &Path) -> anyhow::Result<DrillsFile> {
    let (file, torn) = DrillsFile::open(folder).context("--keep")?;
    if let Some(torn) = torn {
        anstream::eprintln!("{torn}");
    }
    Ok(file)
}

/// Does the drills with one server, says on standard error how each went, and keeps that; `None` when somebody asked us to stop.
fn drill_one(
    host: &Host,
    server: &Server,
    drills: &[&Drill],
    size: Size,
    mut kept: Option<&mut DrillsFile>,
) -> anyhow::Result<Option<Vec<Finding>>> {
    let version = kept.as_ref().and_then(|_| launch::version(host, server).ok());
    let drilled = DrilledRecord::new(server, version);
    let mut findings = Vec::new();
    for drill in drills {
        let started = machine::now();
        let finding = drill.run(host, server, size);
        if host.interrupted() {
            return Ok(None);
        }
        anstream::eprintln!("{}", progress(server, &finding));
        if let Some(kept) = &mut kept {
            kept.append(&DrillRecord::new(drilled.clone(), drill, size, started, &finding))?;
        }
        findings.push(finding);
    }
    Ok(Some(findings))
}

fn is_as_known(row: &Row) -> bool {
    row.findings.iter().all(Finding::is_as_known) && drill::unknown_gaps(row.server).next().is_none()
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
            figures::whole(f64::from(WANTED))
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

fn report(rows: &[Row]) -> String {
    // Styles are put on when columns have their widths.
    let table = drill::table(rows).replace(drill::FAILED, &styled(BAD, drill::FAILED));
    format!("{}\n{table}{}", styled(HEADING, "Drills"), drill::notes(rows))
}
