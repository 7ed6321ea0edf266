//! The article's table, a row a server.

use std::fmt::Write;

use super::{figures, layout};
use crate::record::{Measured, ServerRecord, count};
use crate::statistics::{self, Rank};
use crate::summary::{Cell, WorkloadSummary};
use crate::verdict::{self, Verdict};

const HEAD: [&str; 12] = [
    "Rank",
    "Language",
    "Server",
    "Requests",
    "Concurrency",
    "Time taken",
    "Errors",
    "CPU µs/request",
    "interval",
    "Requests/s",
    "bound by",
    "HTTP cases",
];

/// The workload's title, its table, and what has to be known to read it.
pub(super) fn text(summary: &WorkloadSummary) -> String {
    let workload = summary.workload;
    let mut out =
        format!("{}  ({}, path {}, {})\n", workload.title, workload.name, workload.path, workload.mode);
    let mut table = layout::table(HEAD, 3);
    let ranks = summary.ranks().into_iter().map(Some).chain(std::iter::repeat(None));
    for (cell, rank) in summary.cells.iter().zip(ranks) {
        table.add_row(row(cell, rank, workload.connections));
    }
    let _ = writeln!(out, "{}", table.trim_fmt());
    out += &reading(summary);
    notes(summary, &mut out);
    out
}

/// How the table is to be read.
fn reading(summary: &WorkloadSummary) -> String {
    let repetitions = summary.cells.iter().map(|cell| cell.measured().count()).max().unwrap_or(0);
    let intervals = if repetitions < statistics::ENOUGH {
        format!("With fewer than {} nothing can be told apart, and intervals are ranges.", statistics::ENOUGH)
    } else {
        "Intervals hold the true median 19 times in 20; servers that cannot be told apart share ranks.".into()
    };
    format!(
        "Medians of {repetitions} repetition{}; errors are the sum. {intervals}\n\
         Ranks go by CPU time a request. Requests/s are 2xx answers over the tool's own time: a fact about what they are \
         bound by.\nHTTP cases are those of our conformance suite that pass.\n",
        if repetitions == 1 { "" } else { "s" }
    )
}

fn row(cell: &Cell, rank: Option<Rank>, connections: u32) -> Vec<String> {
    let dash = || "–".to_owned();
    let median = |figure: &dyn Fn(&Measured) -> Option<f64>, form: fn(f64) -> String| {
        cell.median(figure).map_or_else(dash, form)
    };
    let errors: u64 = cell.measured().map(Measured::error_count).sum();
    let cost = cell.estimate(Measured::cpu_per_request);
    let micro = figures::microseconds;
    vec![
        rank.map_or_else(dash, |rank| rank.to_string()),
        cell.server.language.clone(),
        cell.server.name.clone(),
        median(&|run| Some(count(run.answered)), figures::whole),
        connections.to_string(),
        median(&|run| Some(run.elapsed_seconds), figures::seconds),
        rank.map_or_else(dash, |_| figures::whole(count(errors))),
        median(&Measured::cpu_per_request, figures::microseconds),
        cost.map_or_else(dash, |cost| format!("{}–{}", micro(cost.low), micro(cost.high))),
        median(&|run| Some(run.per_second()), figures::whole),
        verdict::of(cell).map_or_else(dash, |verdict| verdict.to_string()),
        conformance(cell.server),
    ]
}

/// How many of the conformance cases passed, of those that were sent.
fn conformance(server: &ServerRecord) -> String {
    server
        .conformance
        .as_ref()
        .map_or_else(|| "–".into(), |found| format!("{}/{}", found.passed, found.cases))
}

/// What has to be known of cells: a tool that set the pace, errors by kind, runs that failed.
fn notes(summary: &WorkloadSummary, out: &mut String) {
    let is_client_bound = |cell: &&Cell| verdict::of(cell) == Some(Verdict::ClientBound);
    let bound: Vec<&str> =
        summary.cells.iter().filter(is_client_bound).map(|cell| cell.server.name.as_str()).collect();
    if !bound.is_empty() {
        let _ = writeln!(
            out,
            "Bound by the client ({}): the load tool used its cores up, so that its requests/s compare the tool with \
             itself.",
            bound.join(", ")
        );
    }
    for cell in &summary.cells {
        if let Some(Verdict::Disturbed(share)) = verdict::of(cell) {
            let _ = writeln!(
                out,
                "{}: others took {:.0} % of the cores' time in its median run: measure again when the machine is quiet.",
                cell.server.name,
                share * 100.0
            );
        }
    }
    let smuggled = |cell: &Cell| cell.server.conformance.as_ref().map_or(0, |found| found.smuggled);
    for cell in summary.cells.iter().filter(|cell| smuggled(cell) > 0) {
        let _ = writeln!(
            out,
            "{}: in {} of the HTTP cases it answers a request that is hidden within another.",
            cell.server.name,
            smuggled(cell)
        );
    }
    for cell in &summary.cells {
        let mut kinds: std::collections::BTreeMap<&str, u64> = std::collections::BTreeMap::new();
        for (kind, number) in cell.measured().flat_map(|run| &run.errors) {
            *kinds.entry(kind).or_insert(0) += number;
        }
        if !kinds.is_empty() {
            let kinds: Vec<String> =
                kinds.iter().map(|(kind, number)| format!("{number} × {kind}")).collect();
            let _ = writeln!(out, "{}: errors: {}", cell.server.name, kinds.join(", "));
        }
        let mut said: Vec<String> = Vec::new();
        for failure in cell.failures() {
            let kind = serde_json::to_string(&failure.kind).unwrap_or_default();
            let line = format!(
                "{}: {}: {}",
                cell.server.name,
                kind.trim_matches('"').replace('-', " "),
                failure.message
            );
            if !said.contains(&line) {
                let _ = writeln!(out, "{line}");
                said.push(line);
            }
        }
    }
}
