//! What ratios are to, where a person has chosen a server for all others to be held against.

use super::Source;
use super::parts::{self, Measure};
use crate::analysis::summary::{Cell, WorkloadSummary};
use crate::report::chart::Mark;
use crate::report::document::{Column, Figure, Importance, Quantity, Table, Value};

/// The chosen server's cell under a workload, where it has figures of what servers are ranked by there.
pub(in crate::report) fn cell<'s, 'a>(summary: &'s WorkloadSummary<'a>, name: &str) -> Option<&'s Cell<'a>> {
    let cell = summary.with_floor().find(|cell| cell.server.name == name)?;
    cell.median(summary.leading()).map(|_| cell)
}

impl Source<'_> {
    /// The table with a column of ratios to the chosen server behind that of a figure; as it is, where none was chosen. Ratios are
    /// paired by repetition.
    pub(super) fn held(&self, mut table: Table, measure: Measure, summary: &WorkloadSummary) -> Table {
        let Some(name) = self.baseline else { return table };
        let Some(place) = table.columns.iter().position(|column| column.head == measure.head) else {
            return table;
        };
        let baseline = cell(summary, name);
        let column = Column::new(format!("To {name}"), Quantity::Ratio);
        table.columns.insert(place + 1, column.with_intervals().of(Importance::High));
        for row in &mut table.rows {
            let own = summary
                .with_floor()
                .find(|cell| row.first().and_then(Value::words) == Some(parts::label(cell.server).as_str()));
            let ratio = own.zip(baseline).map(|(own, baseline)| ratio(measure, own, baseline));
            row.insert(place + 1, ratio.unwrap_or(Value::Absent));
        }
        if baseline.is_none() {
            table.notes.push(format!("{name} has no figures here for others to be held against."));
        }
        table
    }
}

/// So many times as much. It is a fact about the two servers only where both figures are.
fn ratio(measure: Measure, own: &Cell, baseline: &Cell) -> Value {
    let mark = match measure.mark(own) {
        Mark::Own => measure.mark(baseline),
        mark => mark,
    };
    Value::marked(own.ratio_to(baseline, measure.of).map(Figure::from), mark)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::summary::summarise;
    use crate::report::section;
    use crate::store::record::Record;
    use crate::store::results::Loaded;

    /// Seven runs each of servers by what a request costs them, of which the last failed.
    fn records() -> Vec<Record> {
        let servers = [("cheap", 0.3), ("dear", 0.9), ("broken", 0.0)];
        let runs = servers.into_iter().flat_map(|(server, seconds)| {
            (1..=7).map(move |repetition| {
                let mut record = Record::example(server, repetition);
                record.cpu.as_mut().unwrap().server.as_mut().unwrap().seconds = seconds;
                if server == "broken" {
                    (record.load, record.cpu) = (None, None);
                }
                record
            })
        });
        runs.collect()
    }

    #[test]
    fn every_ratio_is_to_the_server_that_was_chosen() {
        let loaded = Loaded::example(records());
        let summaries = summarise(&loaded.records);
        // The server that was chosen, and the heads of ratios with their figures, by what a request costs.
        let cases = [
            (None, "To the best", [Some(1.0), Some(3.0), None]),
            (Some("dear"), "To dear", [Some(1.0 / 3.0), Some(1.0), None]),
            (Some("broken"), "To broken", [None; 3]),
        ];
        for (baseline, head, expected) in cases {
            let source = Source { baseline, ..Source::new(&loaded, &summaries) };
            let sections = section::all(&source);
            let table = &sections.iter().find(|section| section.id == "cost").unwrap().tables[0];
            let ratios: Vec<usize> = (0..table.columns.len())
                .filter(|place| table.columns[*place].quantity == Quantity::Ratio)
                .collect();
            let [place] = ratios.as_slice() else { panic!("{ratios:?}") };
            assert_eq!(table.columns[*place].head, head);
            for (row, expected) in table.rows.iter().zip(expected) {
                assert_eq!(row.len(), table.columns.len());
                let is_near = |(is, expected): (f64, f64)| (is - expected).abs() < 1e-9;
                let ratio = row[*place].number();
                assert_eq!(ratio.is_some(), expected.is_some(), "{head}");
                assert!(ratio.zip(expected).is_none_or(is_near), "{head}: {ratio:?}");
            }
            assert_eq!(table.notes.iter().any(|note| note.contains("no figures here")), head == "To broken");
            let speed = &sections.iter().find(|section| section.id == "speed").unwrap().tables[0];
            assert_eq!(speed.columns.iter().any(|column| column.head == head), baseline.is_some());
        }
    }
}
