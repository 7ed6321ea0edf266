//! How fast is it? Requests per second, with what limited them.

use super::family::Question;
use super::metric::PER_SECOND;
use super::{Source, fields, notes, words};
use crate::analysis::statistics::median;
use crate::analysis::summary::{Cell, WorkloadSummary};
use crate::report::chart::{Bar, Chart};
use crate::report::document::{Section, Table};
use crate::report::field::Field;
use crate::report::value::Quantity;
use crate::store::record::{Record, VerdictRecord};
use crate::text::numbers::as_f64;

pub(super) fn section(source: &Source) -> Option<Section> {
    let members: Vec<&WorkloadSummary> = source.loads(Question::Load);
    let mut section = Section::new(
        "speed",
        "How fast is it?",
        "Requests per second are correct responses, divided by the load tool's own time. They measure \
         whatever limited them: the server if it used all its CPU time (server-bound), the load tool if it \
         used all its own first (client-bound), the server's busy threads if they are fewer than its cores \
         (thread-bound), the round trip if none of these did (latency-bound).",
    );
    if source.loaded.machine.hosts.is_some() {
        let network = "Over a network there is one more limit: the link of the server's host, when it is nearly full (network-bound).";
        section.about.push(network.into());
    }
    section.with(
        members.iter().map(|summary| chart(summary)),
        members.iter().map(|summary| table(source, summary)),
    )
}

fn chart(summary: &WorkloadSummary) -> Chart {
    let mut bars = PER_SECOND.bars(summary);
    let speed = |bar: &Bar| bar.figure.map_or(f64::NEG_INFINITY, |figure| figure.value);
    bars.bars.sort_by(|a, b| speed(b).total_cmp(&speed(a)));
    bars.bars.extend(PER_SECOND.floor_bar(summary));
    Chart::from_bars(
        format!("speed-{}", summary.workload.name),
        format!("Requests per second with {}", words::connections(summary.workload.connections)),
        bars,
    )
}

/// The floor, the servers by throughput, and last the servers that are not ranked.
fn table(source: &Source, summary: &WorkloadSummary) -> Table {
    let speed = PER_SECOND.field().with_intervals().with_bars().essential();
    // Verdicts about a server with a single core have no thread utilisation.
    let has_threads =
        |run: &&Record| run.verdict.as_ref().is_some_and(|verdict| verdict.thread_utilisation.is_some());
    let knows_threads = summary.with_floor().any(|cell| cell.runs.iter().any(has_threads));
    let fields = [
        Some(fields::server()),
        Some(fields::language()),
        Some(speed),
        source.to_baseline(PER_SECOND, summary),
        Some(fields::verdict()),
        Some(share("Server busy", |verdict| verdict.server_utilisation)),
        knows_threads.then(|| share("Busiest thread", |verdict| verdict.thread_utilisation).optional()),
        Some(share("Tool busy", |verdict| Some(verdict.tool_utilisation))),
        Some(share("Other processes", |verdict| verdict.external_share).optional()),
        Some(fields::median("Responses", Quantity::Count, answered).optional()),
        Some(Field::new("Errors", Quantity::Count, errors)),
    ];
    let mut cells: Vec<&Cell> = summary.cells.iter().collect();
    let speed = |cell: &Cell| cell.median(PER_SECOND.source.per_run).unwrap_or(f64::NEG_INFINITY);
    let is_last = |cell: &Cell| cell.not_ranked().is_some();
    cells.sort_by(|a, b| is_last(a).cmp(&is_last(b)).then(speed(b).total_cmp(&speed(a))));
    let mut table =
        source.table(summary, ["speed-", "Throughput"], fields, summary.floor.iter().chain(cells));
    table.notes.extend(notes::cells(summary));
    table
}

/// The median of a share that verdicts have.
fn share<'a>(header: &str, of_verdict: impl Fn(&VerdictRecord) -> Option<f64> + 'a) -> Field<'a, Cell<'a>> {
    let share = move |cell: &Cell| {
        let verdicts = cell.runs.iter().filter_map(|run| run.verdict.as_ref());
        median(&mut verdicts.filter_map(&of_verdict).collect::<Vec<f64>>())
    };
    Field::new(header, Quantity::Share, share)
}

pub(super) fn answered(run: &Record) -> Option<f64> {
    Some(as_f64(run.load.as_ref()?.answered))
}

/// Errors of all runs together; absent where there was no run.
pub(super) fn errors(cell: &Cell) -> Option<f64> {
    let is_measured = cell.measured().next().is_some();
    is_measured.then(|| as_f64(cell.measured().map(Record::error_count).sum()))
}
