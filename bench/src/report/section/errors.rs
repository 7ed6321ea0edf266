//! What does a wrong request cost? Mixes of right and wrong requests at one rate.

use super::family::Question;
use super::metric::{COST, P99, cost};
use super::{Source, fields, figures, notes};
use crate::analysis::summary::{Cell, WorkloadSummary};
use crate::report::document::{Section, Table};
use crate::report::field::Field;
use crate::report::value::Quantity;
use crate::store::record::{KindRecord, Record};
use crate::text::numbers;

/// The name that `visit` gives to requests that belong to no other kind.
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
        "At one rate, a part of the requests is wrong and gets 405, 400 or 431. The cost of a \
         wrong one is computed: the mix's CPU time per request, minus the share of right requests times their cost at \
         the same rate, divided by the share of wrong ones. After 400 and 431 servers close the connection, so that a \
         new one is in the cost. The latency is that of the right ones.",
    );
    let tables = mixes.iter().map(|mix| table(source, mix, right.first().copied()));
    section.with([], tables)
}

/// What a wrong request costs under each mix, the cheapest first.
pub(super) fn sentences(members: &[&WorkloadSummary]) -> Vec<String> {
    let (mixes, right): (Vec<&WorkloadSummary>, Vec<&WorkloadSummary>) =
        members.iter().partition(|member| !member.workload.mix.is_empty());
    let sentence = |mix: &&WorkloadSummary| {
        let of_cell = |cell: &Cell| Some((cell.name().to_owned(), wrong_cost(cell, right.first().copied())?));
        let mut costs: Vec<(String, f64)> = mix.cells.iter().filter_map(of_cell).collect();
        costs.sort_by(|(_, a), (_, b)| a.total_cmp(b));
        let shown: Vec<(&str, String)> =
            costs.iter().map(|(name, seconds)| (name.as_str(), numbers::duration(*seconds))).collect();
        let status = mix.cells.iter().flat_map(kinds).find(|kind| kind.name != PLAIN)?.status;
        (!shown.is_empty()).then(|| format!("CPU time per request that gets {status}: {}.", figures(&shown)))
    };
    mixes.iter().filter_map(sentence).collect()
}

/// The cost of right requests at the same rate.
fn right_cost(cell: &Cell, right: Option<&WorkloadSummary>) -> Option<f64> {
    cost(right?, cell)
}

/// The cost of a wrong request: the cost of the mix without its right requests, per wrong request.
fn wrong_cost(cell: &Cell, right: Option<&WorkloadSummary>) -> Option<f64> {
    let share: f64 = kinds(cell).filter(|kind| kind.name != PLAIN).map(|kind| kind.share).sum();
    let mixed = cell.median(COST.source.per_run).filter(|_| cell.not_ranked().is_none())?;
    let cost = (mixed - (1.0 - share) * right_cost(cell, right)?) / share;
    (share > 0.0).then_some(cost)
}

fn table(source: &Source, mix: &WorkloadSummary, right: Option<&WorkloadSummary>) -> Table {
    let plain_p99 =
        |run: &Record| run.load.as_ref()?.kinds.iter().find(|kind| kind.name == PLAIN)?.p99_seconds;
    let without = move |cell: &Cell| right?.cell(cell.name())?.median(P99.source.per_run);
    let fields = [
        Some(fields::server()),
        Some(
            Field::new("CPU/wrong request", Quantity::Time, move |cell: &Cell| wrong_cost(cell, right))
                .essential(),
        ),
        Some(
            Field::new("CPU/right request", Quantity::Time, move |cell: &Cell| right_cost(cell, right))
                .essential(),
        ),
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
