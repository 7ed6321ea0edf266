//! What does a wrong request cost? Mixes of right and wrong requests at one rate.

use super::family::Question;
use super::metric::{COST, P99};
use super::{Source, fields, notes};
use crate::analysis::summary::{Cell, WorkloadSummary};
use crate::report::document::{Section, Table};
use crate::report::field::Field;
use crate::report::value::Quantity;
use crate::store::record::{KindRecord, Record};

/// What `visit` calls the requests of no other kind.
const PLAIN: &str = "plain";

pub(super) fn section(source: &Source) -> Option<Section> {
    let members = source.loads(Question::Errors);
    let (mixes, right): (Vec<&WorkloadSummary>, Vec<&WorkloadSummary>) =
        members.into_iter().partition(|member| !member.workload.mix.is_empty());
    if mixes.is_empty() {
        return None;
    }
    let section = Section::new(
        "errors",
        "What does a wrong request cost?",
        "At one rate, a part of the requests is wrong and gets 405, 400 or 431. What a wrong one costs is computed: the \
         CPU time per request of the mix, less the part of it that right ones have at the same rate. After 400 and \
         431 servers close the connection, so that a new one is in the cost. The latency is that of the right ones.",
    );
    let tables = mixes.iter().map(|mix| table(source, mix, right.first().copied()));
    section.with([], tables)
}

fn table(source: &Source, mix: &WorkloadSummary, right: Option<&WorkloadSummary>) -> Table {
    let right_cost = move |cell: &Cell| {
        let right = right?.cell(cell.name()).filter(|cell| cell.not_ranked().is_none())?;
        right.median(COST.source.of_run)
    };
    let wrong_cost = move |cell: &Cell| {
        let share: f64 = kinds(cell).filter(|kind| kind.name != PLAIN).map(|kind| kind.share).sum();
        let mixed = cell.median(COST.source.of_run).filter(|_| cell.not_ranked().is_none())?;
        (share > 0.0).then_some((mixed - (1.0 - share) * right_cost(cell)?) / share)
    };
    let plain_p99 =
        |run: &Record| run.load.as_ref()?.kinds.iter().find(|kind| kind.name == PLAIN)?.p99_seconds;
    let without = move |cell: &Cell| right?.cell(cell.name())?.median(P99.source.of_run);
    let fields = [
        Some(fields::server()),
        Some(Field::new("CPU/wrong request", Quantity::Time, wrong_cost).essential()),
        Some(Field::new("CPU/right request", Quantity::Time, right_cost).essential()),
        Some(fields::median("p99 of right ones", Quantity::Time, plain_p99).essential()),
        Some(Field::new("p99 without wrong ones", Quantity::Time, without).essential()),
        Some(fields::verdict()),
    ];
    let mut table = source.table(mix, ["", "Wrong requests"], fields, &mix.cells);
    table.notes.extend(notes::cells(mix));
    table
}

/// The kinds of requests of a cell's first run that has figures.
fn kinds<'a>(cell: &Cell<'a>) -> impl Iterator<Item = &'a KindRecord> {
    cell.measured().find_map(|run| Some(&run.load.as_ref()?.kinds)).into_iter().flatten()
}
