//! What is the latency under load? In open loops, where requests are due at a fixed rate.

use super::family::{self, Question};
use super::metric::{COST, P99, PER_SECOND};
use super::panels::Panels;
use super::{Source, fields, notes};
use crate::analysis::summary::{Cell, WorkloadSummary};
use crate::report::chart::{Axis, Chart, Line, Point, Scale};
use crate::report::document::{Section, Table};
use crate::report::value::{Attribution, Figure, Quantity};
use crate::store::record::{OpenLoopRecord, Record};

pub(super) fn section(source: &Source) -> Option<Section> {
    let loads = source.loads(Question::Latency);
    // By cost in the workload that came first: the loop that found the peaks.
    let servers = family::servers(&loads);
    let (open, peaks): (Vec<&WorkloadSummary>, Vec<&WorkloadSummary>) =
        loads.into_iter().partition(|summary| summary.workload.rate.is_some());
    if open.is_empty() {
        return None;
    }
    let curves = open.iter().flat_map(|summary| curves(summary, &servers));
    let tables = open.iter().map(|summary| table(source, summary));
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

/// The 99th percentile by the rate.
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

/// All percentiles under one workload, a line per server; none where a tool has no histogram.
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

/// The servers by their 99th percentile, and last those without one and those that are not ranked.
fn table(source: &Source, summary: &WorkloadSummary) -> Table {
    let percentile = |percent: u8| {
        let of_run = move |run: &Record| run.percentile(percent);
        fields::median(&format!("p{percent}"), Quantity::Time, of_run)
    };
    let p99_9 = |run: &Record| run.latency.as_ref()?.p99_9_seconds;
    let lag = |run: &Record| open_loop(run)?.lag_p99_seconds;
    let fields = [
        Some(fields::server()),
        Some(fields::median("Requests due/s", Quantity::Rate, rate).essential()),
        Some(fields::median("Answered/s", Quantity::Rate, PER_SECOND.source.of_run).optional()),
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
    let p99 = |cell: &Cell| cell.median(P99.source.of_run).unwrap_or(f64::INFINITY);
    let is_last = |cell: &Cell| cell.not_ranked().is_some();
    cells.sort_by(|a, b| is_last(a).cmp(&is_last(b)).then(p99(a).total_cmp(&p99(b))));
    let mut table = source.table(summary, ["", "Latency"], fields, cells);
    table.notes.extend(notes::cells(summary));
    table
}

/// The closed loop that found the peaks.
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
