//! How much memory does it take, and how soon is it up?

use super::Source;
use super::family::Question;
use super::notes;
use super::parts::{self, AFTER, AT_REST, FIRST_ANSWER, MEMORY_PER_CONNECTION};
use crate::analysis::summary::WorkloadSummary;
use crate::report::chart::Chart;
use crate::report::document::{Column, Importance, Quantity, Section, Table, Value};
use crate::store::record::TaskRecord;
use crate::text::numbers::as_f64;

pub(super) fn section(source: &Source) -> Option<Section> {
    let own = |task: TaskRecord| {
        let families = source.families.iter().filter(|family| family.question == Question::Startup);
        let members = families.flat_map(|family| family.members.iter().copied());
        members
            .filter(move |summary| summary.workload.task == task && summary.is_measured())
            .collect::<Vec<&WorkloadSummary>>()
    };
    let (starts, held) = (own(TaskRecord::Start), own(TaskRecord::Hold));
    // Without a load of its own, the memory under the loads that there are.
    let mut loads = own(TaskRecord::Load);
    if loads.is_empty() {
        loads = source.loads(Question::Load);
    }
    loads.retain(|summary| summary.cells.iter().any(|cell| cell.median(AT_REST.of).is_some()));
    let charts = starts
        .iter()
        .map(|summary| start_chart(summary))
        .chain(held.iter().map(|summary| held_chart(summary)))
        .chain(loads.iter().map(|summary| load_chart(summary)));
    let tables = starts
        .iter()
        .map(|summary| source.held(start_table(summary), FIRST_ANSWER, summary))
        .chain(held.iter().map(|summary| source.held(held_table(summary), MEMORY_PER_CONNECTION, summary)))
        .chain(loads.iter().map(|summary| source.held(load_table(summary), AFTER, summary)));
    let section = Section {
        id: "memory",
        title: "How much memory, and how soon is it up?",
        about: vec![
            "Memory is what is resident, of all the server's processes. That of a connection is what the server has grown by over \
             connections, each of which has been used once. Times are from just before the process is made."
                .into(),
        ],
        charts: charts.collect(),
        tables: tables.collect(),
        facts: Vec::new(),
    };
    (!section.tables.is_empty()).then_some(section)
}

fn start_chart(summary: &WorkloadSummary) -> Chart {
    let mut bars = FIRST_ANSWER.bars(summary);
    bars.noise = parts::noise(summary);
    parts::bars_chart(summary.workload.name.clone(), "From exec to the first answer".into(), bars)
}

fn held_chart(summary: &WorkloadSummary) -> Chart {
    let mut bars = MEMORY_PER_CONNECTION.bars(summary);
    bars.noise = parts::noise(summary);
    let title = format!("Memory a connection, of {}", parts::connections(summary.workload.connections));
    parts::bars_chart(summary.workload.name.clone(), title, bars)
}

fn load_chart(summary: &WorkloadSummary) -> Chart {
    let title = format!("Memory after a load of {}", parts::connections(summary.workload.connections));
    parts::bars_chart(format!("memory-{}", summary.workload.name), title, AFTER.bars(summary))
}

fn start_table(summary: &WorkloadSummary) -> Table {
    let columns = [
        parts::server(),
        Column::new("Rank", Quantity::Words).of(Importance::High),
        Column::new("Ready", Quantity::Time),
        FIRST_ANSWER.column().with_intervals().with_bars().of(Importance::High),
        Column::new("Memory then", Quantity::Memory),
    ];
    let mut table = Table::new(summary.workload.name.as_str(), summary.workload.title.as_str(), columns);
    for (cell, rank) in parts::ranked(summary) {
        table.rows.push(vec![
            cell.server.name.as_str().into(),
            rank.into(),
            cell.median(|run| Some(run.start?.ready_seconds)).into(),
            FIRST_ANSWER.value(cell),
            cell.median(AFTER.of).into(),
        ]);
    }
    table.notes.extend(notes::control(summary));
    table.notes.extend(notes::cells(summary));
    table
}

fn held_table(summary: &WorkloadSummary) -> Table {
    let columns = [
        parts::server(),
        Column::new("Rank", Quantity::Words).of(Importance::High),
        Column::new("Connections", Quantity::Count),
        MEMORY_PER_CONNECTION.column().with_intervals().with_bars().of(Importance::High),
        AT_REST.column(),
        AFTER.column(),
    ];
    let mut table = Table::new(summary.workload.name.as_str(), summary.workload.title.as_str(), columns);
    for (cell, rank) in parts::ranked(summary) {
        table.rows.push(vec![
            cell.server.name.as_str().into(),
            rank.into(),
            cell.median(|run| Some(as_f64(run.connections?.seen?))).into(),
            MEMORY_PER_CONNECTION.value(cell),
            cell.median(AT_REST.of).into(),
            cell.median(AFTER.of).into(),
        ]);
    }
    table.notes.extend(notes::control(summary));
    table.notes.extend(notes::cells(summary));
    table
}

fn load_table(summary: &WorkloadSummary) -> Table {
    let columns = [
        parts::server(),
        AT_REST.column().with_intervals().of(Importance::High),
        AFTER.column().with_intervals().of(Importance::High),
        Column::new("Most", Quantity::Memory),
    ];
    let name = format!("memory-{}", summary.workload.name);
    let mut table = Table::new(name, parts::title(summary), columns);
    for cell in &summary.cells {
        table.rows.push(vec![
            cell.server.name.as_str().into(),
            AT_REST.figure(cell).map_or(Value::Absent, Value::Figure),
            AFTER.figure(cell).map_or(Value::Absent, Value::Figure),
            cell.median(|run| Some(as_f64(run.memory?.peak_bytes?))).into(),
        ]);
    }
    table
}
