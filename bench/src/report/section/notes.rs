//! What has to be known of a workload's cells, in sentences below its table.

use std::collections::BTreeMap;

use super::parts;
use crate::analysis::summary::{Cell, WorkloadSummary};
use crate::store::record::{Bound, TaskRecord};

/// The noise floor: what a server differs from itself in the figure that ranks go by.
pub(super) fn control(summary: &WorkloadSummary) -> Option<String> {
    let (server, ratio) = summary.control(summary.leading())?;
    let percent = |ratio: f64| format!("{:+.1} %", (ratio - 1.0) * 100.0);
    let end = match summary.noise() {
        Some(noise) if ratio.is_enough() => {
            format!(": differences below {:.1} % are not called differences.", noise * 100.0)
        }
        _ => "; too few repetitions to tell the noise.".into(),
    };
    Some(format!(
        "A/A control: {}, measured twice under two names, differs from itself by {} ({} to {}){end}",
        server.name,
        percent(ratio.median),
        percent(ratio.low),
        percent(ratio.high),
    ))
}

/// A tool that set the pace, cells that say nothing or less, errors by kind, runs that failed.
pub(super) fn cells(summary: &WorkloadSummary) -> Vec<String> {
    let each = |note: fn(&Cell) -> Option<String>| -> Vec<String> {
        let noted = summary.with_floor().filter_map(|cell| Some((cell, note(cell)?)));
        noted.map(|(cell, note)| format!("{} ({note})", cell.server.name)).collect()
    };
    let sentence = |begin: &str, servers: &[String]| {
        let servers: Vec<&str> = servers.iter().map(String::as_str).collect();
        (!servers.is_empty()).then(|| format!("{begin}: {}.", parts::list(&servers)))
    };
    let grouped = [
        client_bound(summary),
        sentence("Invalid", &each(|cell| reason(cell, Bound::Invalid))),
        sentence(
            "Disturbed, so measure again when the machine is quiet",
            &each(|cell| reason(cell, Bound::Disturbed)),
        ),
        sentence("Disturbed and done again", &each(done_again)),
        sentence("Not all connections stayed open", &each(lost)),
        sentence("Errors", &each(errors)),
    ];
    grouped.into_iter().flatten().chain(failures(summary)).collect()
}

fn client_bound(summary: &WorkloadSummary) -> Option<String> {
    let is_bound = |cell: &&Cell| cell.bound() == Some(Bound::ClientBound);
    let bound: Vec<&str> =
        summary.with_floor().filter(is_bound).map(|cell| cell.server.name.as_str()).collect();
    (!bound.is_empty()).then(|| {
        format!(
            "Bound by the client ({}): the load tool used its cores up, so that its requests/s compare the tool with itself.",
            parts::list(&bound)
        )
    })
}

/// Why a cell is bound by this.
fn reason(cell: &Cell, wanted: Bound) -> Option<String> {
    let verdict = cell.verdict.as_ref().filter(|verdict| verdict.bound == wanted)?;
    verdict.reason.clone()
}

fn done_again(cell: &Cell) -> Option<String> {
    let plural = if cell.set_aside == 1 { "" } else { "s" };
    (cell.set_aside > 0).then(|| format!("{} run{plural}", cell.set_aside))
}

/// Connections that were to be held and did not stay.
fn lost(cell: &Cell) -> Option<String> {
    let held = cell.measured().filter(|run| run.workload.task == TaskRecord::Hold);
    let fewest = held.filter_map(|run| run.connections?.seen).min()?;
    let asked = cell.runs.first().map_or(0, |run| u64::from(run.workload.connections));
    (fewest < asked).then(|| format!("{fewest} of {asked}"))
}

fn errors(cell: &Cell) -> Option<String> {
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for (kind, number) in cell.measured().filter_map(|run| run.load.as_ref()).flat_map(|load| &load.errors) {
        *kinds.entry(kind).or_insert(0) += number;
    }
    let kinds: Vec<String> = kinds.iter().map(|(kind, number)| format!("{number} × {kind}")).collect();
    (!kinds.is_empty()).then(|| kinds.join(", "))
}

/// Each way in which runs failed, once, with the servers that did.
fn failures(summary: &WorkloadSummary) -> Vec<String> {
    let mut ways: Vec<(String, Vec<&str>)> = Vec::new();
    for cell in summary.with_floor() {
        for failure in cell.failures() {
            let way = format!("{}: {}", failure.kind, failure.message);
            let name = cell.server.name.as_str();
            match ways.iter_mut().find(|(known, _)| *known == way) {
                Some((_, servers)) if servers.contains(&name) => {}
                Some((_, servers)) => servers.push(name),
                None => ways.push((way, vec![name])),
            }
        }
    }
    ways.into_iter().map(|(way, servers)| format!("{}: {way}", parts::list(&servers))).collect()
}
