//! How do servers scale with connections and with cores?

use super::Source;
use super::family::{self, Question};
use super::matrix::Shown;
use super::metric::{COST, PER_SECOND};
use super::panels::Panels;
use crate::analysis::summary::{Cell, WorkloadSummary};
use crate::report::chart::{Axis, Chart, Line, Point, Scale};
use crate::report::document::Section;
use crate::report::value::{Figure, Quantity, Value};
use crate::store::record::WorkloadRecord;
use crate::text::numbers::{self, as_f64};

/// The quantity that grows from workload to workload.
struct Step {
    /// The label of the axis.
    label: &'static str,
    of: fn(&WorkloadRecord) -> f64,
}

const CONNECTIONS: Step = Step { label: "Connections", of: |workload| f64::from(workload.connections) };
const CORES: Step = Step { label: "Cores of the server", of: server_cores };

pub(super) fn by_connections(source: &Source) -> Option<Section> {
    let section = Section::new(
        "scaling",
        "How does it scale with connections?",
        "The same load over more and more connections. A request costs less if one system call reports many \
         of them as ready, and more if the server has to find each of them among thousands.",
    );
    let shown = [
        COST.shown("scaling-cost", "CPU time per request by connections"),
        PER_SECOND.shown("scaling-speed", "Requests per second by connections"),
    ];
    CONNECTIONS.answer(section, &CONNECTIONS.sorted(source, Question::Connections), &shown)
}

pub(super) fn by_cores(source: &Source) -> Option<Section> {
    let section = Section::new(
        "cores",
        "How does it scale with cores?",
        "The same load on more and more cores of the server, while the load tool has the rest. Efficiency is \
         requests/s per core, as a share of that on the fewest cores. Where it falls and CPU time per request \
         rises, cores are in each other's way; where it falls alone, they wait, or the load tool was at its \
         limit.",
    );
    let members = CORES.sorted(source, Question::Cores);
    let first = members.first().copied();
    let efficiency = Shown {
        id: "cores-efficiency",
        title: "Efficiency by cores",
        label: "Efficiency",
        quantity: Quantity::Share,
        value: Box::new(move |cell| efficiency(cell, first)),
    };
    let shown = [
        PER_SECOND.shown("cores-speed", "Requests per second by cores"),
        efficiency,
        COST.shown("cores-cost", "CPU time per request by cores"),
    ];
    CORES.answer(section, &members, &shown)
}

/// The throughput per core, as a share of the throughput per core on the fewest cores.
fn efficiency(cell: &Cell, first: Option<&WorkloadSummary>) -> Value {
    let ratio = || {
        let first = first?.cell(cell.name())?;
        let cores = |cell: &Cell| Some(server_cores(&cell.runs.first()?.workload));
        let times = cores(cell)? / cores(first)?;
        let ratio = PER_SECOND.ratio(cell, first);
        let figure = ratio.figure()?;
        let share = Figure {
            value: figure.value / times,
            interval: figure.interval.map(|ends| ends.map(|end| end / times)),
        };
        Some(Value::attributed(Some(share), ratio.attribution()))
    };
    ratio().into()
}

fn server_cores(workload: &WorkloadRecord) -> f64 {
    as_f64(workload.server_cores.unwrap_or_default() as u64)
}

impl Step {
    fn sorted<'a>(&self, source: &Source<'a>, question: Question) -> Vec<&'a WorkloadSummary<'a>> {
        let mut members = source.loads(question);
        members.sort_by(|a, b| (self.of)(a.workload).total_cmp(&(self.of)(b.workload)));
        members
    }

    fn answer(&self, section: Section, members: &[&WorkloadSummary], shown: &[Shown]) -> Option<Section> {
        if members.is_empty() {
            return None;
        }
        let header = |summary: &WorkloadSummary| numbers::whole((self.of)(summary.workload));
        // A single step makes no line, and its efficiency is 1.
        let is_scaled = members.len() > 1;
        let tables = shown.iter().filter(|shown| is_scaled || shown.quantity != Quantity::Share);
        section.with(
            shown.iter().filter(|_| is_scaled).flat_map(|shown| self.charts(shown, members)),
            tables.map(|shown| shown.matrix(members, header)),
        )
    }

    /// One line per server, one point per workload.
    fn charts(&self, shown: &Shown, members: &[&WorkloadSummary]) -> Vec<Chart> {
        let line = |server: &str| {
            let point = |summary: &&WorkloadSummary| {
                let value = (shown.value)(summary.cell(server)?);
                Some(Point {
                    x: (self.of)(summary.workload),
                    y: value.figure()?,
                    attribution: value.attribution(),
                })
            };
            Line { label: server.into(), points: members.iter().filter_map(point).collect(), has_marks: true }
        };
        let scale = if shown.quantity == Quantity::Share { Scale::Linear } else { Scale::Log };
        let panels = Panels {
            id: shown.id.into(),
            title: shown.title.into(),
            each: "server",
            rest: " The table below has the figures.",
            x: Axis { label: self.label.into(), quantity: Quantity::Count, scale: Scale::Log },
            y: Axis { label: shown.label.into(), quantity: shown.quantity, scale },
        };
        panels.charts(family::servers(members).into_iter().map(line).collect())
    }
}
