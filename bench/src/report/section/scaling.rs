//! How does it scale with connections?

use super::Source;
use super::family::Question;
use super::panels::Panels;
use super::parts::{self, COST, Measure, PER_SECOND};
use crate::analysis::summary::WorkloadSummary;
use crate::report::chart::{Axis, Chart, Line, Point, Scale};
use crate::report::document::{Quantity, Section};
use crate::text::numbers;

pub(super) fn section(source: &Source) -> Option<Section> {
    let mut members = source.loads(Question::Connections);
    members.sort_by_key(|summary| summary.workload.connections);
    let head = |summary: &WorkloadSummary| numbers::whole(f64::from(summary.workload.connections));
    (!members.is_empty()).then(|| Section {
        id: "scaling",
        title: "How does it scale with connections?",
        about: vec![
            "The same load over more and more connections. A request costs less where one system call finds many of them ready, and more \
             where each of them has to be found among thousands."
                .into(),
        ],
        charts: [
            charts("scaling-cost", "CPU time a request by connections", COST, &members),
            charts("scaling-speed", "Requests a second by connections", PER_SECOND, &members),
        ]
        .concat(),
        tables: vec![
            COST.matrix("scaling-cost", "CPU time a request by connections", &members, head),
            PER_SECOND.matrix("scaling-speed", "Requests a second by connections", &members, head),
        ],
        facts: Vec::new(),
    })
}

/// A line a server, a point a workload.
fn charts(id: &str, title: &str, measure: Measure, members: &[&WorkloadSummary]) -> Vec<Chart> {
    let line = |name: &str| {
        let point = |summary: &&WorkloadSummary| {
            let cell = summary.cells.iter().find(|cell| cell.server.name == name)?;
            let x = f64::from(summary.workload.connections);
            Some(Point { x, y: measure.figure(cell)?, mark: measure.mark(cell) })
        };
        Line { label: name.into(), points: members.iter().filter_map(point).collect(), has_marks: true }
    };
    let panels = Panels {
        id: id.into(),
        title: title.into(),
        each: "a server",
        rest: " The table below has the figures.",
        x: Axis { label: "Connections".into(), quantity: Quantity::Count, scale: Scale::Log },
        y: Axis { label: measure.head.into(), quantity: measure.quantity, scale: Scale::Log },
    };
    panels.charts(parts::servers(members).into_iter().map(line).collect())
}
