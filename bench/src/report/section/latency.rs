//! What is the latency under load? Of open loops, whose requests are due at a rate whether or not the server keeps up.

use super::family::Question;
use super::panels::Panels;
use super::parts::{self, COST, Measure, PER_SECOND};
use super::{Source, cost, notes, speed};
use crate::analysis::summary::{Cell, WorkloadSummary};
use crate::report::chart::{Axis, Chart, Line, Mark, Point, Scale};
use crate::report::document::{Column, Figure, Importance, Quantity, Section, Table};
use crate::store::record::Record;

const P99: Measure = Measure {
    head: "p99",
    quantity: Quantity::Time,
    of: |run| run.percentile(99),
    // An open loop asks at its own pace.
    is_of_pace: false,
};

pub(super) fn section(source: &Source) -> Option<Section> {
    let loads = source.loads(Question::Latency);
    // By what a request cost in the workload that came first: the loop that found the peaks.
    let servers = parts::servers(&loads);
    let (open, peaks): (Vec<&WorkloadSummary>, Vec<&WorkloadSummary>) =
        loads.into_iter().partition(|summary| summary.workload.rate.is_some());
    let curves = open.iter().flat_map(|summary| curves(summary, &servers));
    let tables = open.iter().map(|summary| source.held(table(summary), P99, summary));
    let peak_tables = peaks.iter().map(|summary| source.held(peak(summary), COST, summary));
    (!open.is_empty()).then(|| Section {
        id: "latency",
        title: "What is the latency under load?",
        about: vec![
            "In an open loop requests are due at a rate, as visitors come. Latency counts from when a request was due, so that waiting \
             for a server that stopped is in it, and so is what the tool began late. Rates are shares of each server's own peak, so \
             that servers are compared at the same strain and not at the same rate."
                .into(),
        ],
        charts: by_rate(&open, &servers).into_iter().chain(curves).collect(),
        tables: tables.chain(peak_tables).collect(),
        facts: Vec::new(),
    })
}

/// The 99th percentile against the rate that was held.
fn by_rate(open: &[&WorkloadSummary], servers: &[&str]) -> Vec<Chart> {
    if open.len() < 2 {
        return Vec::new();
    }
    let line = |name: &str| {
        let point = |summary: &&WorkloadSummary| {
            let cell = summary.cells.iter().find(|cell| cell.server.name == name)?;
            Some(Point { x: cell.median(rate)?, y: P99.figure(cell)?, mark: P99.mark(cell) })
        };
        let mut points: Vec<Point> = open.iter().filter_map(point).collect();
        points.sort_by(|a, b| a.x.total_cmp(&b.x));
        Line { label: name.into(), points, has_marks: true }
    };
    let panels = Panels {
        id: "latency-by-rate".into(),
        title: "The 99th percentile of latency by rate".into(),
        each: "a server",
        rest: " The tables below have the figures.",
        x: Axis { label: "Requests due".into(), quantity: Quantity::Rate, scale: Scale::Log },
        y: Axis { label: "Latency, p99".into(), quantity: Quantity::Time, scale: Scale::Log },
    };
    panels.charts(servers.iter().copied().map(line).collect())
}

/// All percentiles of one workload, a line a server; nothing where the tool tells no histogram.
fn curves(summary: &WorkloadSummary, servers: &[&str]) -> Vec<Chart> {
    let line = |name: &&str| {
        let cell = summary.cells.iter().find(|cell| cell.server.name == **name)?;
        let mark = P99.mark(cell);
        let point = |(share, seconds)| Point { x: share, y: Figure { value: seconds, interval: None }, mark };
        let points: Vec<Point> = cell.curve().into_iter().map(point).collect();
        (!points.is_empty() && mark == Mark::Own).then(|| Line {
            label: cell.server.name.clone(),
            points,
            has_marks: false,
        })
    };
    let panels = Panels {
        id: format!("curve-{}", summary.workload.name),
        title: format!("Latency by percentile, {}", summary.workload.title),
        each: "a server whose rate was held",
        rest: "",
        x: Axis { label: "Share of answers".into(), quantity: Quantity::Share, scale: Scale::Percentile },
        y: Axis { label: "Latency".into(), quantity: Quantity::Time, scale: Scale::Log },
    };
    panels.charts(servers.iter().filter_map(line).collect())
}

/// The servers by their 99th percentile, those last that have none.
fn table(summary: &WorkloadSummary) -> Table {
    let percentile = |head: &str| Column::new(head, Quantity::Time);
    let columns = [
        parts::server(),
        Column::new("Due", Quantity::Rate).of(Importance::High),
        Column::new("Answered", Quantity::Rate).of(Importance::Low),
        percentile("p50").of(Importance::High),
        percentile("p90").of(Importance::Low),
        P99.column().with_intervals().of(Importance::High),
        percentile("p99.9"),
        percentile("Begun late, p99").of(Importance::Low),
        COST.column(),
        Column::new("Bound by", Quantity::Words).of(Importance::High),
    ];
    let mut table = Table::new(summary.workload.name.as_str(), parts::title(summary), columns);
    let mut cells: Vec<&Cell> = summary.cells.iter().collect();
    let p99 = |cell: &Cell| cell.median(P99.of).unwrap_or(f64::INFINITY);
    cells.sort_by(|a, b| p99(a).total_cmp(&p99(b)));
    for cell in cells {
        let percentile = |percent| cell.median(move |run: &Record| run.percentile(percent)).into();
        table.rows.push(vec![
            cell.server.name.as_str().into(),
            cell.median(rate).into(),
            cell.median(PER_SECOND.of).into(),
            percentile(50),
            percentile(90),
            P99.value(cell),
            cell.median(|run| run.latency.as_ref()?.p99_9_seconds).into(),
            cell.median(|run| run.load.as_ref()?.open_loop.as_ref()?.lag_p99_seconds).into(),
            COST.value(cell),
            speed::bound(cell),
        ]);
    }
    table.notes.extend(parts::legend(&table));
    table.notes.extend(notes::cells(summary));
    table
}

/// The closed loop that found the peaks.
fn peak(summary: &WorkloadSummary) -> Table {
    let columns = [
        parts::server(),
        PER_SECOND.column().with_intervals().of(Importance::High),
        COST.column().with_intervals(),
        Column::new("Bound by", Quantity::Words).of(Importance::High),
    ];
    let mut table = Table::new(summary.workload.name.as_str(), parts::title(summary), columns);
    for cell in &summary.cells {
        let name = cell.server.name.as_str().into();
        table.rows.push(vec![name, PER_SECOND.value(cell), COST.value(cell), speed::bound(cell)]);
    }
    table.notes.push(cost::reading(summary));
    table.notes.push("Rates are shares of what was answered in the first repetition.".into());
    table.notes.extend(parts::legend(&table));
    table.is_detail = true;
    table
}

fn rate(run: &Record) -> Option<f64> {
    Some(run.load.as_ref()?.open_loop.as_ref()?.rate_per_second)
}
