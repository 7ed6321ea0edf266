//! What is the latency under load? Measured in open loops, where requests are due at a fixed rate.

use super::family::{self, Question};
use super::metric::{COST, P99, PER_SECOND};
use super::panels::Panels;
use super::{Source, fields, notes, words};
use crate::analysis::summary::{Cell, WorkloadSummary};
use crate::report::chart::{Axis, Chart, Line, Point, Scale};
use crate::report::document::{Section, Table};
use crate::report::value::{Attribution, Figure, Quantity};
use crate::store::record::{OpenLoopRecord, Record};

pub(super) fn section(source: &Source) -> Option<Section> {
    let loads = source.loads(Question::Latency);
    // Servers are in the order of their cost in the first workload, the loop that found the peaks.
    let servers = family::servers(&loads);
    let (open, peaks): (Vec<&WorkloadSummary>, Vec<&WorkloadSummary>) =
        loads.into_iter().partition(|summary| summary.workload.rate.is_some());
    if open.is_empty() {
        return None;
    }
    let curves = open.iter().flat_map(|summary| curves(summary, &servers));
    let tables = open.iter().map(|summary| table(source, summary, &peaks));
    let peak_tables = peaks.iter().map(|summary| peak(source, summary));
    let section = Section::new(
        "latency",
        "What is the latency under load?",
        "In an open loop requests are due at a fixed rate, as if users sent them. Latency counts from when \
         a request was due, so it includes waiting for a server that stopped, and whatever the load tool \
         sent late. Rates are shares of each server's own peak, so that servers are compared at the same \
         utilisation and not at the same rate.",
    );
    section.with(by_rate(&open, &servers).into_iter().chain(curves), tables.chain(peak_tables))
}

/// Charts of the 99th percentile by the rate.
fn by_rate(open: &[&WorkloadSummary], servers: &[&str]) -> Vec<Chart> {
    if open.len() < 2 {
        return Vec::new();
    }
    let line = |name: &str| {
        let point = |summary: &&WorkloadSummary| {
            let cell = summary.cell(name)?;
            Some(Point { x: cell.median(rate)?, y: P99.figure(cell)?, attribution: P99.attribution(cell) })
        };
        let mut points: Vec<Point> = open.iter().filter_map(point).collect();
        points.sort_by(|a, b| a.x.total_cmp(&b.x));
        Line { label: name.into(), points, has_marks: true }
    };
    let panels = Panels::by_rate("latency-by-rate", "The 99th percentile of latency by rate", "Latency, p99");
    panels.charts(servers.iter().copied().map(line).collect())
}

/// All percentiles under one workload, a line per server. Empty if the tool has no histogram.
fn curves(summary: &WorkloadSummary, servers: &[&str]) -> Vec<Chart> {
    let line = |name: &&str| {
        let cell = summary.cell(name)?;
        let attribution = P99.attribution(cell);
        let point = |(share, seconds)| Point { x: share, y: Figure::from(seconds), attribution };
        let points: Vec<Point> = cell.curve().into_iter().map(point).collect();
        (!points.is_empty() && attribution == Attribution::Server).then(|| Line {
            label: cell.server.name.clone(),
            points,
            has_marks: false,
        })
    };
    let panels = Panels {
        id: format!("curve-{}", summary.workload.name),
        title: format!("Latency by percentile, {}", summary.workload.title),
        each: "server whose rate was held",
        rest: "",
        x: Axis { label: "Share of responses".into(), quantity: Quantity::Share, scale: Scale::Percentile },
        y: Axis { label: "Latency".into(), quantity: Quantity::Time, scale: Scale::Log },
    };
    panels.charts(servers.iter().filter_map(line).collect())
}

/// The servers by their 99th percentile. Those without one or without a rank come last.
fn table(source: &Source, summary: &WorkloadSummary, peaks: &[&WorkloadSummary]) -> Table {
    let percentile = |percent: u8| {
        let per_run = move |run: &Record| run.percentile(percent);
        fields::median(&format!("p{percent}"), Quantity::Time, per_run)
    };
    let p99_9 = |run: &Record| run.latency.as_ref()?.p99_9_seconds;
    let lag = |run: &Record| open_loop(run)?.lag_p99_seconds;
    let fields = [
        Some(fields::server()),
        Some(fields::median("Requests due/s", Quantity::Rate, rate).essential()),
        Some(fields::median("Answered/s", Quantity::Rate, PER_SECOND.source.per_run).optional()),
        Some(percentile(50).essential()),
        Some(percentile(90).optional()),
        Some(P99.field().with_intervals().essential()),
        source.to_baseline(P99, summary),
        Some(fields::median("p99.9", Quantity::Time, p99_9)),
        Some(fields::median("Sent late, p99", Quantity::Time, lag).optional()),
        Some(COST.field()),
        Some(fields::verdict()),
    ];
    let mut cells: Vec<&Cell> = summary.cells.iter().collect();
    let p99 = |cell: &Cell| cell.median(P99.source.per_run).unwrap_or(f64::INFINITY);
    let is_last = |cell: &Cell| cell.not_ranked().is_some();
    cells.sort_by(|a, b| is_last(a).cmp(&is_last(b)).then(p99(a).total_cmp(&p99(b))));
    let mut table = source.table(summary, ["", "Latency"], fields, cells);
    table.notes.extend(notes::cells(summary));
    table.notes.extend(without_peak(summary, peaks));
    table
}

/// A note about the servers whose rate is not a share of their peak: the run of the first
/// repetition, which finds the peak, says nothing about them.
fn without_peak(summary: &WorkloadSummary, peaks: &[&WorkloadSummary]) -> Option<String> {
    let name = summary.workload.rate.as_ref()?.peak.as_deref()?;
    let found = peaks.iter().find(|found| found.workload.name == name)?;
    let is_unknown = |server: &&str| {
        let first = found.cell(server).and_then(|cell| cell.in_repetition(1));
        first.is_some_and(|first| first.not_ranked().is_some())
    };
    let servers: Vec<&str> = summary.cells.iter().map(Cell::name).filter(is_unknown).collect();
    (!servers.is_empty()).then(|| {
        format!(
            "Not a share of the peak, since {name} says nothing about it in the first repetition: the rate of {}.",
            words::list(&servers)
        )
    })
}

/// A table of the closed loop that found the peaks.
fn peak(source: &Source, summary: &WorkloadSummary) -> Table {
    let fields = [
        Some(fields::server()),
        Some(PER_SECOND.field().with_intervals().essential()),
        Some(COST.field().with_intervals()),
        source.to_baseline(COST, summary),
        Some(fields::verdict()),
    ];
    let mut table = source.table(summary, ["", "Peak throughput"], fields, &summary.cells);
    table.notes.push(notes::reading(summary));
    table.notes.push("Rates are shares of the peak in the first repetition.".into());
    table.is_detail = true;
    table
}

fn rate(run: &Record) -> Option<f64> {
    Some(open_loop(run)?.rate_per_second)
}

fn open_loop(run: &Record) -> Option<&OpenLoopRecord> {
    run.load.as_ref()?.open_loop.as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::record::{Bound, RateRecord};
    use crate::store::results::Loaded;

    #[test]
    fn a_peak_that_says_nothing_has_no_shares() {
        let runs = |workload: &str, server: &str, bound: &dyn Fn(u32) -> Bound| {
            Record::seven(server, |run| {
                run.workload.name = workload.into();
                let (share, peak) = (Some(0.5), Some("latency-peak".into()));
                run.workload.rate =
                    (workload == "latency-50").then(|| RateRecord { share, peak, ..RateRecord::default() });
                run.set_bound(bound(run.repetition.unwrap()));
            })
        };
        let right = |_| Bound::ServerBound;
        // The bound of some repetitions, their numbers, and whether the note is expected.
        let cases: [(Bound, &[u32], bool); 5] = [
            (Bound::Invalid, &[], false),
            (Bound::Invalid, &[1, 2, 3, 4, 5, 6, 7], true),
            (Bound::Disturbed, &[1], true),
            (Bound::Disturbed, &[2, 3, 4, 5, 6, 7], false),
            (Bound::Invalid, &[4], false),
        ];
        for (bound, repetitions, is_said) in cases {
            let lost = |number| if repetitions.contains(&number) { bound } else { Bound::ServerBound };
            let records = [
                runs("latency-peak", "good", &right),
                runs("latency-peak", "lost", &lost),
                runs("latency-50", "good", &right),
                runs("latency-50", "lost", &right),
            ];
            let table = Loaded::example(records.concat()).section(section).unwrap().tables.remove(0);
            let note = table.notes.iter().find(|note| note.starts_with("Not a share"));
            let expected = "Not a share of the peak, since latency-peak says nothing about it in the first \
                            repetition: the rate of lost.";
            assert_eq!(note.map(String::as_str), is_said.then_some(expected), "{bound:?} in {repetitions:?}");
        }
    }
}
