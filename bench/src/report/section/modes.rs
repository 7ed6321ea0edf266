//! What does a connection cost? Compares connections kept, closed after each request, or pipelined.

use super::family::Question;
use super::metric::{COST, PER_SECOND, cost};
use super::{Source, fields, figures};
use crate::analysis::summary::{Cell, WorkloadSummary};
use crate::report::chart::Chart;
use crate::report::document::{Section, Table};
use crate::report::field::Field;
use crate::report::value::Quantity;
use crate::text::numbers;

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

/// A sentence with each server's CPU time per connection, the cheapest first.
pub(super) fn sentence(members: &[&WorkloadSummary]) -> Option<String> {
    let ends = Ends::find(members)?;
    let of_cell = |cell: &Cell| Some((cell.name().to_owned(), ends.connection(cell)?));
    let mut costs: Vec<(String, f64)> = ends.short.cells.iter().filter_map(of_cell).collect();
    costs.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    let shown: Vec<(&str, String)> =
        costs.iter().map(|(name, seconds)| (name.as_str(), numbers::duration(*seconds))).collect();
    (!shown.is_empty()).then(|| format!("CPU time per connection: {}.", figures(&shown)))
}

/// The workloads that close connections after the fewest and after the most requests: they differ
/// in the share of a connection's cost that each request has.
#[derive(Clone, Copy)]
struct Ends<'s, 'a> {
    fewest: f64,
    short: &'s WorkloadSummary<'a>,
    most: f64,
    long: &'s WorkloadSummary<'a>,
}

impl<'s, 'a> Ends<'s, 'a> {
    /// Returns `None` if fewer than two workloads close connections.
    fn find(members: &[&'s WorkloadSummary<'a>]) -> Option<Self> {
        let each = |summary: &WorkloadSummary| {
            summary.with_floor().find_map(|cell| cell.runs.first()?.requests_per_connection())
        };
        let mut closing: Vec<(f64, &WorkloadSummary)> =
            members.iter().filter_map(|member| Some((each(member)?, *member))).collect();
        closing.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let [(fewest, short), .., (most, long)] = closing[..] else { return None };
        Some(Self { fewest, short, most, long })
    }

    fn connection(&self, cell: &Cell) -> Option<f64> {
        let per_connection = self.fewest.recip() - self.most.recip();
        Some((cost(self.short, cell)? - cost(self.long, cell)?) / per_connection)
    }

    fn request(&self, cell: &Cell) -> Option<f64> {
        Some(cost(self.long, cell)? - self.connection(cell)? / self.most)
    }
}

/// A table of the costs of a connection and of a request on it.
fn per_connection(members: &[&WorkloadSummary]) -> Option<Table> {
    let ends = Ends::find(members)?;
    let fields = [
        fields::server(),
        Field::new("CPU/connection", Quantity::Time, move |cell: &Cell| ends.connection(cell)).essential(),
        Field::new("CPU/request on it", Quantity::Time, move |cell: &Cell| ends.request(cell)).essential(),
    ];
    let title =
        format!("What a connection costs, by {} and {} requests per connection", ends.fewest, ends.most);
    Table::from_fields("modes-connection", title, fields, ends.short.with_floor()).with_rows()
}
