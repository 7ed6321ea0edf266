//! How do languages and concurrency models compare? By their best servers in the leading workload.

use super::metric::{self, Metric};
use super::{Source, charts, family, fields, notes, words};
use crate::analysis::summary::{Cell, WorkloadSummary, grouped};
use crate::report::chart::{Bar, Bars, Chart};
use crate::report::document::{Section, Table};
use crate::report::field::Field;
use crate::report::value::Quantity;
use crate::store::record::ServerRecord;

/// With fewer servers the other tables say as much.
const A_FIELD: usize = 5;

struct Grouping {
    id: &'static str,
    header: &'static str,
    of_server: fn(&ServerRecord) -> &str,
}

const GROUPINGS: [Grouping; 2] = [
    Grouping { id: "language", header: "Language", of_server: |server| &server.language },
    Grouping { id: "model", header: "Concurrency model", of_server: |server| &server.model },
];

/// Servers that have something in common, the best first.
struct Group<'a> {
    name: &'a str,
    cells: Vec<&'a Cell<'a>>,
}

impl<'a> Group<'a> {
    /// The best server; there is at least one.
    fn best(&self) -> &'a Cell<'a> {
        self.cells[0]
    }
}

pub(super) fn section(source: &Source) -> Option<Section> {
    let summary = family::leading(&source.families).filter(|summary| summary.cells.len() >= A_FIELD)?;
    let metric = metric::leading_metric(summary);
    let by_grouping = GROUPINGS.iter().map(|grouping| (grouping, groups(summary, grouping)));
    let by_grouping: Vec<(&Grouping, Vec<Group>)> =
        by_grouping.filter(|(_, groups)| groups.len() > 1).collect();
    let section = Section::new(
        "groups",
        "How do languages and models compare?",
        "The best server of each language, and of each way to serve many connections at once. This compares \
         servers, not languages: a group is represented by whichever of its servers were measured.",
    );
    (!by_grouping.is_empty()).then(|| Section {
        charts: by_grouping.iter().map(|(grouping, groups)| chart(grouping, groups, metric)).collect(),
        tables: by_grouping
            .iter()
            .map(|(grouping, groups)| table(source, summary, grouping, groups))
            .collect(),
        ..section
    })
}

/// The groups in the order of their best servers: those without a ranked server come last.
fn groups<'a>(summary: &'a WorkloadSummary<'a>, grouping: &Grouping) -> Vec<Group<'a>> {
    let cells = summary.cells.iter().map(|cell| ((grouping.of_server)(cell.server), cell));
    grouped(cells).into_iter().map(|(name, cells)| Group { name, cells }).collect()
}

fn chart(grouping: &Grouping, groups: &[Group], metric: Metric) -> Chart {
    let bar = |group: &Group| {
        let best = group.best();
        Bar::new(group.name, metric.figure(best), metric.attribution(best), best.server.name.clone())
    };
    let bars = Bars::new(metric.header, metric.quantity, groups.iter().map(bar));
    charts::bars(
        format!("groups-{}", grouping.id),
        format!("{} of the best server by {}", metric.header, grouping.id),
        bars,
    )
}

fn table(source: &Source, summary: &WorkloadSummary, grouping: &Grouping, groups: &[Group]) -> Table {
    let metric = metric::leading_metric(summary);
    let (header, other) = match source.baseline {
        Some(name) => (format!("To {name}"), fields::baseline(summary, name).ok()),
        None => ("To the best".to_owned(), fields::best(summary)),
    };
    let ratio = |group: &Group| other.map(|other| metric.ratio(group.best(), other));
    let servers = |group: &Group| {
        let servers: Vec<&str> = group.cells.iter().map(|cell| cell.server.name.as_str()).collect();
        servers.join(", ")
    };
    let fields = [
        Field::text(grouping.header, |group: &Group| group.name).essential(),
        Field::text("Best", |group: &Group| group.best().server.name.as_str()).essential(),
        Field::text("Rank", |group: &Group| fields::rank_of(summary, group.best())),
        Field::new(metric.header, metric.quantity, |group: &Group| metric.value(group.best()))
            .with_intervals()
            .with_bars()
            .essential(),
        Field::new(header, Quantity::Ratio, ratio).with_intervals().essential(),
        Field::text("Servers", servers),
    ];
    let title = format!("{} by {}, {}", metric.header, grouping.id, words::title(summary));
    let mut table = Table::from_fields(format!("groups-{}", grouping.id), title, fields, groups);
    table.notes.extend(source.baseline_note(summary));
    table.notes.extend(notes::signs(&table));
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::summary::summarise;
    use crate::analysis::verdict;
    use crate::report::value::Value;
    use crate::store::record::{ErrorKind, ErrorRecord, Record};
    use crate::store::results::Loaded;

    /// Runs of a server in a language and with a model whose requests cost so much CPU time.
    fn runs(server: &str, language: &str, model: &str, seconds: f64) -> Vec<Record> {
        Record::seven(server, |record| {
            (record.server.language, record.server.model) = (language.into(), model.into());
            record.set_cpu_seconds(seconds);
        })
    }

    fn field() -> Vec<Record> {
        let mut records = [
            runs("one", "Rust", "event loop", 0.2),
            runs("two", "Rust", "thread pool", 0.3),
            runs("three", "Go", "coroutine", 0.4),
            runs("four", "C", "event loop", 0.1),
            runs("five", "Python", "process", 0.9),
            runs("six", "Go", "coroutine", 0.3),
        ]
        .concat();
        for run in &mut records {
            match run.server.name.as_str() {
                // A request failed, so that the figure says nothing.
                "four" => run.load.as_mut().unwrap().errors = [("reset".to_owned(), 1)].into(),
                "five" => {
                    (run.load, run.cpu) = (None, None);
                    run.error = Some(ErrorRecord { kind: ErrorKind::Start, message: String::new() });
                }
                _ => {}
            }
            run.verdict = verdict::of_run(run);
        }
        records
    }

    #[test]
    fn each_group_is_told_by_its_best_server() {
        let loaded = Loaded::example(field());
        let summaries = summarise(&loaded.records);
        let section = section(&Source::new(&loaded, &summaries)).unwrap();
        let shown = |table: &Table| -> Vec<String> {
            let row = |row: &Vec<Value>| {
                let words = |place: usize| row[place].text().unwrap_or_default().to_owned();
                let ratio = row[4].number().map_or("–".into(), |ratio| format!("{ratio:.1}"));
                format!("{}: {} {ratio} of {}", words(0), words(1), words(5))
            };
            table.rows.iter().map(row).collect()
        };
        assert_eq!(
            shown(&section.tables[0]),
            [
                "Rust: one 1.0 of one, two",
                "Go: six 1.5 of six, three",
                "C: four – of four",
                "Python: five – of five"
            ]
        );
        assert_eq!(
            shown(&section.tables[1]),
            [
                "event loop: one 1.0 of one, four",
                "thread pool: two 1.5 of two",
                "coroutine: six 1.5 of six, three",
                "process: five – of five"
            ]
        );
        let ids: Vec<&str> = section.charts.iter().map(|chart| chart.id.as_str()).collect();
        assert_eq!(ids, ["groups-language", "groups-model"]);
    }

    #[test]
    fn few_servers_and_those_of_one_kind_are_not_grouped() {
        let mut alike = field();
        for run in &mut alike {
            (run.server.language, run.server.model) = ("Rust".into(), "event loop".into());
        }
        let few = field().into_iter().filter(|run| !["five", "six"].contains(&run.server.name.as_str()));
        for records in [alike, few.collect()] {
            let loaded = Loaded::example(records);
            let summaries = summarise(&loaded.records);
            assert!(section(&Source::new(&loaded, &summaries)).is_none());
        }
    }
}
