//! How cheap is it? The server's CPU time a request, which does not depend on how fast the tool asks.

use super::family::Question;
use super::parts::{self, COST};
use super::{Source, notes};
use crate::record::{Record, ServerRecord};
use crate::report::chart::Chart;
use crate::report::document::{Column, Importance, Quantity, Section, Table, Value};
use crate::statistics;
use crate::summary::WorkloadSummary;

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
        tables: members.iter().map(|summary| table(summary)).collect(),
        facts: Vec::new(),
    })
}

/// The cost by server, with the intervals and the noise floor.
pub(in crate::report) fn chart(summary: &WorkloadSummary) -> Chart {
    let mut bars = COST.bars(summary);
    bars.noise = parts::noise(summary);
    parts::bars_chart(
        format!("cost-{}", summary.workload.name),
        format!("CPU time a request with {}", parts::connections(summary.workload.connections)),
        bars,
    )
}

fn table(summary: &WorkloadSummary) -> Table {
    let columns = [
        parts::server(),
        Column::new("Rank", Quantity::Words).of(Importance::High),
        Column::new("Language", Quantity::Words).of(Importance::Low),
        COST.column().with_intervals().with_bars().of(Importance::High),
        Column::new("To the best", Quantity::Ratio).with_intervals(),
        Column::new("In the kernel", Quantity::Share).of(Importance::Low),
        Column::new("HTTP cases", Quantity::Words),
    ];
    let name = format!("cost-{}", summary.workload.name);
    let mut table = Table::new(name, parts::title(summary), columns);
    let first = summary.cells.first();
    for (cell, rank) in parts::ranked(summary) {
        let ratio = first.and_then(|first| cell.ratio_to(first, Record::cpu_per_request));
        table.rows.push(vec![
            cell.server.name.as_str().into(),
            rank.into(),
            cell.server.language.as_str().into(),
            COST.value(cell),
            ratio.into(),
            cell.median(in_the_kernel).into(),
            conformance(cell.server),
        ]);
    }
    table.notes.push(reading(summary));
    table.notes.extend(parts::legend(&table));
    table.notes.extend(notes::control(summary));
    table
}

/// The part of the server's CPU time that the kernel used for it.
fn in_the_kernel(run: &Record) -> Option<f64> {
    let server = run.cpu.as_ref()?.server;
    (server.seconds > 0.0).then_some(server.system_seconds / server.seconds)
}

/// How many of the conformance cases passed, of those that were sent.
pub(super) fn conformance(server: &ServerRecord) -> Value {
    let found = server.conformance.as_ref();
    found.map_or(Value::Absent, |found| format!("{}/{}", found.passed, found.cases).into())
}

/// How the intervals of a workload are to be read.
pub(super) fn reading(summary: &WorkloadSummary) -> String {
    let repetitions = summary.cells.iter().map(|cell| cell.measured().count()).max().unwrap_or(0);
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
    use crate::summary::summarise;

    #[test]
    fn rows_are_ranked_by_cost() {
        let mut records = Vec::new();
        for repetition in 1..=7 {
            for (server, seconds) in [("dear", 0.9), ("cheap", 0.3), ("also-cheap", 0.3)] {
                let mut record = Record::example(server, repetition);
                record.cpu.as_mut().unwrap().server.seconds = seconds;
                records.push(record);
            }
        }
        let summaries = summarise(&records);
        let table = table(&summaries[0]);
        let shown: Vec<String> =
            table.rows.iter().map(|row| format!("{:?} {:?}", row[0].words(), row[1].number())).collect();
        assert_eq!(
            shown,
            ["Some(\"cheap\") Some(3.0)", "Some(\"also-cheap\") Some(3.0)", "Some(\"dear\") Some(6.0)"]
        );
    }
}
