//! Is every repetition like the others? Each run as a dot, so that outliers are seen.

use super::Source;
use super::parts;
use crate::analysis::statistics::median;
use crate::analysis::summary::{Cell, WorkloadSummary};
use crate::report::chart::{Chart, Dot, DotRow, Dots, Plot};
use crate::report::document::{Column, Quantity, Section, Table};
use crate::text::numbers::as_f64;

/// Dots beyond which a row shows no more than these, evenly chosen by rank: more of them are one blot, and a page has to be
/// opened on a phone.
const DOTS: usize = 60;

pub(super) fn section(source: &Source) -> Option<Section> {
    let members = source.families.iter().flat_map(|family| family.members.iter().copied());
    let members: Vec<&WorkloadSummary> = members.filter(|summary| summary.is_measured()).collect();
    let tables: Vec<Table> = members.iter().map(|summary| table(summary)).collect();
    (!tables.is_empty()).then(|| Section {
        id: "repetitions",
        title: "Is every repetition like the others?",
        about: vec![
            "Every run is a dot, as so many times its server's median, which is the stroke: servers that are far from each other stay \
             comparable. A median says nothing of runs that fall into two heaps, or of one that lies far out."
                .into(),
        ],
        charts: members.iter().map(|summary| chart(summary)).collect(),
        tables,
        facts: Vec::new(),
    })
}

fn chart(summary: &WorkloadSummary) -> Chart {
    let measure = parts::leading_measure(summary);
    let row = |cell: &Cell| {
        let median = cell.median(measure.of).filter(|median| *median > 0.0);
        let dot = |run: &crate::store::record::Record| {
            Some(Dot { value: (measure.of)(run)? / median?, mark: measure.mark_of_run(run) })
        };
        let dots: Vec<Dot> = cell.measured().filter_map(dot).collect();
        DotRow { label: parts::label(cell.server), dots: thinned(dots), median: median.map(|_| 1.0) }
    };
    let rows: Vec<DotRow> = summary.with_floor().chain(&summary.duplicate).map(row).collect();
    let title = format!("{} of every run to its server's median, {}", measure.head, summary.workload.name);
    Chart {
        id: format!("runs-{}", summary.workload.name),
        description: format!("{title}: a row a server and a dot a run. The table below has the extremes."),
        title,
        plot: Plot::Dots(Dots {
            label: format!("{} to the median", measure.head),
            quantity: Quantity::Ratio,
            rows,
        }),
    }
}

/// Not more than [`DOTS`] of them, the least and the most among them.
fn thinned(mut dots: Vec<Dot>) -> Vec<Dot> {
    if dots.len() <= DOTS {
        return dots;
    }
    dots.sort_by(|a, b| a.value.total_cmp(&b.value));
    (0..DOTS).map(|place| dots[place * (dots.len() - 1) / (DOTS - 1)]).collect()
}

fn table(summary: &WorkloadSummary) -> Table {
    let measure = parts::leading_measure(summary);
    let columns = [
        parts::server(),
        Column::new("Runs", Quantity::Count),
        Column::new("Done again", Quantity::Count),
        Column::new("Least", measure.quantity),
        Column::new("Median", measure.quantity),
        Column::new("Most", measure.quantity),
        Column::new("Most to least", Quantity::Ratio),
    ];
    let name = format!("runs-{}", summary.workload.name);
    let title = format!("{} of every run ({})", measure.head, summary.workload.name);
    let mut table = Table::new(name, title, columns);
    table.is_detail = true;
    for cell in summary.with_floor().chain(&summary.duplicate) {
        let mut values = cell.values(measure.of);
        let middle = median(&mut values);
        let ends = values.first().copied().zip(values.last().copied());
        table.rows.push(vec![
            parts::label(cell.server).into(),
            Some(as_f64(values.len() as u64)).into(),
            Some(as_f64(cell.set_aside as u64)).into(),
            ends.map(|(least, _)| least).into(),
            middle.into(),
            ends.map(|(_, most)| most).into(),
            ends.filter(|(least, _)| *least > 0.0).map(|(least, most)| most / least).into(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::chart::Mark;

    #[test]
    fn few_dots_stand_for_many() {
        let dots = |count: u32| -> Vec<Dot> {
            (0..count).rev().map(|value| Dot { value: f64::from(value), mark: Mark::Own }).collect()
        };
        for (count, expected) in [(0, 0), (60, 60), (61, 60), (10_000, 60)] {
            assert_eq!(thinned(dots(count)).len(), expected, "{count}");
        }
        let thinned = thinned(dots(10_000));
        assert!((thinned[0].value, thinned[59].value) == (0.0, 9999.0));
    }
}
