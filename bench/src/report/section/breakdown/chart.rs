//! One bar per server in its parts, and a stroke at what was measured.

use super::{PARTS, Part, UNEXPLAINED, rest};
use crate::analysis::explain::{Breakdown, ServerBreakdown};
use crate::report::chart::{self, Bar, Bars, Chart, Plot};
use crate::report::section::metric::COST;
use crate::report::section::words;
use crate::text::numbers;

pub(super) fn chart(breakdown: &Breakdown) -> Chart {
    let summary = breakdown.summary;
    let title =
        format!("CPU time per request with {}, in parts", words::connections(summary.workload.connections));
    let part = |part: &Part| chart::Part { label: part.label.into(), is_rest: part.label == UNEXPLAINED };
    let rows = || std::iter::once(&breakdown.floor).chain(&breakdown.servers);
    let bars = Bars {
        parts: PARTS.iter().map(part).collect(),
        ..Bars::new(COST.header, COST.quantity, rows().map(bar))
    };
    Chart {
        id: format!("breakdown-{}", summary.workload.name),
        description: format!("{title}: {}.", rows().map(described).collect::<Vec<_>>().join(", ")),
        title,
        plot: Plot::Bars(bars),
    }
}

fn bar(server: &ServerBreakdown) -> Bar {
    let attribution = COST.attribution(server.cell);
    let limit = Some(words::limit(server.cell, attribution)).filter(|limit| !limit.is_empty());
    let note = limit.into_iter().chain(rest(server)).collect::<Vec<_>>().join(", ");
    let pieces = PARTS.iter().map(|part| (part.seconds)(server)).collect();
    let label = words::label(server.cell.server);
    Bar { pieces, ..Bar::new(&label, COST.figure(server.cell), attribution, note) }
}

/// The server's CPU time per request in words, with each of its parts.
fn described(server: &ServerBreakdown) -> String {
    let known = PARTS.iter().filter_map(|part| {
        let seconds = (part.seconds)(server)?;
        Some(format!("{} {}", part.label.to_lowercase(), numbers::duration(seconds)))
    });
    let whole = format!("{} {}", words::label(server.cell.server), numbers::duration(server.seconds));
    if server.cell.server.is_floor {
        return whole;
    }
    format!("{whole} ({})", known.collect::<Vec<_>>().join(", "))
}
