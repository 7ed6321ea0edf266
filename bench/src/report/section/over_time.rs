//! How does a load change over time? Shows the runs that `--series` adds, in tenths of a second.

use super::{Source, words};
use crate::analysis::statistics::median;
use crate::analysis::summary::{Cell, WorkloadSummary};
use crate::report::chart::{Axis, Chart, Line, Lines, Plot, Point, Scale};
use crate::report::document::{Section, Table};
use crate::report::field::Field;
use crate::report::value::{Attribution, Figure, Quantity};
use crate::store::record::{SeriesRecord, TaskRecord};

/// A server under a workload, with its answers and latency over time.
struct Shown<'a> {
    cell: &'a Cell<'a>,
    series: &'a SeriesRecord,
}

pub(super) fn section(source: &Source) -> Option<Section> {
    let loads = || {
        let is_own_load = |summary: &&WorkloadSummary| {
            !summary.is_check && summary.workload.task == TaskRecord::Load && summary.is_measured()
        };
        source.summaries.iter().filter(is_own_load)
    };
    let mut section = Section::new(
        "over-time",
        "How does a load go over time?",
        "Each server was loaded once more, in one piece and without a warm-up, after its first repetition, and the answers of each tenth of \
         a second are counted by themselves. What begins slowly warms up; what falls and recovers again and again collects \
         garbage; what falls for all servers alike is the machine's, such as its frequency. These runs are in no other \
         figure.",
    );
    let left_out: Vec<String> =
        loads().filter(|summary| shown(summary).is_empty()).map(why_left_out).collect();
    if !left_out.is_empty() {
        section.about.push(format!("Not shown: {}.", words::list(&left_out)));
    }
    section.with(loads().flat_map(charts), loads().filter_map(table))
}

fn shown<'a>(summary: &'a WorkloadSummary<'a>) -> Vec<Shown<'a>> {
    let of_cell = |cell: &'a Cell<'a>| {
        let series = cell.measured().find_map(|run| run.series.as_ref())?;
        (!series.answered.is_empty()).then_some(Shown { cell, series })
    };
    summary.cells.iter().filter_map(of_cell).collect()
}

fn why_left_out(summary: &WorkloadSummary) -> String {
    let name = &summary.workload.name;
    let is_search = summary.workload.rate.as_ref().is_some_and(|rate| rate.limit.is_some());
    if is_search {
        return format!("{name} (a search is many loads)");
    }
    format!("{name} ({} reported none)", summary.tool.name)
}

/// For each server, a chart of requests per second, and one of latency if it is known.
fn charts(summary: &WorkloadSummary) -> Vec<Chart> {
    let of_server = |(number, shown): (usize, Shown)| {
        let (server, place) = (shown.cell.name(), words::connections(summary.workload.connections));
        let points = |values: &mut dyn Iterator<Item = Option<f64>>| {
            let point = |(x, y): (f64, Option<f64>)| {
                Some(Point { x, y: Figure::from(y?), attribution: Attribution::Server })
            };
            shown.series.middles().zip(values).filter_map(point).collect::<Vec<Point>>()
        };
        let line = |label: &str, points| Line { label: label.into(), points, has_marks: false };
        let id = |what: &str| format!("over-time-{what}-{}-{}", summary.workload.name, number + 1);
        let time = || Axis { label: "Time".into(), quantity: Quantity::Time, scale: Scale::Linear };
        let y = |label: &str, quantity, scale| Axis { label: label.into(), quantity, scale };
        let chart = |id: String, what: &str, y, lines: Vec<Line>| Chart {
            id,
            title: format!("{server}: {what} over time, {place}"),
            description: format!(
                "{what} of {server} in each tenth of a second, {place}. The table below has the extremes."
            ),
            plot: Plot::Lines(Lines { x: time(), y, lines }),
        };
        let speed = points(&mut shown.series.per_second().map(Some));
        let [p50, p99] = [&shown.series.p50_seconds, &shown.series.p99_seconds]
            .map(|column| points(&mut column.iter().copied()));
        let is_known = !p50.is_empty();
        let speed = chart(
            id("speed"),
            "Requests per second",
            y("Requests", Quantity::Rate, Scale::Linear),
            vec![line("Requests/s", speed)],
        );
        let latency = chart(
            id("latency"),
            "Latency",
            y("Latency", Quantity::Time, Scale::Log),
            vec![line("p50", p50), line("p99", p99)],
        );
        std::iter::once(speed).chain(is_known.then_some(latency))
    };
    shown(summary).into_iter().enumerate().flat_map(of_server).collect()
}

/// The median and the extremes of each server's tenths of a second.
fn table(summary: &WorkloadSummary) -> Option<Table> {
    let rows = shown(summary);
    let speed = |of: fn(&mut Vec<f64>) -> Option<f64>| {
        move |shown: &Shown| of(&mut shown.series.per_second().collect())
    };
    let p99 = |of: fn(&mut Vec<f64>) -> Option<f64>| {
        move |shown: &Shown| of(&mut shown.series.p99_seconds.iter().flatten().copied().collect())
    };
    let lowest = |values: &mut Vec<f64>| values.iter().copied().reduce(f64::min);
    let highest = |values: &mut Vec<f64>| values.iter().copied().reduce(f64::max);
    let fields = [
        Field::text("Server", |shown: &Shown| words::label(shown.cell.server)).essential(),
        Field::new("Requests/s", Quantity::Rate, speed(|values| median(values))).essential(),
        Field::new("Lowest/s", Quantity::Rate, speed(lowest)).essential(),
        Field::new("Highest/s", Quantity::Rate, speed(highest)),
        Field::new("p99", Quantity::Time, p99(|values| median(values))),
        Field::new("Highest p99", Quantity::Time, p99(highest)).essential(),
    ];
    let title = format!("Tenths of a second of one run, {}", words::title(summary));
    let name = format!("over-time-{}", summary.workload.name);
    let mut table = Table::from_fields(name, title, fields, &rows).with_rows()?;
    let is_shown = |cell: &&Cell| rows.iter().any(|shown| shown.cell.name() == cell.name());
    let failed: Vec<&str> = summary.cells.iter().filter(|cell| !is_shown(cell)).map(Cell::name).collect();
    if !failed.is_empty() {
        table
            .notes
            .push(format!("Without a run over time, or with one that failed: {}.", words::list(&failed)));
    }
    table.is_detail = true;
    Some(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::record::Record;
    use crate::store::results::Loaded;

    fn runs(workload: &str, tool: &str, servers: &[(&str, Option<&[u64]>)]) -> Vec<Record> {
        let runs = servers.iter().flat_map(|(server, answered)| {
            Record::seven(server, |run| {
                (run.workload.name, run.tool.name) = (workload.into(), tool.into());
                let answered = answered.filter(|_| run.repetition == Some(1));
                run.series = answered.map(|answered| SeriesRecord {
                    interval_seconds: 0.1,
                    answered: answered.to_vec(),
                    p50_seconds: answered.iter().map(|count| (*count > 0).then_some(1e-3)).collect(),
                    p99_seconds: answered.iter().map(|count| (*count > 0).then_some(2e-3)).collect(),
                });
            })
        });
        runs.collect()
    }

    #[test]
    fn each_server_has_charts_of_the_run_that_was_kept() {
        let records = [
            runs("work", "visit", &[("one", Some(&[100, 0, 300])), ("two", Some(&[5])), ("lost", None)]),
            runs("by-hey", "hey", &[("one", None)]),
            runs("failed", "visit", &[("one", Some(&[]))]),
        ];
        let section = Loaded::example(records.concat()).section(section).unwrap();
        let charts = section.charts.iter().map(|chart| {
            let Plot::Lines(Lines { lines, .. }) = &chart.plot else { panic!() };
            let lines = lines.iter().map(|line| format!("{} {}", line.label, line.points.len()));
            format!("{}: {}", chart.id, lines.collect::<Vec<_>>().join(", "))
        });
        assert_eq!(
            charts.collect::<Vec<_>>(),
            [
                "over-time-speed-work-1: Requests/s 3",
                "over-time-latency-work-1: p50 2, p99 2",
                "over-time-speed-work-2: Requests/s 1",
                "over-time-latency-work-2: p50 1, p99 1",
            ]
        );
        let [table] = section.tables.as_slice() else { panic!("{section:?}") };
        let headers = ["Server", "Requests/s", "Lowest/s", "Highest/s", "Highest p99"];
        assert_eq!(table.shown(&headers), ["one | 1,000 | 0 | 3,000 | 2.00", "two | 50 | 50 | 50 | 2.00"]);
        assert_eq!(table.notes, ["Without a run over time, or with one that failed: lost."]);
        assert_eq!(
            section.about.last().unwrap(),
            "Not shown: by-hey (hey reported none) and failed (visit reported none)."
        );
    }

    #[test]
    fn there_is_nothing_to_show_unless_it_was_asked_for() {
        let loaded = Loaded::example(runs("work", "visit", &[("one", None)]));
        assert!(loaded.section(section).is_none());
    }
}
