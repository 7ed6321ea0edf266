//! How do languages and models compare? Compares their best servers in the leading workload.

use super::metric::{self, Metric};
use super::{Source, family, fields, notes, words};
use crate::analysis::summary::{Cell, WorkloadSummary, grouped};
use crate::report::chart::{Bar, Bars, Chart};
use crate::report::document::{Section, Table};
use crate::report::field::Field;
use crate::report::value::Quantity;
use crate::store::record::ServerRecord;

/// The section needs at least this many servers: with fewer, the other tables say as much.
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

/// The language or model that servers share, and their cells, at least one: the best is first.
type Group<'a> = (&'a str, Vec<&'a Cell<'a>>);

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
    section.with(
        by_grouping.iter().map(|(grouping, groups)| chart(grouping, groups, metric)),
        by_grouping.iter().map(|(grouping, groups)| table(source, summary, grouping, groups)),
    )
}

/// The groups in the order of their best servers: those without a ranked server come last.
fn groups<'a>(summary: &'a WorkloadSummary<'a>, grouping: &Grouping) -> Vec<Group<'a>> {
    grouped(summary.cells.iter().map(|cell| ((grouping.of_server)(cell.server), cell)))
}

fn chart(grouping: &Grouping, groups: &[Group], metric: Metric) -> Chart {
    let bar = |(name, cells): &Group| {
        let best = cells[0];
        Bar::new(name, metric.figure(best), metric.attribution(best), best.name().to_owned())
    };
    let bars = Bars::new(metric.header, metric.quantity, groups.iter().map(bar));
    Chart::from_bars(
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
    let ratio = |(_, cells): &Group| other.map(|other| metric.ratio(cells[0], other));
    let servers = |(_, cells): &Group| {
        let servers: Vec<&str> = cells.iter().map(|cell| cell.name()).collect();
        servers.join(", ")
    };
    let fields = [
        Field::text(grouping.header, |(name, _): &Group| *name).essential(),
        Field::text("Best", |(_, cells): &Group| cells[0].name()).essential(),
        Field::text("Rank", |(_, cells): &Group| fields::rank_of(summary, cells[0])),
        Field::new(metric.header, metric.quantity, |(_, cells): &Group| metric.value(cells[0]))
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
    use crate::store::record::{Bound, Record};
    use crate::store::results::Loaded;

    /// Name, language, model, and CPU time.
    const FIELD: [(&str, &str, &str, f64); 6] = [
        ("one", "Rust", "event loop", 0.2),
        ("two", "Rust", "thread pool", 0.3),
        ("three", "Go", "coroutine", 0.4),
        // A request failed, so that the figure says nothing.
        ("four", "C", "event loop", 0.1),
        // It has no figures.
        ("five", "Python", "process", 0.9),
        ("six", "Go", "coroutine", 0.3),
    ];

    fn field() -> Vec<Record> {
        let runs = |(server, language, model, seconds): (&str, &str, &str, f64)| {
            Record::seven(server, |record| {
                (record.server.language, record.server.model) = (language.into(), model.into());
                record.set_cpu_seconds(seconds);
                record.set_bound(if server == "four" { Bound::Invalid } else { Bound::ServerBound });
                if server == "five" {
                    (record.load, record.cpu, record.verdict) = (None, None, None);
                }
            })
        };
        FIELD.into_iter().flat_map(runs).collect()
    }

    #[test]
    fn each_group_is_told_by_its_best_server() {
        let section = Loaded::example(field()).section(section).unwrap();
        let [languages, models] = section.tables.as_slice() else { panic!("{section:?}") };
        assert_eq!(
            languages.shown(&["Language", "Best", "To the best", "Servers"]),
            [
                "Rust | one | 1.00 | one, two",
                "Go | six | 1.50 | six, three",
                "C | four | – | four",
                "Python | five | – | five"
            ]
        );
        assert_eq!(
            models.shown(&["Concurrency model", "Best", "To the best", "Servers"]),
            [
                "event loop | one | 1.00 | one, four",
                "thread pool | two | 1.50 | two",
                "coroutine | six | 1.50 | six, three",
                "process | five | – | five"
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
            assert!(Loaded::example(records).section(section).is_none());
        }
    }
}
