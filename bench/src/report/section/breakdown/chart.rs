//! One bar per server in its parts, and a stroke at what was measured.

use super::{PARTS, Part, UNEXPLAINED, name, rest};
use crate::analysis::explain::{Breakdown, Cost, ServerBreakdown};
use crate::report::chart::{self, Chart, Plot, Stack, StackedBar};
use crate::report::section::metric::COST;
use crate::report::section::words;
use crate::report::value::{Attribution, Figure};
use crate::text::numbers;

pub(super) fn chart(breakdown: &Breakdown) -> Chart {
    let summary = breakdown.summary;
    let title =
        format!("CPU time per request with {}, in parts", words::connections(summary.workload.connections));
    let floor = &breakdown.floor;
    let floor = bar(floor, words::label(floor.cell.server), vec![Some(floor.seconds)], None);
    let of_server = |server: &ServerBreakdown| {
        let pieces = PARTS.iter().map(|part| (part.seconds)(server)).collect();
        bar(&server.cost, name(server).to_owned(), pieces, rest(server))
    };
    let part = |part: &Part| chart::Part { label: part.label.into(), is_rest: part.label == UNEXPLAINED };
    Chart {
        id: format!("breakdown-{}", summary.workload.name),
        description: description(&title, breakdown),
        title,
        plot: Plot::Stack(Stack {
            label: COST.header.into(),
            quantity: COST.quantity,
            parts: PARTS.iter().map(part).collect(),
            bars: std::iter::once(floor).chain(breakdown.servers.iter().map(of_server)).collect(),
        }),
    }
}

fn bar(cost: &Cost, label: String, pieces: Vec<Option<f64>>, rest: Option<String>) -> StackedBar {
    let bound = cost.cell.bound().filter(|_| COST.attribution(cost.cell) != Attribution::Server);
    let notes: Vec<String> = bound.map(|bound| bound.to_string()).into_iter().chain(rest).collect();
    let whole = COST.figure(cost.cell).unwrap_or_else(|| Figure::from(cost.seconds));
    StackedBar { label, whole, pieces, note: notes.join(", ") }
}

/// Every figure of the chart in words.
fn description(title: &str, breakdown: &Breakdown) -> String {
    let of_server = |server: &ServerBreakdown| {
        let known = PARTS.iter().filter_map(|part| {
            let seconds = (part.seconds)(server)?;
            Some(format!("{} {}", part.label.to_lowercase(), numbers::duration(seconds)))
        });
        let all = numbers::duration(server.cost.seconds);
        format!("{} {all} ({})", name(server), known.collect::<Vec<_>>().join(", "))
    };
    let servers: Vec<String> = breakdown.servers.iter().map(of_server).collect();
    let floor = &breakdown.floor;
    let seconds = numbers::duration(floor.seconds);
    format!("{title}: {} {seconds}, {}.", words::label(floor.cell.server), servers.join(", "))
}
