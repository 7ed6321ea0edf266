//! The first figures of a measurement that is still running: one small table, without ranks and
//! intervals, which need more repetitions.

use super::metric::{self, PER_SECOND};
use super::{fields, notes, words};
use crate::analysis::summary::{Cell, WorkloadSummary};
use crate::report::document::Table;
use crate::report::field::Field;
use crate::store::record::TaskRecord;
use crate::text::numbers::counted;

/// A table of the servers, with the medians of what has been measured so far.
pub(in crate::report) fn table(summary: &WorkloadSummary) -> Table {
    let metric = metric::leading_metric(summary);
    let is_load = summary.workload.task == TaskRecord::Load;
    // A median alone: the interval of one repetition says nothing.
    let median = |metric: metric::Metric| {
        Field::new(metric.column_header(), metric.quantity, move |cell: &Cell| metric.median(cell))
            .essential()
    };
    let fields = [
        Some(fields::server()),
        Some(fields::language()),
        Some(median(metric)),
        is_load.then(|| median(PER_SECOND)),
        is_load.then(fields::verdict),
    ];
    let mut table = Table::from_fields(
        format!("preliminary-{}", summary.workload.name),
        format!("Preliminary, {}: {}", repetitions(summary), words::title(summary)),
        fields.into_iter().flatten(),
        summary.with_floor().filter(|cell| cell.measured().next().is_some()),
    );
    table.notes.extend(notes::signs(&table));
    table
}

/// `1 repetition`, or `1 to 2 repetitions` where servers differ.
fn repetitions(summary: &WorkloadSummary) -> String {
    let counts = || summary.with_floor().map(|cell| cell.measured().count()).filter(|count| *count > 0);
    let (least, most) = (counts().min().unwrap_or(0), counts().max().unwrap_or(0));
    let most_counted = counted(most, "repetition");
    if least == most { most_counted } else { format!("{least} to {most_counted}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::summary::summarise;
    use crate::store::record::Record;

    #[test]
    fn captions_have_the_number_of_repetitions() {
        // The repetitions of one server and of another, and the caption.
        let cases = [
            (1, 1, "Preliminary, 1 repetition: "),
            (1, 0, "Preliminary, 1 repetition: "),
            (2, 1, "Preliminary, 1 to 2 repetitions: "),
            (2, 2, "Preliminary, 2 repetitions: "),
        ];
        for (one, other, expected) in cases {
            let run = |server| move |repetition| Record::example(server, repetition);
            let records: Vec<Record> =
                (1..=one).map(run("one")).chain((1..=other).map(run("other"))).collect();
            let table = table(&summarise(&records)[0]);
            assert!(table.title.starts_with(expected), "{}", table.title);
            assert!(table.columns.iter().all(|column| !column.has_intervals && column.header != "Rank"));
            assert_eq!(table.rows.len(), if other == 0 { 1 } else { 2 });
        }
    }
}
