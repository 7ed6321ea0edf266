//! How cheap is it? The server's CPU time a request, which does not depend on how fast the tool asks.

use super::family::Question;
use super::parts::{self, COST};
use super::{Source, notes};
use crate::analysis::statistics;
use crate::analysis::summary::{Cell, WorkloadSummary};
use crate::report::chart::Chart;
use crate::report::document::{Column, Importance, Quantity, Section, Table, Value};
use crate::store::record::{Record, ServerRecord};

/// What a floor is, below the table that it is in.
const FLOOR: &str = "The floor is not a server: it waits, reads and writes as any server has to, and does nothing else by request. What \
                     a server takes beyond it is spent by its runtime and its own code.";

pub(super) fn section(source: &Source) -> Option<Section> {
    let members = source.loads(Question::Load);
    (!members.is_empty()).then(|| Section {
        id: "cost",
        title: "How cheap is it?",
        about: vec![
            "A request's cost is the CPU time that the server's processes used, over right answers. It hardly depends on how fast the \
             load tool asks, so servers are ranked by it; those that cannot be told apart share ranks."
                .into(),
        ],
        charts: members.iter().map(|summary| chart(summary)).collect(),
        tables: members
            .iter()
            .map(|summary| source.held(table(summary, source.baseline.is_some()), COST, summary))
            .collect(),
        facts: Vec::new(),
    })
}

/// The cost by server, with the intervals and the noise floor.
pub(in crate::report) fn chart(summary: &WorkloadSummary) -> Chart {
    let mut bars = COST.bars(summary);
    bars.bars.extend(COST.floor_bar(summary));
    bars.noise = parts::noise(summary);
    parts::bars_chart(
        format!("cost-{}", summary.workload.name),
        format!("CPU time a request with {}", parts::connections(summary.workload.connections)),
        bars,
    )
}

/// Without the ratios to the best where servers are held against another one.
fn table(summary: &WorkloadSummary, has_baseline: bool) -> Table {
    let (first, floor) = (summary.cells.first().filter(|_| !has_baseline), summary.floor.as_ref());
    let name = format!("cost-{}", summary.workload.name);
    let mut table = Table::new(name, parts::title(summary), columns(first.is_some(), floor.is_some()));
    table.rows.extend(floor.map(|floor| row(floor, "floor".into(), first, Some(floor))));
    let servers = parts::ranked(summary).map(|(cell, rank)| row(cell, rank.into(), first, floor));
    table.rows.extend(servers);
    table.notes.push(reading(summary));
    table.notes.extend(floor.map(|_| FLOOR.into()));
    table.notes.extend(parts::legend(&table));
    table.notes.extend(notes::control(summary));
    table
}

/// The columns, of which two are there only where there is what they are ratios to.
fn columns(has_first: bool, has_floor: bool) -> Vec<Column> {
    let to = |whom: &str| Column::new(format!("To the {whom}"), Quantity::Ratio).with_intervals();
    let (to_the_best, to_the_floor) = (to("best"), to("floor"));
    let before = [
        parts::server(),
        Column::new("Rank", Quantity::Words).of(Importance::High),
        Column::new("Language", Quantity::Words).of(Importance::Low),
        COST.column().with_intervals().with_bars().of(Importance::High),
    ];
    let behind = [
        Column::new("In the kernel", Quantity::Share).of(Importance::Low),
        Column::new("HTTP cases", Quantity::Words),
    ];
    let ratios = has_first.then_some(to_the_best).into_iter().chain(has_floor.then_some(to_the_floor));
    before.into_iter().chain(ratios).chain(behind).collect()
}

/// A row, of the floor too: that is not held against anything.
fn row(cell: &Cell, rank: Value, first: Option<&Cell>, floor: Option<&Cell>) -> Vec<Value> {
    let to = |other: &Cell| {
        let is_held = !cell.server.is_floor;
        Value::from(is_held.then(|| cell.ratio_to(other, Record::cpu_per_request)).flatten())
    };
    let mut row =
        vec![parts::label(cell.server).into(), rank, cell.server.language.as_str().into(), COST.value(cell)];
    row.extend(first.map(to));
    row.extend(floor.map(to));
    row.extend([cell.median(in_the_kernel).into(), conformance(cell.server)]);
    row
}

/// The part of the server's CPU time that the kernel used for it.
fn in_the_kernel(run: &Record) -> Option<f64> {
    let server = run.cpu.as_ref()?.server?;
    (server.seconds > 0.0).then_some(server.system_seconds / server.seconds)
}

/// How many of the conformance cases passed, of those that were sent: `401/483`.
pub(super) fn conformance(server: &ServerRecord) -> Value {
    let found = server.conformance.as_ref();
    found.map_or(Value::Absent, |found| found.to_string().into())
}

/// How the intervals of a workload are to be read.
pub(super) fn reading(summary: &WorkloadSummary) -> String {
    let repetitions = summary.with_floor().map(|cell| cell.measured().count()).max().unwrap_or(0);
    let plural = if repetitions == 1 { "" } else { "s" };
    let intervals = if repetitions < statistics::ENOUGH {
        format!("With fewer than {} nothing can be told apart, and intervals are ranges.", statistics::ENOUGH)
    } else {
        "Intervals hold the true median 19 times in 20; servers that cannot be told apart share ranks.".into()
    };
    format!("Medians of {repetitions} repetition{plural}. {intervals}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::summary::summarise;

    #[test]
    fn rows_are_ranked_by_cost() {
        let mut records = Vec::new();
        for repetition in 1..=7 {
            for (server, seconds) in [("dear", 0.9), ("cheap", 0.3), ("also-cheap", 0.3)] {
                let mut record = Record::example(server, repetition);
                record.cpu.as_mut().unwrap().server.as_mut().unwrap().seconds = seconds;
                records.push(record);
            }
        }
        let summaries = summarise(&records);
        let table = table(&summaries[0], false);
        let shown: Vec<String> =
            table.rows.iter().map(|row| format!("{:?} {:?}", row[0].words(), row[1].number())).collect();
        assert_eq!(
            shown,
            ["Some(\"cheap\") Some(3.0)", "Some(\"also-cheap\") Some(3.0)", "Some(\"dear\") Some(6.0)"]
        );
    }

    #[test]
    fn servers_are_held_against_the_floor_where_there_is_one() {
        let records = |floor: &[(&str, f64)]| -> Vec<Record> {
            let servers = floor.iter().chain(&[("cheap", 0.3), ("dear", 0.9)]);
            let runs = servers.flat_map(|(server, seconds)| {
                (1..=7).map(move |repetition| {
                    let mut record = Record::example(server, repetition);
                    record.cpu.as_mut().unwrap().server.as_mut().unwrap().seconds = *seconds;
                    record.server.is_floor = *server == "floor";
                    record
                })
            });
            runs.collect()
        };
        let without = records(&[]);
        let summaries = summarise(&without);
        assert!(table(&summaries[0], false).columns.iter().all(|column| column.head != "To the floor"));

        let with = records(&[("floor", 0.2)]);
        let summaries = summarise(&with);
        let table = table(&summaries[0], false);
        let place = table.columns.iter().position(|column| column.head == "To the floor").unwrap();
        let shown: Vec<String> = table
            .rows
            .iter()
            .map(|row| {
                let ratio = row[place].number().map(|ratio| format!("{ratio:.1}"));
                format!("{} {:?} {ratio:?}", row[0].words().unwrap(), row[1].words())
            })
            .collect();
        assert_eq!(
            shown,
            [
                "floor (not a server) Some(\"floor\") None",
                "cheap None Some(\"1.5\")",
                "dear None Some(\"4.5\")"
            ]
        );
    }
}
