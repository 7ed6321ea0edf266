//! What tables show.

use crate::record::{Record, ServerRecord, TaskRecord, WorkloadRecord, count};
use crate::report::figures;
use crate::statistics::{Estimate, Rank};
use crate::summary::Cell;
use crate::verdict;

/// How many columns, the first ones, are words.
pub(super) const WORDS: usize = 3;

/// What a row is made of.
pub(super) struct Row<'a> {
    pub(super) cell: &'a Cell<'a>,
    /// `None` without figures.
    pub(super) rank: Option<Rank>,
    pub(super) workload: &'a WorkloadRecord,
}

/// One column.
pub(super) struct Column {
    pub(super) head: &'static str,
    pub(super) value: fn(&Row) -> String,
}

const fn column(head: &'static str, value: fn(&Row) -> String) -> Column {
    Column { head, value }
}

const RANK: Column = column("Rank", |row| row.rank.map_or_else(dash, |rank| rank.to_string()));
const LANGUAGE: Column = column("Language", |row| row.cell.server.language.clone());
const SERVER: Column = column("Server", |row| row.cell.server.name.clone());
const ERRORS: Column = column("Errors", |row| {
    let errors: u64 = row.cell.measured().map(Record::error_count).sum();
    row.rank.map_or_else(dash, |_| figures::whole(count(errors)))
});
const COST: Column =
    column("CPU µs/request", |row| median(row, Record::cpu_per_request, figures::microseconds));
const COST_INTERVAL: Column =
    column("interval", |row| interval(row.cell.estimate(Record::cpu_per_request), figures::microseconds));
const PER_SECOND: Column = column("Requests/s", |row| median(row, Record::per_second, figures::whole));
const BOUND: Column = column("bound by", |row| {
    verdict::of_cell(row.cell).map_or_else(dash, |verdict| verdict.bound.to_string())
});
const MEMORY: Column = column("Memory", |row| {
    let at_rest = row.cell.median(|run| Some(count(run.memory?.at_rest_bytes?)));
    let after = row.cell.median(|run| Some(count(run.memory?.after_bytes?)));
    let [at_rest, after] = [at_rest, after].map(|bytes| bytes.map_or_else(dash, figures::mebibytes));
    format!("{at_rest} → {after}")
});

/// The article's columns, and what it did not tell.
const CLOSED_LOOP: [Column; 13] = [
    RANK,
    LANGUAGE,
    SERVER,
    column("Requests", |row| median(row, |run| Some(count(run.load.as_ref()?.answered)), figures::whole)),
    column("Concurrency", |row| row.workload.connections.to_string()),
    column("Time taken", |row| median(row, |run| Some(run.load.as_ref()?.elapsed_seconds), figures::seconds)),
    ERRORS,
    COST,
    COST_INTERVAL,
    PER_SECOND,
    BOUND,
    MEMORY,
    column("HTTP cases", |row| conformance(row.cell.server)),
];

const OPEN_LOOP: [Column; 14] = [
    RANK,
    LANGUAGE,
    SERVER,
    column("Rate/s", |row| {
        median(row, |run| Some(run.load.as_ref()?.open_loop.as_ref()?.rate_per_second), figures::whole)
    }),
    PER_SECOND,
    ERRORS,
    column("p50", |row| median(row, |run| run.percentile(50), figures::duration)),
    column("p90", |row| median(row, |run| run.percentile(90), figures::duration)),
    column("p99", |row| median(row, |run| run.percentile(99), figures::duration)),
    column("interval", |row| interval(row.cell.estimate(|run| run.percentile(99)), figures::duration)),
    column("p99.9", |row| median(row, |run| run.latency.as_ref()?.p99_9_seconds, figures::duration)),
    column("late p99", |row| {
        median(row, |run| run.load.as_ref()?.open_loop.as_ref()?.lag_p99_seconds, figures::duration)
    }),
    COST,
    BOUND,
];

const START: [Column; 7] = [
    RANK,
    LANGUAGE,
    SERVER,
    column("Ready", |row| median(row, |run| Some(run.start?.ready_seconds), figures::duration)),
    column("First answer", |row| median(row, first_answer, figures::duration)),
    column("interval", |row| interval(row.cell.estimate(first_answer), figures::duration)),
    column("Memory then", |row| median(row, |run| Some(count(run.memory?.after_bytes?)), figures::mebibytes)),
];

const HOLD: [Column; 7] = [
    RANK,
    LANGUAGE,
    SERVER,
    column("Connections", |row| median(row, |run| Some(count(run.connections?.seen?)), figures::whole)),
    column("Memory/connection", |row| median(row, Record::memory_per_connection, figures::bytes)),
    column("interval", |row| interval(row.cell.estimate(Record::memory_per_connection), figures::bytes)),
    MEMORY,
];

/// The columns of a workload's table.
pub(super) fn of(workload: &WorkloadRecord) -> &'static [Column] {
    match (workload.task, &workload.rate) {
        (TaskRecord::Load, None) => &CLOSED_LOOP,
        (TaskRecord::Load, Some(_)) => &OPEN_LOOP,
        (TaskRecord::Start, _) => &START,
        (TaskRecord::Hold, _) => &HOLD,
    }
}

/// Whether a workload's table tells of conformance cases.
pub(super) fn have_cases(workload: &WorkloadRecord) -> bool {
    workload.task == TaskRecord::Load && workload.rate.is_none()
}

fn first_answer(run: &Record) -> Option<f64> {
    Some(run.start?.first_answer_seconds)
}

fn dash() -> String {
    "–".into()
}

fn median(row: &Row, figure: fn(&Record) -> Option<f64>, form: fn(f64) -> String) -> String {
    row.cell.median(figure).map_or_else(dash, form)
}

fn interval(estimate: Option<Estimate>, form: fn(f64) -> String) -> String {
    estimate.map_or_else(dash, |estimate| format!("{}–{}", form(estimate.low), form(estimate.high)))
}

/// How many of the conformance cases passed, of those that were sent.
fn conformance(server: &ServerRecord) -> String {
    server.conformance.as_ref().map_or_else(dash, |found| format!("{}/{}", found.passed, found.cases))
}
