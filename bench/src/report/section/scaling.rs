//! How does it scale with connections?

use super::Source;
use super::family::{self, Question};
use super::metric::{COST, Metric, PER_SECOND};
use super::panels::Panels;
use crate::analysis::summary::WorkloadSummary;
use crate::report::chart::{Axis, Chart, Scale};
use crate::report::document::Section;
use crate::report::value::Quantity;
use crate::text::numbers;

pub(super) fn section(source: &Source) -> Option<Section> {
    let mut members = source.loads(Question::Connections);
    members.sort_by_key(|summary| summary.workload.connections);
    let header = |summary: &WorkloadSummary| numbers::whole(f64::from(summary.workload.connections));
    let section = Section::new(
        "scaling",
        "How does it scale with connections?",
        "The same load over more and more connections. A request costs less if one system call reports many \
         of them as ready, and more if the server has to find each of them among thousands.",
    );
    if members.is_empty() {
        return None;
    }
    let metrics = [
        ("scaling-cost", "CPU time per request by connections", COST),
        ("scaling-speed", "Requests per second by connections", PER_SECOND),
    ];
    section.with(
        metrics.iter().flat_map(|(id, title, metric)| charts(id, title, *metric, &members)),
        metrics.iter().map(|(id, title, metric)| metric.matrix(id, title, &members, header)),
    )
}

/// One line per server, one point per workload.
fn charts(id: &str, title: &str, metric: Metric, members: &[&WorkloadSummary]) -> Vec<Chart> {
    let places = || members.iter().map(|summary| (f64::from(summary.workload.connections), *summary));
    let line = |name| metric.line(name, places());
    let panels = Panels {
        id: id.into(),
        title: title.into(),
        each: "server",
        rest: " The table below has the figures.",
        x: Axis { label: "Connections".into(), quantity: Quantity::Count, scale: Scale::Log },
        y: Axis { label: metric.header.into(), quantity: metric.quantity, scale: Scale::Log },
    };
    panels.charts(family::servers(members).into_iter().map(line).collect())
}
