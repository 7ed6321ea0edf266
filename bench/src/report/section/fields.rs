//! The columns that several tables share, and the column of ratios to a chosen baseline.

use super::metric::Metric;
use super::{Source, notes, rules, words};
use crate::analysis::summary::{Cell, WorkloadSummary};
use crate::report::document::Table;
use crate::report::field::Field;
use crate::report::value::{Quantity, Value};
use crate::store::record::Record;

pub(super) fn server<'a>() -> Field<'a, Cell<'a>> {
    Field::text("Server", |cell: &Cell| words::label(cell.server)).essential()
}

pub(super) fn language<'a>() -> Field<'a, Cell<'a>> {
    Field::text("Language", |cell: &Cell| cell.server.language.as_str()).optional()
}

pub(super) fn rank<'a>(summary: &'a WorkloadSummary<'a>) -> Field<'a, Cell<'a>> {
    Field::text("Rank", |cell: &Cell| rank_of(summary, cell)).essential()
}

/// The rank, or that the cell is the floor's. A cell that is not ranked has none; a note says why.
pub(super) fn rank_of(summary: &WorkloadSummary, cell: &Cell) -> Value {
    if cell.server.is_floor {
        return "floor".into();
    }
    let mut ranked = summary.ranked();
    ranked.find(|(known, _)| known.server.name == cell.server.name).map(|(_, rank)| rank).into()
}

/// What limited the cell, in a word.
pub(super) fn verdict<'a>() -> Field<'a, Cell<'a>> {
    Field::text("Verdict", bound).essential()
}

pub(super) fn bound(cell: &Cell) -> Option<String> {
    cell.bound().map(|bound| bound.to_string())
}

/// A figure that is shown without interval and attribution: its median.
pub(super) fn median<'a>(
    header: &str,
    quantity: Quantity,
    per_run: impl Fn(&Record) -> Option<f64> + 'a,
) -> Field<'a, Cell<'a>> {
    Field::new(header, quantity, move |cell: &Cell| cell.median(&per_run))
}

/// How many conformance cases passed, of those that were sent.
pub(super) fn conformance<'a>() -> Field<'a, Cell<'a>> {
    Field::text("HTTP cases", |cell: &Cell| cell.conformance().map(ToString::to_string))
}

/// The best of the ranked cells.
pub(super) fn best<'s, 'a>(summary: &'s WorkloadSummary<'a>) -> Option<&'s Cell<'a>> {
    summary.ranked().next().map(|(cell, _)| cell)
}

/// The column of ratios of a metric to its value in another cell; absent in the floor's row.
pub(super) fn ratio<'a>(header: String, metric: Metric, other: &'a Cell<'a>) -> Field<'a, Cell<'a>> {
    let ratio = move |cell: &Cell| (!cell.server.is_floor).then(|| metric.ratio(cell, other));
    Field::new(header, Quantity::Ratio, ratio).with_intervals()
}

impl Source<'_> {
    /// The column of ratios to the server that the user chose; `None` where none was chosen.
    pub(super) fn to_baseline<'a>(
        &self,
        metric: Metric,
        summary: &'a WorkloadSummary<'a>,
    ) -> Option<Field<'a, Cell<'a>>> {
        let name = self.baseline?;
        let baseline = baseline(summary, name).ok();
        let ratio = move |cell: &Cell| baseline.map(|other| metric.ratio(cell, other));
        let field = Field::new(format!("To {name}"), Quantity::Ratio, ratio);
        Some(field.with_intervals().essential())
    }

    /// A table of cells under a workload, with notes about the baseline, the ranks and the signs.
    /// Its name is `prefix` followed by the workload's name.
    pub(super) fn table<'a>(
        &self,
        summary: &WorkloadSummary,
        [prefix, what]: [&str; 2],
        fields: impl IntoIterator<Item = Option<Field<'a, Cell<'a>>>>,
        cells: impl IntoIterator<Item = &'a Cell<'a>>,
    ) -> Table {
        let name = format!("{prefix}{}", summary.workload.name);
        let title = format!("{what}, {}", words::title(summary));
        let mut table = Table::from_fields(name, title, fields.into_iter().flatten(), cells);
        table.notes.extend(self.baseline_note(summary));
        table.notes.extend(rules::note(&table));
        table.notes.extend(notes::signs(&table));
        table
    }

    /// Why the column of ratios to the baseline is empty; `None` if it is not.
    pub(super) fn baseline_note(&self, summary: &WorkloadSummary) -> Option<String> {
        let name = self.baseline?;
        let why = baseline(summary, name).err()?;
        Some(format!("Nothing is compared with {name} here: {why}."))
    }
}

/// Returns the cell of the server that the user chose to compare with. Fails, with the reason, if
/// the cell has no figures or is not ranked.
pub(in crate::report) fn baseline<'s, 'a>(
    summary: &'s WorkloadSummary<'a>,
    name: &str,
) -> Result<&'s Cell<'a>, String> {
    let cell = summary.cell(name).filter(|cell| cell.median(summary.leading().per_run).is_some());
    let cell = cell.ok_or_else(|| "it has no figures".to_owned())?;
    cell.not_ranked().map_or(Ok(cell), |verdict| Err(words::verdict(verdict)))
}
