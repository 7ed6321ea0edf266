//! What does a connection cost? Kept, closed after each request, or carrying several at a time.

use super::Source;
use super::family::Question;
use super::parts::{self, COST, PER_SECOND};
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
        parts::bars_chart(id, format!("CPU time a request, {}", mode(summary)), bars)
    };
    (!members.is_empty()).then(|| Section {
        id: "modes",
        title: "Kept, closed, pipelined: what does a connection cost?",
        about: vec![
            "With keep-alive a connection is used again and again; in mode close each request has one of its own, which is mostly the \
             kernel's work; pipelined, many requests come in one write, so that little but the server's own code is left."
                .into(),
        ],
        charts: members.iter().map(chart).collect(),
        tables: vec![
            COST.matrix("modes-cost", "CPU time a request by what a connection is used for", &members, mode),
            PER_SECOND.matrix("modes-speed", "Requests a second by what a connection is used for", &members, mode),
        ],
        facts: Vec::new(),
    })
}
