//! Does it keep the rules of HTTP? Conformance cases and fault drills, per server.

use super::{Source, drills};
use crate::analysis::summary::WorkloadSummary;
use crate::report::chart::{Bar, Bars, Chart};
use crate::report::document::{Section, Table};
use crate::report::field::Field;
use crate::report::value::{Attribution, Figure, Quantity};
use crate::store::record::ConformanceRecord;
use crate::text::numbers::as_f64;

const TITLE: &str = "Conformance cases that pass";

/// A server, and its conformance results where it was sent the cases.
struct Row<'a> {
    server: &'a str,
    found: Option<&'a ConformanceRecord>,
}

pub(super) fn section(source: &Source) -> Option<Section> {
    let rows = rows(source.summaries);
    let was_asked = rows.iter().any(|row| row.found.is_some());
    let drills = &source.loaded.drills;
    if !was_asked && drills.is_empty() {
        return None;
    }
    let mut section = Section::new("http", "Does it obey HTTP?", "");
    if was_asked {
        section.about.push(
            "Before the measurement each server was sent the conformance cases: requests in raw bytes, with the answers that \
             HTTP allows. Cases that wait for a server's timeouts are left out where it has none. Flaky cases pass on some runs \
             only, by the server's manifest, and are not among those that passed. A case is smuggled when the server answered \
             a request that was hidden within another. A server that skips rules of HTTP saves work, and is not comparable \
             with one that keeps them."
                .into(),
        );
    }
    if !drills.is_empty() {
        section.about.push(drills::ABOUT.into());
    }
    Some(Section {
        charts: was_asked.then(|| chart(&rows)).into_iter().collect(),
        tables: was_asked.then(|| table(&rows)).into_iter().chain(drills::table(drills)).collect(),
        facts: drills::facts(drills),
        ..section
    })
}

/// The servers by the share of cases that they pass, then those that were sent none.
fn rows<'a>(summaries: &[WorkloadSummary<'a>]) -> Vec<Row<'a>> {
    let mut rows: Vec<Row> = Vec::new();
    for cell in summaries.iter().flat_map(|summary| &summary.cells) {
        let found = cell.conformance();
        match rows.iter_mut().find(|row| row.server == cell.server.name) {
            Some(row) => row.found = row.found.or(found),
            None => rows.push(Row { server: &cell.server.name, found }),
        }
    }
    rows.sort_by(|a, b| b.worth().total_cmp(&a.worth()));
    rows
}

impl Row<'_> {
    /// The share of the cases that pass on every run.
    fn share(&self) -> Option<f64> {
        let found = self.found.filter(|found| found.cases > 0)?;
        Some(as_f64(found.passed) / as_f64(found.cases))
    }

    fn worth(&self) -> f64 {
        self.share().unwrap_or(-1.0)
    }
}

fn table(rows: &[Row]) -> Table {
    let count = |header: &str, count: fn(&ConformanceRecord) -> u64| {
        Field::new(header, Quantity::Count, move |row: &Row| row.found.map(count).map(as_f64))
    };
    let fields = [
        Field::text("Server", |row: &Row| row.server).essential(),
        count("Cases sent", |found| found.cases).optional(),
        count("Passed", |found| found.passed),
        Field::new("Flaky", Quantity::Count, |row: &Row| row.found.and_then(|found| found.flaky).map(as_f64))
            .optional(),
        Field::new("Share", Quantity::Share, Row::share).essential(),
        count("Smuggled", |found| found.smuggled).essential(),
    ];
    let mut table = Table::from_fields("conformance", TITLE, fields, rows);
    let odd =
        rows.iter().filter_map(|row| Some((row.server, &row.found?.odd))).filter(|(_, odd)| !odd.is_empty());
    table.notes.extend(odd.map(|(server, odd)| format!("{server}: {}.", odd.join("; "))));
    table
}

fn chart(rows: &[Row]) -> Chart {
    let bar = |row: &Row| {
        let note = row.found.map(note).unwrap_or_default();
        Bar::new(row.server, row.share().map(Figure::from), Attribution::Server, note)
    };
    let bars = Bars::new("Cases passed", Quantity::Share, rows.iter().map(bar));
    Chart::from_bars("conformance".into(), TITLE.into(), bars)
}

/// `158 of 483, 29 smuggled`, or `400–404 of 483` where four cases are flaky.
fn note(found: &ConformanceRecord) -> String {
    let passed = format!("{} of {}", found.range(), found.cases);
    if found.smuggled == 0 { passed } else { format!("{passed}, {} smuggled", found.smuggled) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::chart::Plot;
    use crate::store::drills::DrillRecord;
    use crate::store::record::Record;
    use crate::store::results::Loaded;

    /// A run of a server with numbers of cases: passed, sent, smuggled and flaky.
    fn run(server: &str, found: Option<[u64; 4]>) -> Record {
        let mut record = Record::example(server, 1);
        let found = found.map(|[passed, cases, smuggled, flaky]| {
            let flaky = Some(flaky).filter(|flaky| *flaky > 0);
            let odd = if smuggled > 0 { vec!["no Date in any of 9 answers".into()] } else { Vec::new() };
            ConformanceRecord { cases, passed, flaky, smuggled, odd }
        });
        record.server.conformance = found;
        record
    }

    #[test]
    fn servers_are_sorted_by_the_share_of_cases_that_they_pass() {
        let records = vec![
            run("few", Some([158, 483, 29, 0])),
            run("never", None),
            run("most", Some([496, 500, 0, 2])),
            // The server of the first run could not be built.
            Record { repetition: None, ..run("late", None) },
            run("late", Some([500, 500, 0, 0])),
        ];
        let section = Loaded::example(records).section(section).unwrap();
        assert_eq!(
            section.tables[0].shown(&["Server", "Cases sent", "Passed", "Flaky", "Share", "Smuggled"]),
            [
                "late | 500 | 500 | – | 100.0 | 0",
                "most | 500 | 496 | 2 | 99.2 | 0",
                "few | 483 | 158 | – | 32.7 | 29",
                "never | – | – | – | – | –",
            ]
        );
        assert_eq!(section.tables[0].notes, ["few: no Date in any of 9 answers."]);
        let [Chart { plot: Plot::Bars(bars), description, .. }] = section.charts.as_slice() else { panic!() };
        let notes: Vec<&str> = bars.bars.iter().map(|bar| bar.note.as_str()).collect();
        assert_eq!(notes, ["500 of 500", "496–498 of 500", "158 of 483, 29 smuggled", ""]);
        assert_eq!(
            description,
            "Conformance cases that pass: late 100.0 % (500 of 500), most 99.2 % (496–498 of 500), few 32.7 % (158 of 483, 29 smuggled), \
             never no figure."
        );
    }

    #[test]
    fn drills_alone_make_a_section() {
        let mut loaded = Loaded::example(vec![run("never", None)]);
        assert!(loaded.section(section).is_none());
        loaded.drills = vec![DrillRecord::example("one", "kill", Ok("up in 3 ms"))];
        let section = loaded.section(section).unwrap();
        let names: Vec<&str> = section.tables.iter().map(|table| table.name.as_str()).collect();
        assert_eq!((section.id, names, section.charts.len()), ("http", vec!["drills"], 0));
    }
}
