//! How do languages and concurrency models compare? By the best server of each, under the workload that the answer comes from.

use super::parts::{self, Metric};
use super::{Source, baseline};
use crate::analysis::statistics::Rank;
use crate::analysis::summary::{Cell, WorkloadSummary};
use crate::report::answer;
use crate::report::chart::{Bar, Bars, Chart};
use crate::report::document::{Column, Priority, Section, Table};
use crate::report::value::Attribution;
use crate::report::value::{Quantity, Value};
use crate::store::record::ServerRecord;

/// Of fewer servers the other tables say as much.
const A_FIELD: usize = 5;

/// What servers are grouped by.
struct Grouping {
    id: &'static str,
    header: &'static str,
    of: fn(&ServerRecord) -> &str,
}

const GROUPINGS: [Grouping; 2] = [
    Grouping { id: "language", header: "Language", of: |server| &server.language },
    Grouping { id: "model", header: "Serves many by", of: |server| &server.model },
];

/// Servers that have something in common, the best first.
struct Group<'s, 'a> {
    name: &'a str,
    cells: Vec<(&'s Cell<'a>, Option<Rank>)>,
}

pub(super) fn section(source: &Source) -> Option<Section> {
    let summary = answer::leading(&source.families).filter(|summary| summary.cells.len() >= A_FIELD)?;
    let metric = parts::leading_metric(summary);
    let grouped = GROUPINGS.iter().map(|grouping| (grouping, groups(summary, metric, grouping)));
    let grouped: Vec<(&Grouping, Vec<Group>)> = grouped.filter(|(_, groups)| groups.len() > 1).collect();
    (!grouped.is_empty()).then(|| Section {
        id: "groups",
        title: "How do languages and models compare?",
        about: vec![
            "The best server of each language, and of each way to serve many connections at once. Servers are compared, and not languages: \
             a group is no better than who was measured of it."
                .into(),
        ],
        charts: grouped.iter().map(|(grouping, groups)| chart(grouping, groups, metric)).collect(),
        tables: grouped.iter().map(|(grouping, groups)| table(source, summary, grouping, groups)).collect(),
        facts: Vec::new(),
    })
}

/// The groups, the one with the best server first.
fn groups<'s, 'a>(
    summary: &'s WorkloadSummary<'a>,
    metric: Metric,
    grouping: &Grouping,
) -> Vec<Group<'s, 'a>> {
    let mut groups: Vec<Group> = Vec::new();
    for (cell, rank) in parts::ranked(summary) {
        let name = (grouping.of)(cell.server);
        match groups.iter_mut().find(|group| group.name == name) {
            Some(group) => group.cells.push((cell, rank)),
            None => groups.push(Group { name, cells: vec![(cell, rank)] }),
        }
    }
    for group in &mut groups {
        group.cells.sort_by_key(|(cell, _)| is_worth_nothing(metric, cell));
    }
    groups.sort_by_key(|group| group.cells.iter().all(|(cell, _)| is_worth_nothing(metric, cell)));
    groups
}

/// Whether a cell's figure says nothing of its server, or is not there.
fn is_worth_nothing(metric: Metric, cell: &Cell) -> bool {
    metric.attribution(cell) == Attribution::Invalid || cell.median(metric.of).is_none()
}

fn chart(grouping: &Grouping, groups: &[Group], metric: Metric) -> Chart {
    let bar = |group: &Group| {
        let (cell, _) = group.cells.first()?;
        Some(Bar {
            label: group.name.into(),
            note: cell.server.name.clone(),
            figure: metric.figure(cell),
            attribution: metric.attribution(cell),
        })
    };
    let bars = Bars {
        label: metric.header.into(),
        quantity: metric.quantity,
        bars: groups.iter().filter_map(bar).collect(),
        noise: None,
    };
    parts::bars_chart(
        format!("groups-{}", grouping.id),
        format!("{} of the best server by {}", metric.header, grouping.id),
        bars,
    )
}

fn table(source: &Source, summary: &WorkloadSummary, grouping: &Grouping, groups: &[Group]) -> Table {
    let metric = parts::leading_metric(summary);
    let first = groups.first().and_then(|group| group.cells.first()).map(|(cell, _)| *cell);
    let (head, other) = match source.baseline {
        Some(name) => (format!("To {name}"), baseline::cell(summary, name)),
        None => ("To the best".to_owned(), first),
    };
    let columns = [
        Column::new(grouping.header, Quantity::Text).with_priority(Priority::High),
        Column::new("Best", Quantity::Text).with_priority(Priority::High),
        Column::new("Rank", Quantity::Text),
        metric.column().with_intervals().with_bars().with_priority(Priority::High),
        Column::new(head, Quantity::Ratio).with_intervals().with_priority(Priority::High),
        Column::new("Servers", Quantity::Text).with_priority(Priority::High),
    ];
    let name = format!("groups-{}", grouping.id);
    let mut table = Table::new(name, format!("By {}: {}", grouping.id, parts::title(summary)), columns);
    for group in groups {
        let Some((best, rank)) = group.cells.first() else { continue };
        let servers: Vec<&str> = group.cells.iter().map(|(cell, _)| cell.server.name.as_str()).collect();
        table.rows.push(vec![
            group.name.into(),
            best.server.name.as_str().into(),
            (*rank).into(),
            metric.value(best),
            other.map_or(Value::Absent, |other| best.ratio_to(other, metric.of).into()),
            servers.join(", ").into(),
        ]);
    }
    table.notes.extend(parts::legend(&table));
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::summary::summarise;
    use crate::analysis::verdict;
    use crate::store::record::{ErrorKind, ErrorRecord, Record};
    use crate::store::results::Loaded;

    /// Five runs of a server in a language and with a model whose requests cost so much CPU time.
    fn runs(server: &str, language: &str, model: &str, seconds: f64) -> Vec<Record> {
        let run = |repetition| {
            let mut record = Record::example(server, repetition);
            (record.server.language, record.server.model) = (language.into(), model.into());
            record.cpu.as_mut().unwrap().server.as_mut().unwrap().seconds = seconds;
            record.verdict = verdict::of_run(&record);
            record
        };
        (1..=5).map(run).collect()
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
