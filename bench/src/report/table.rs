//! The article's table, a row a server.

use std::fmt::Write;

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};

use super::figures;
use crate::record::{Measured, ServerRecord, count};
use crate::summary::{Cell, WorkloadSummary};

const HEAD: [&str; 10] = [
    "Language",
    "Server",
    "Requests",
    "Concurrency",
    "Time taken",
    "Errors",
    "Requests/s",
    "min–max",
    "CPU µs/request",
    "HTTP cases",
];

/// The workload's title, its table, and what has to be known to read it.
pub(super) fn text(summary: &WorkloadSummary) -> String {
    let workload = summary.workload;
    let repetitions = summary.cells.iter().map(|cell| cell.measured().count()).max().unwrap_or(0);
    let mut out =
        format!("{}  ({}, path {}, {})\n", workload.title, workload.name, workload.path, workload.mode);
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
    table.set_header(HEAD);
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for cell in &summary.cells {
        table.add_row(row(cell, workload.connections));
    }
    let _ = writeln!(out, "{}", table.trim_fmt());
    let _ = writeln!(
        out,
        "Medians of {repetitions} repetition{}; errors are the sum. Requests/s are 2xx answers over the tool's own \
         time. CPU is the server's. HTTP cases are those that pass of our conformance suite.",
        if repetitions == 1 { "" } else { "s" }
    );
    notes(summary, &mut out);
    out
}

fn row(cell: &Cell, connections: u32) -> Vec<String> {
    let median = |figure: &dyn Fn(&Measured) -> Option<f64>, form: fn(f64) -> String| {
        cell.spread(figure).map_or_else(|| "–".to_owned(), |spread| form(spread.median))
    };
    let errors: u64 = cell.measured().map(Measured::error_count).sum();
    let rate = cell.spread(|run| Some(run.per_second()));
    let mark = if cell.client_bound() { " *" } else { "" };
    vec![
        cell.server.language.clone(),
        cell.server.name.clone(),
        median(&|run| Some(count(run.answered)), figures::whole),
        connections.to_string(),
        median(&|run| Some(run.elapsed_seconds), figures::seconds),
        if rate.is_some() { figures::whole(count(errors)) } else { "–".into() },
        rate.map_or_else(|| "–".into(), |rate| figures::whole(rate.median) + mark),
        rate.map_or_else(String::new, |rate| {
            format!("{}–{}", figures::whole(rate.min), figures::whole(rate.max))
        }),
        median(&Measured::cpu_per_request, figures::microseconds),
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

/// What is wrong with cells: runs that failed, errors by kind, a tool that set the pace.
fn notes(summary: &WorkloadSummary, out: &mut String) {
    let bound: Vec<&str> = summary
        .cells
        .iter()
        .filter(|cell| cell.client_bound())
        .map(|cell| cell.server.name.as_str())
        .collect();
    if !bound.is_empty() {
        let _ = writeln!(
            out,
            "* The load tool used its cores up ({}): this throughput is the tool's, and these rows compare the tool \
             with itself. CPU µs/request tells them apart.",
            bound.join(", ")
        );
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
