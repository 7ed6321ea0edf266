//! Is every repetition like the others? Each run is a dot, so that outliers are visible.

use super::metric::{Metric, leading_metric};
use super::{Source, fields, words};
use crate::analysis::statistics::median;
use crate::analysis::summary::{Cell, WorkloadSummary};
use crate::report::chart::{Chart, Dot, DotRow, Dots, Plot};
use crate::report::document::{Section, Table};
use crate::report::field::Field;
use crate::report::value::Quantity;
use crate::store::record::Record;
use crate::text::numbers::as_f64;

/// The most dots in a row: more cannot be distinguished on a phone. Of more runs, dots are chosen
/// at equal distances in sorted order.
const DOTS: usize = 60;

pub(super) fn section(source: &Source) -> Option<Section> {
    let members = source.families.iter().flat_map(|family| family.members.iter().copied());
    let members: Vec<&WorkloadSummary> = members.filter(|summary| summary.is_measured()).collect();
    let section = Section::new(
        "repetitions",
        "Is every repetition like the others?",
        "Every run is a dot, placed by its ratio to the server's median, which is the stroke, so that servers \
         far from each other can be compared. A median alone does not show runs that form two groups, or a \
         single outlier.",
    );
    section.with(members.iter().map(|summary| chart(summary)), members.iter().map(|summary| table(summary)))
}

fn chart(summary: &WorkloadSummary) -> Chart {
    let metric = leading_metric(summary);
    let row = |cell: &Cell| {
        let median = cell.median(metric.source.per_run).filter(|median| *median > 0.0);
        let dot = |run: &Record| {
            let value = (metric.source.per_run)(run)? / median?;
            Some(Dot { value, attribution: metric.attribution_of_run(run) })
        };
        let dots: Vec<Dot> = cell.measured().filter_map(dot).collect();
        DotRow { label: words::label(cell.server), dots: thinned(dots), median: median.map(|_| 1.0) }
    };
    let rows: Vec<DotRow> = summary.with_floor().chain(&summary.duplicate).map(row).collect();
    let title =
        format!("{} of every run, relative to its server's median, {}", metric.header, summary.workload.name);
    Chart {
        id: format!("runs-{}", summary.workload.name),
        description: format!(
            "{title}: one row per server and one dot per run. The table below has the extremes."
        ),
        title,
        plot: Plot::Dots(Dots {
            label: format!("{} to the median", metric.header),
            quantity: Quantity::Ratio,
            rows,
        }),
    }
}

/// At most [`DOTS`] of the dots, which include the lowest and the highest.
fn thinned(mut dots: Vec<Dot>) -> Vec<Dot> {
    if dots.len() <= DOTS {
        return dots;
    }
    dots.sort_by(|a, b| a.value.total_cmp(&b.value));
    (0..DOTS).map(|place| dots[place * (dots.len() - 1) / (DOTS - 1)]).collect()
}

fn table(summary: &WorkloadSummary) -> Table {
    let metric = leading_metric(summary);
    let of_ends = |header: &str, of: fn([f64; 2]) -> f64| {
        Field::new(header, metric.quantity, move |cell: &Cell| ends(metric, cell).map(of))
    };
    let spread = |cell: &Cell| {
        let ends = ends(metric, cell).filter(|[least, _]| *least > 0.0);
        ends.map(|[least, most]| most / least)
    };
    let fields = [
        fields::server(),
        Field::new("Runs", Quantity::Count, |cell: &Cell| {
            as_f64(cell.values(metric.source.per_run).len() as u64)
        }),
        Field::new("Repeated", Quantity::Count, |cell: &Cell| as_f64(cell.set_aside as u64)),
        of_ends("Least", |[least, _]| least),
        Field::new("Median", metric.quantity, |cell: &Cell| median(&mut cell.values(metric.source.per_run))),
        of_ends("Most", |[_, most]| most),
        Field::new("Most to least", Quantity::Ratio, spread),
    ];
    let mut table = Table::from_fields(
        format!("runs-{}", summary.workload.name),
        format!("{} of every run ({})", metric.header, summary.workload.name),
        fields,
        summary.with_floor().chain(&summary.duplicate),
    );
    table.is_detail = true;
    table
}

/// The lowest and the highest figure of all runs.
fn ends(metric: Metric, cell: &Cell) -> Option<[f64; 2]> {
    let values = cell.values(metric.source.per_run);
    let least = values.iter().copied().reduce(f64::min)?;
    Some([least, values.into_iter().reduce(f64::max)?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::value::Attribution;

    #[test]
    fn few_dots_stand_for_many() {
        let dots = |count: u32| -> Vec<Dot> {
            (0..count)
                .rev()
                .map(|value| Dot { value: f64::from(value), attribution: Attribution::Server })
                .collect()
        };
        for (count, expected) in [(0, 0), (60, 60), (61, 60), (10_000, 60)] {
            assert_eq!(thinned(dots(count)).len(), expected, "{count}");
        }
        let thinned = thinned(dots(10_000));
        assert!((thinned[0].value, thinned[59].value) == (0.0, 9999.0));
    }
}
