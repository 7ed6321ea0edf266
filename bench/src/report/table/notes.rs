//! What has to be known of a table's cells.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::record::{Bound, TaskRecord};
use crate::summary::{Cell, WorkloadSummary};
use crate::verdict;

use super::columns;

/// The noise floor, a tool that set the pace, cells that say nothing, errors by kind, runs that failed.
pub(super) fn write(summary: &WorkloadSummary, out: &mut String) {
    // Writing to a string cannot fail.
    control(summary, out);
    client_bound(summary, out);
    for cell in &summary.cells {
        let name = &cell.server.name;
        if let Some(verdict::Verdict { bound, reason: Some(reason) }) = verdict::of_cell(cell) {
            let advice = match bound {
                Bound::Disturbed => ": measure again when the machine is quiet",
                _ => "",
            };
            let _ = writeln!(out, "{name}: {bound}: {reason}{advice}");
        }
        if cell.set_aside > 0 {
            let runs = if cell.set_aside == 1 { "run was" } else { "runs were" };
            let _ = writeln!(out, "{name}: {} {runs} disturbed and done again", cell.set_aside);
        }
        let smuggled = cell.server.conformance.as_ref().map_or(0, |found| found.smuggled);
        if smuggled > 0 && columns::have_cases(summary.workload) {
            let _ = writeln!(
                out,
                "{name}: in {smuggled} of the HTTP cases it answers a request that is hidden within another."
            );
        }
        lost(cell, out);
        errors(cell, out);
        failures(cell, out);
    }
}

/// The A/A control: what a server differs from itself.
fn control(summary: &WorkloadSummary, out: &mut String) {
    let Some((server, ratio)) = summary.control(summary.leading()) else { return };
    let percent = |ratio: f64| format!("{:+.1} %", (ratio - 1.0) * 100.0);
    let _ = write!(
        out,
        "A/A control: {}, measured twice under two names, differs from itself by {} ({} to {})",
        server.name,
        percent(ratio.median),
        percent(ratio.low),
        percent(ratio.high),
    );
    let _ = match summary.noise() {
        Some(noise) if ratio.is_enough() => {
            writeln!(out, ": differences below {:.1} % are not called differences.", noise * 100.0)
        }
        _ => writeln!(out, "; too few repetitions to tell the noise."),
    };
}

fn client_bound(summary: &WorkloadSummary, out: &mut String) {
    let is_bound = |cell: &&Cell| verdict::of_cell(cell).is_some_and(|cell| cell.bound == Bound::ClientBound);
    let bound: Vec<&str> =
        summary.cells.iter().filter(is_bound).map(|cell| cell.server.name.as_str()).collect();
    if !bound.is_empty() {
        let _ = writeln!(
            out,
            "Bound by the client ({}): the load tool used its cores up, so that its requests/s compare the tool with \
             itself.",
            bound.join(", ")
        );
    }
}

/// Connections that were to be held and did not stay.
fn lost(cell: &Cell, out: &mut String) {
    let held = cell.measured().filter(|run| run.workload.task == TaskRecord::Hold);
    let fewest = held.filter_map(|run| run.connections?.seen).min();
    let asked = cell.runs.first().map_or(0, |run| u64::from(run.workload.connections));
    if let Some(fewest) = fewest.filter(|fewest| *fewest < asked) {
        let _ = writeln!(out, "{}: only {fewest} of {asked} connections stayed open.", cell.server.name);
    }
}

fn errors(cell: &Cell, out: &mut String) {
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for (kind, number) in cell.measured().filter_map(|run| run.load.as_ref()).flat_map(|load| &load.errors) {
        *kinds.entry(kind).or_insert(0) += number;
    }
    if !kinds.is_empty() {
        let kinds: Vec<String> = kinds.iter().map(|(kind, number)| format!("{number} × {kind}")).collect();
        let _ = writeln!(out, "{}: errors: {}", cell.server.name, kinds.join(", "));
    }
}

fn failures(cell: &Cell, out: &mut String) {
    let mut said: Vec<String> = Vec::new();
    for failure in cell.failures() {
        let kind = serde_json::to_string(&failure.kind).unwrap_or_default();
        let kind = kind.trim_matches('"').replace('-', " ");
        let line = format!("{}: {kind}: {}", cell.server.name, failure.message);
        if !said.contains(&line) {
            let _ = writeln!(out, "{line}");
            said.push(line);
        }
    }
}
