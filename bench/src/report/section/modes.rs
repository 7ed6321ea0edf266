//! What does a connection cost? Kept open, closed after each request, or with pipelined requests.

use super::Source;
use super::family::Question;
use super::metric::{COST, PER_SECOND};
use crate::analysis::summary::WorkloadSummary;
use crate::report::chart::Chart;
use crate::report::document::Section;

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
        COST.shown("modes-cost", "CPU time per request by use of connections").matrix(&members, mode),
        PER_SECOND.shown("modes-speed", "Requests per second by use of connections").matrix(&members, mode),
    ];
    section.with(members.iter().map(chart), tables)
}
