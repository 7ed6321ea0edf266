//! How fast is it? Requests a second, with what bound them.

use super::family::Question;
use super::parts::{self, PER_SECOND};
use super::{Source, notes};
use crate::analysis::statistics::median;
use crate::analysis::summary::{Cell, WorkloadSummary};
use crate::report::chart::{Bar, Chart};
use crate::report::document::{Column, Priority, Section, Table};
use crate::report::value::{Quantity, Value};
use crate::store::record::{Record, TaskRecord};
use crate::text::numbers::as_f64;

pub(super) fn section(source: &Source) -> Option<Section> {
    let members: Vec<&WorkloadSummary> = source.loads(Question::Load);
    (!members.is_empty()).then(|| Section {
        id: "speed",
        title: "How fast is it?",
        about: vec![
            "Requests a second are right answers over the tool's own time. They are a fact about what bound them: the server where it \
             used its cores up, the load tool where that was first at its limit, the round trip where neither was busy."
                .into(),
        ],
        charts: members.iter().map(|summary| chart(summary)).collect(),
        tables: members.iter().map(|summary| source.held(table(summary), PER_SECOND, summary)).collect(),
        facts: Vec::new(),
    })
}

fn chart(summary: &WorkloadSummary) -> Chart {
    let mut bars = PER_SECOND.bars(summary);
    let speed = |bar: &Bar| bar.figure.map_or(f64::NEG_INFINITY, |figure| figure.value);
    bars.bars.sort_by(|a, b| speed(b).total_cmp(&speed(a)));
    bars.bars.extend(PER_SECOND.floor_bar(summary));
    parts::bars_chart(
        format!("speed-{}", summary.workload.name),
        format!("Requests a second with {}", parts::connections(summary.workload.connections)),
        bars,
    )
}

/// The fastest first, as far as that is theirs, and above them the floor.
fn table(summary: &WorkloadSummary) -> Table {
    let columns = [
        parts::server(),
        Column::new("Language", Quantity::Text).with_priority(Priority::Low),
        PER_SECOND.column().with_intervals().with_bars().with_priority(Priority::High),
        Column::new("Bound by", Quantity::Text).with_priority(Priority::High),
        Column::new("Server busy", Quantity::Share),
        Column::new("Tool busy", Quantity::Share),
        Column::new("Others", Quantity::Share).with_priority(Priority::Low),
        Column::new("Answers", Quantity::Count).with_priority(Priority::Low),
        Column::new("Errors", Quantity::Count),
    ];
    let name = format!("speed-{}", summary.workload.name);
    let mut table = Table::new(name, parts::title(summary), columns);
    let mut cells: Vec<&Cell> = summary.cells.iter().collect();
    let speed = |cell: &Cell| cell.median(PER_SECOND.of).unwrap_or(f64::NEG_INFINITY);
    cells.sort_by(|a, b| speed(b).total_cmp(&speed(a)));
    table.rows = summary.floor.iter().chain(cells).map(row).collect();
    table.notes.extend(parts::legend(&table));
    table.notes.extend(notes::cells(summary));
    table
}

fn row(cell: &Cell) -> Vec<Value> {
    let verdicts = || cell.runs.iter().filter_map(|run| run.verdict.as_ref());
    let shares = |mut shares: Vec<f64>| Value::from(median(&mut shares));
    let is_measured = cell.measured().next().is_some();
    vec![
        parts::label(cell.server).into(),
        cell.server.language.as_str().into(),
        PER_SECOND.value(cell),
        bound(cell),
        shares(verdicts().filter_map(|verdict| verdict.server_utilisation).collect()),
        shares(verdicts().map(|verdict| verdict.tool_utilisation).collect()),
        shares(verdicts().filter_map(|verdict| verdict.external_share).collect()),
        cell.median(|run| Some(as_f64(run.load.as_ref()?.answered))).into(),
        Value::from(is_measured.then(|| as_f64(cell.measured().map(Record::error_count).sum()))),
    ]
}

/// What bound a cell, as a word.
pub(super) fn bound(cell: &Cell) -> Value {
    cell.bound().map_or(Value::Absent, |bound| bound.to_string().into())
}

impl<'a> Source<'a> {
    /// The loads that have figures among the families that ask a question.
    pub(super) fn loads(&self, question: Question) -> Vec<&'a WorkloadSummary<'a>> {
        let families = self.families.iter().filter(|family| family.question == question);
        let members = families.flat_map(|family| family.members.iter().copied());
        members.filter(|summary| summary.workload.task == TaskRecord::Load && summary.is_measured()).collect()
    }
}
