//! The metrics of a run: what each is called, what it measures, and whose figure it is in a cell.

use super::words;
use crate::analysis::summary::{Cell, RunFigure, WorkloadSummary};
use crate::report::chart::{Bar, Bars, Line, Point};
use crate::report::field::Field;
use crate::report::value::{Attribution, Figure, Quantity, Value};
use crate::store::record::{Bound, Record, TaskRecord};
use crate::text::numbers::as_f64;

/// A figure of a run, with its name.
#[derive(Clone, Copy)]
pub(in crate::report) struct Metric {
    pub(in crate::report) header: &'static str,
    pub(in crate::report) quantity: Quantity,
    pub(super) source: RunFigure,
    /// Whether the load tool can limit it. It limits throughput, but not CPU time per request.
    is_limited_by_tool: bool,
}

pub(super) const COST: Metric = Metric::new("CPU/request", Quantity::Time, RunFigure::COST);
pub(super) const PER_SECOND: Metric =
    Metric { is_limited_by_tool: true, ..Metric::new("Requests", Quantity::Rate, RunFigure::THROUGHPUT) };
pub(super) const FIRST_ANSWER: Metric =
    Metric::new("First response", Quantity::Time, RunFigure::FIRST_ANSWER);
pub(super) const MEMORY_PER_CONNECTION: Metric =
    Metric::new("Memory/connection", Quantity::Memory, RunFigure::MEMORY);
pub(super) const AT_REST: Metric =
    Metric::whole("Before", Quantity::Memory, |run| Some(as_f64(run.memory?.at_rest_bytes?)));
pub(super) const AFTER: Metric =
    Metric::whole("After", Quantity::Memory, |run| Some(as_f64(run.memory?.after_bytes?)));
/// The server's CPU time per second with silent connections.
pub(super) const IDLE: Metric = Metric::new("CPU/second", Quantity::Time, RunFigure::IDLE);
pub(super) const MEAN: Metric =
    Metric::whole("Mean", Quantity::Time, |run| run.latency.as_ref()?.mean_seconds);
/// The 99th percentile of latency in an open loop, which sends at its own rate.
pub(super) const P99: Metric = Metric::whole("p99", Quantity::Time, |run| run.percentile(99));

/// The metric by which a workload's servers are ranked.
pub(in crate::report) fn leading_metric(summary: &WorkloadSummary) -> Metric {
    match summary.workload.task {
        TaskRecord::Load => COST,
        TaskRecord::Start => FIRST_ANSWER,
        TaskRecord::Hold => MEMORY_PER_CONNECTION,
        TaskRecord::Idle => IDLE,
    }
}

/// The CPU time per request of the cell's server under `summary`, if it is ranked there.
pub(super) fn cost(summary: &WorkloadSummary, cell: &Cell) -> Option<f64> {
    let cell = summary.cell(cell.name()).filter(|cell| cell.not_ranked().is_none())?;
    cell.median(COST.source.per_run)
}

/// The noise floor, where there are enough repetitions to know it.
pub(in crate::report) fn noise(summary: &WorkloadSummary) -> Option<f64> {
    let (_, ratio) = summary.control(summary.leading())?;
    summary.noise().filter(|_| ratio.is_enough())
}

impl Metric {
    const fn new(header: &'static str, quantity: Quantity, source: RunFigure) -> Self {
        Self { header, quantity, source, is_limited_by_tool: false }
    }

    /// A metric of whole runs, which slices do not have.
    const fn whole(header: &'static str, quantity: Quantity, per_run: fn(&Record) -> Option<f64>) -> Self {
        Self::new(header, quantity, RunFigure::whole(per_run))
    }

    pub(super) fn field<'a>(self) -> Field<'a, Cell<'a>> {
        Field::new(self.column_header(), self.quantity, move |cell| self.value(cell))
    }

    /// `CPU/request`; `Requests/s` for a rate.
    pub(super) fn column_header(self) -> String {
        if self.quantity == Quantity::Rate { format!("{}/s", self.header) } else { self.header.into() }
    }

    /// The ratio to another cell, paired by repetition; absent if either cell is not ranked.
    pub(super) fn ratio(self, cell: &Cell, other: &Cell) -> Value {
        let attribution = match self.attribution(cell) {
            Attribution::Server => self.attribution(other),
            attribution => attribution,
        };
        Value::attributed(cell.ratio_to(other, self.source).map(Figure::from), attribution)
    }

    /// The median and interval in a cell.
    pub(in crate::report) fn figure(self, cell: &Cell) -> Option<Figure> {
        cell.estimate(self.source.per_run).map(Figure::from)
    }

    /// The median and interval in a cell with their attribution, as a table's value.
    pub(in crate::report) fn value(self, cell: &Cell) -> Value {
        Value::attributed(self.figure(cell), self.attribution(cell))
    }

    /// The median in a cell without its interval, with its attribution.
    pub(super) fn median(self, cell: &Cell) -> Value {
        Value::attributed(cell.median(self.source.per_run).map(Figure::from), self.attribution(cell))
    }

    pub(in crate::report) fn attribution(self, cell: &Cell) -> Attribution {
        self.attribution_under(cell.bound())
    }

    pub(super) fn attribution_of_run(self, run: &Record) -> Attribution {
        self.attribution_under(run.verdict.as_ref().map(|verdict| verdict.bound))
    }

    fn attribution_under(self, bound: Option<Bound>) -> Attribution {
        match bound {
            Some(Bound::Invalid | Bound::Disturbed) => Attribution::Invalid,
            Some(Bound::ClientBound | Bound::NetworkBound) if self.is_limited_by_tool => Attribution::Tool,
            _ => Attribution::Server,
        }
    }

    /// A server's figures under several workloads, each with its place on the horizontal axis.
    pub(in crate::report) fn line<'s>(
        self,
        server: &str,
        members: impl Iterator<Item = (f64, &'s WorkloadSummary<'s>)>,
    ) -> Line {
        let point = |(x, summary): (f64, &WorkloadSummary)| {
            let cell = summary.cell(server)?;
            Some(Point { x, y: self.figure(cell)?, attribution: self.attribution(cell) })
        };
        Line { label: server.into(), points: members.filter_map(point).collect(), has_marks: true }
    }

    /// One bar per server, in the workload's own order.
    pub(super) fn bars(self, summary: &WorkloadSummary) -> Bars {
        Bars::new(self.header, self.quantity, summary.cells.iter().map(|cell| self.bar(cell)))
    }

    /// The bar of the floor, where it was run, to be drawn below the servers' bars.
    pub(super) fn floor_bar(self, summary: &WorkloadSummary) -> Option<Bar> {
        let bar = self.bar(summary.floor.as_ref()?);
        let attribution = match bar.attribution {
            Attribution::Server => Attribution::Reference,
            attribution => attribution,
        };
        Some(Bar { attribution, ..bar })
    }

    fn bar(self, cell: &Cell) -> Bar {
        let attribution = self.attribution(cell);
        Bar::new(&words::label(cell.server), self.figure(cell), attribution, words::limit(cell, attribution))
    }
}
