//! How much memory does a server need, and how soon is it up?

use super::family::Question;
use super::metric::{self, AFTER, AT_REST, FIRST_ANSWER, MEMORY_PER_CONNECTION};
use super::{Source, fields, notes, words};
use crate::analysis::summary::WorkloadSummary;
use crate::report::chart::{Bars, Chart};
use crate::report::document::{Section, Table};
use crate::report::value::Quantity;
use crate::store::record::{Record, TaskRecord};
use crate::text::numbers::as_f64;

pub(super) fn section(source: &Source) -> Option<Section> {
    let own = |task: TaskRecord| source.measured(Question::Startup, task);
    let (starts, held) = (own(TaskRecord::Start), own(TaskRecord::Hold));
    // If the suite has no load of its own, memory is shown under the other loads.
    let mut loads = own(TaskRecord::Load);
    if loads.is_empty() {
        loads = source.loads(Question::Load);
    }
    loads.retain(|summary| summary.cells.iter().any(|cell| cell.median(AT_REST.source.per_run).is_some()));
    let of_starts =
        starts.iter().map(|summary| chart(summary, "Time from exec to the first response".into()));
    let of_held = held.iter().map(|summary| {
        chart(
            summary,
            format!("Memory per connection, with {}", words::connections(summary.workload.connections)),
        )
    });
    let of_loads = loads.iter().map(|summary| {
        let title = format!("Memory after a load of {}", words::connections(summary.workload.connections));
        Chart::from_bars(format!("memory-{}", summary.workload.name), title, AFTER.bars(summary))
    });
    let tables = starts
        .iter()
        .map(|summary| start_table(source, summary))
        .chain(held.iter().map(|summary| held_table(source, summary)))
        .chain(loads.iter().map(|summary| load_table(source, summary)));
    let section = Section::new(
        "memory",
        "How much memory, and how soon is it up?",
        "Memory is the resident memory of all the server's processes. Memory per connection is the growth \
         from before the connections were opened, divided by their number; each of them has carried one \
         request. Times count from just before the process is created.",
    );
    section.with(of_starts.chain(of_held).chain(of_loads), tables)
}

/// A chart of the figure by which servers are ranked, with the noise floor.
fn chart(summary: &WorkloadSummary, title: String) -> Chart {
    let bars = Bars { noise: metric::noise(summary), ..metric::leading_metric(summary).bars(summary) };
    Chart::from_bars(summary.workload.name.clone(), title, bars)
}

fn start_table(source: &Source, summary: &WorkloadSummary) -> Table {
    let fields = [
        Some(fields::server()),
        Some(fields::rank(summary)),
        source.rank_of_kept(summary),
        Some(fields::median("Ready", Quantity::Time, |run| Some(run.start?.ready_seconds))),
        Some(FIRST_ANSWER.field().with_intervals().with_bars().essential()),
        source.to_baseline(FIRST_ANSWER, summary),
        Some(fields::median("Memory then", Quantity::Memory, AFTER.source.per_run)),
    ];
    with_notes(source.table(summary, ["", "Time to respond"], fields, &summary.cells), summary)
}

fn held_table(source: &Source, summary: &WorkloadSummary) -> Table {
    let seen = |run: &Record| Some(as_f64(run.connections?.seen?));
    let fields = [
        Some(fields::server()),
        Some(fields::rank(summary)),
        source.rank_of_kept(summary),
        Some(fields::median("Connections", Quantity::Count, seen)),
        Some(MEMORY_PER_CONNECTION.field().with_intervals().with_bars().essential()),
        source.to_baseline(MEMORY_PER_CONNECTION, summary),
        Some(fields::median(AT_REST.header, Quantity::Memory, AT_REST.source.per_run)),
        Some(fields::median(AFTER.header, Quantity::Memory, AFTER.source.per_run)),
    ];
    with_notes(source.table(summary, ["", "Memory per connection"], fields, &summary.cells), summary)
}

/// Adds the notes about ranks to a table.
fn with_notes(mut table: Table, summary: &WorkloadSummary) -> Table {
    table.notes.extend(notes::control(summary));
    table.notes.extend(notes::cells(summary));
    table
}

fn load_table(source: &Source, summary: &WorkloadSummary) -> Table {
    let peak = |run: &Record| Some(as_f64(run.memory?.peak_bytes?));
    let fields = [
        Some(fields::server()),
        Some(AT_REST.field().with_intervals().essential()),
        Some(AFTER.field().with_intervals().essential()),
        source.to_baseline(AFTER, summary),
        Some(fields::median("Most", Quantity::Memory, peak)),
    ];
    source.table(summary, ["memory-", "Memory before and after"], fields, &summary.cells)
}
