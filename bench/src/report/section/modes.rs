//! What does a connection cost? Kept open, closed after each request, or with pipelined requests.

use super::family::Question;
use super::metric::{COST, PER_SECOND};
use super::{Source, fields};
use crate::analysis::summary::{Cell, WorkloadSummary};
use crate::report::chart::Chart;
use crate::report::document::{Section, Table};
use crate::report::field::Field;
use crate::report::value::Quantity;

pub(super) fn section(source: &Source) -> Option<Section> {
    let members = source.loads(Question::Mode);
    let mode = |summary: &WorkloadSummary| summary.workload.mode.clone().unwrap_or_default();
    let chart = |summary: &&WorkloadSummary| -> Chart {
        let id = format!("modes-{}", summary.workload.name);
        let mut bars = COST.bars(summary);
        bars.bars.extend(COST.floor_bar(summary));
        Chart::from_bars(id, format!("CPU time per request, {}", mode(summary)), bars)
    };
    let section = Section::new(
        "modes",
        "Kept open, closed, pipelined: what does a connection cost?",
        "With keep-alive one connection carries many requests. In mode close each request has a connection of \
         its own, which is mostly the kernel's work. Pipelined, many requests arrive in one write, so that \
         little but the server's own code is left.",
    );
    if members.is_empty() {
        return None;
    }
    let tables = [
        Some(COST.shown("modes-cost", "CPU time per request by use of connections").matrix(&members, mode)),
        per_connection(&members),
        Some(
            PER_SECOND
                .shown("modes-speed", "Requests per second by use of connections")
                .matrix(&members, mode),
        ),
    ];
    section.with(members.iter().map(chart), tables.into_iter().flatten())
}

/// What a connection costs, and a request on one: by the workloads with the fewest and the most requests
/// per connection, of which each request has its part of a connection. `None` where there are not two.
fn per_connection(members: &[&WorkloadSummary]) -> Option<Table> {
    let each = |summary: &WorkloadSummary| {
        summary.with_floor().find_map(|cell| cell.runs.first()?.requests_per_connection())
    };
    let mut closing: Vec<(f64, &WorkloadSummary)> =
        members.iter().filter_map(|member| Some((each(member)?, *member))).collect();
    closing.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let [(fewest, short), .., (most, long)] = closing[..] else { return None };
    let cost = |summary: &WorkloadSummary, cell: &Cell| {
        let cell = summary.cell(cell.name()).filter(|cell| cell.not_ranked().is_none())?;
        cell.median(COST.source.of_run)
    };
    let connection =
        move |cell: &Cell| Some((cost(short, cell)? - cost(long, cell)?) / (fewest.recip() - most.recip()));
    let request = move |cell: &Cell| Some(cost(long, cell)? - connection(cell)? / most);
    let fields = [
        fields::server(),
        Field::new("CPU/connection", Quantity::Time, connection).essential(),
        Field::new("CPU/request on it", Quantity::Time, request).essential(),
    ];
    let title = format!("What a connection costs, by {fewest} and {most} requests per connection");
    Table::from_fields("modes-connection", title, fields, short.with_floor()).with_rows()
}
