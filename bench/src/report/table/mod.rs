//! A workload's table, a row a server, and what has to be known to read it. Each task has its own columns.

mod columns;
mod notes;

use std::fmt::Write;

use super::layout;
use crate::record::TaskRecord;
use crate::statistics;
use crate::summary::WorkloadSummary;

/// The workload's title, its table, and what has to be known to read it.
pub(super) fn text(summary: &WorkloadSummary) -> String {
    let workload = summary.workload;
    let how =
        workload.mode.as_ref().map_or_else(String::new, |mode| format!(", {mode}, by {}", summary.tool.name));
    let mut out = format!("{}  ({}, path {}{how})\n", workload.title, workload.name, workload.path);
    let columns = columns::of(workload);
    let mut table = layout::table(columns.iter().map(|column| column.head), columns::WORDS);
    let ranks = summary.ranks().into_iter().map(Some).chain(std::iter::repeat(None));
    for (cell, rank) in summary.cells.iter().zip(ranks) {
        let row = columns::Row { cell, rank, workload };
        table.add_row(columns.iter().map(|column| (column.value)(&row)));
    }
    let _ = writeln!(out, "{}", table.trim_fmt());
    out += &reading(summary);
    notes::write(summary, &mut out);
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
    let workload = summary.workload;
    let figures = match (workload.task, &workload.rate) {
        (TaskRecord::Load, None) => {
            "Errors are the sum. Ranks go by CPU time a request. Requests/s are 2xx answers over the tool's own time: a fact \
             about what they are bound by.\nHTTP cases are those of our conformance suite that pass.\n"
        }
        (TaskRecord::Load, Some(_)) => {
            "Latency counts from when a request was due, so that waiting for a server that stopped is in it, and so is what the \
             tool began late. Ranks go by CPU time a request.\n"
        }
        (TaskRecord::Start, _) => {
            "Times are from just before the process is made. Ranks go by the first answer.\n"
        }
        (TaskRecord::Hold, _) => {
            "Every connection has been used once. A connection's memory is what the server has grown by, over connections; ranks \
             go by it.\n"
        }
    };
    let plural = if repetitions == 1 { "" } else { "s" };
    format!("Medians of {repetitions} repetition{plural}. {intervals}\n{figures}")
}
