//! The table that README.md shows: five columns, one row per server.

use super::metric::{COST, Metric, PER_SECOND};
use super::{fields, words};
use crate::analysis::summary::{Cell, WorkloadSummary};
use crate::machine::Machine;
use crate::report::document::Table;
use crate::report::field::Field;
use crate::report::value::{Quantity, Unit};

/// Figures have their intervals and verdicts in the same cell, so that the table fits a page.
pub(in crate::report) fn table(summary: &WorkloadSummary, machine: &Machine) -> Table {
    let unit = |metric: Metric| {
        let medians = summary.with_floor().filter_map(|cell| cell.median(metric.source.per_run));
        metric.quantity.unit(medians)
    };
    let cost_unit = unit(COST);
    let speed_unit = unit(PER_SECOND);
    let best = fields::best(summary);
    let to_best = |cell: &Cell| best.filter(|_| !cell.server.is_floor).map(|best| COST.ratio(cell, best));
    let speed = move |cell: &Cell| {
        let figure = shown(PER_SECOND, cell, speed_unit)?;
        let bound = cell.bound().map_or_else(String::new, |bound| format!(" ({bound})"));
        Some(figure + &bound)
    };
    let cost = move |cell: &Cell| {
        let figure = shown(COST, cell, cost_unit)?;
        let interval = COST.value(cell).interval(COST.quantity, cost_unit);
        Some(figure + &interval.map_or_else(String::new, |interval| format!(" ({interval})")))
    };
    let fields = [
        fields::server(),
        fields::rank(summary),
        Field::text(format!("CPU per request, {}", cost_unit.symbol), cost),
        Field::new("To the best", Quantity::Ratio, to_best),
        Field::text("Requests/s", speed),
    ];
    let repetitions = summary.cells.iter().map(|cell| cell.measured().count()).max().unwrap_or(0);
    let title = format!(
        "{}: medians of {repetitions} repetitions with their intervals, on {}, {}, {}",
        words::title(summary),
        machine.processor.as_deref().unwrap_or("an unknown processor"),
        machine.counted_cores(),
        machine.started.get(..10).unwrap_or(&machine.started),
    );
    Table::from_fields("readme", title, fields, summary.with_floor())
}

/// The median without its sign, since the verdict stands beside it.
fn shown(metric: Metric, cell: &Cell, unit: Unit) -> Option<String> {
    Some(metric.quantity.number(cell.median(metric.source.per_run)?, unit))
}
