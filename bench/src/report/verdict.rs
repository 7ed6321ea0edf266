//! The article's verdict: how many times faster than its slower program is each server?

use std::fmt::Write;

use super::figures;
use crate::record::{Bound, PublishedRecord, Record};
use crate::statistics::Estimate;
use crate::summary::{Cell, WorkloadSummary};
use crate::verdict::{self, Verdict};

/// A line a server, and the published ratio beside the one measured here.
pub(super) fn text(summary: &WorkloadSummary, published: &PublishedRecord) -> String {
    let connections = summary.workload.connections;
    let plural = if connections == 1 { "" } else { "s" };
    let mut out = format!("Verdict with {connections} connection{plural}\n");
    let named = |name: &str| {
        summary
            .cells
            .iter()
            .find(|cell| cell.server.article.as_deref() == Some(name) && cell.measured().count() > 0)
    };
    let Some(baseline) = named(&published.baseline) else {
        let _ = writeln!(out, "  none: the article's {} program has no figures here", published.baseline);
        return out;
    };
    if let Some(Verdict { bound: Bound::Invalid, reason: Some(why) }) = verdict::of_cell(baseline) {
        let _ = writeln!(out, "  with reserve: of the {} program's runs, {why}", published.baseline);
    }
    let is_other = |cell: &&Cell| cell.server.name != baseline.server.name && cell.measured().count() > 0;
    let mut others = summary.cells.iter().filter(is_other).peekable();
    if others.peek().is_none() {
        let _ = writeln!(
            out,
            "  none: there is no other server to compare the {} program with",
            published.baseline
        );
    }
    for cell in others {
        let _ = writeln!(out, "  {}", line(cell, baseline, &published.baseline));
    }
    if let Some(contender) = named(&published.contender) {
        let here =
            speed(contender, baseline).map_or_else(|| "unknown".into(), |ratio| figures::ratio(ratio.median));
        let _ = writeln!(
            out,
            "  {} : {} is {here} here, {} in the article, which ran each once on another machine",
            published.contender,
            published.baseline,
            figures::ratio(published.ratio),
        );
    }
    out
}

fn line(cell: &Cell, baseline: &Cell, name: &str) -> String {
    let server = format!("{} ({})", cell.server.name, cell.server.language);
    let Some(ratio) = speed(cell, baseline) else {
        return format!("{server} cannot be compared with {name}: no repetition has figures of both");
    };
    let mut out = format!("{server:<22} is {:>6} faster than {name}", figures::ratio(ratio.median));
    let cheaper = baseline.ratio_to(cell, Record::cpu_per_request);
    if let Some(cheaper) = cheaper {
        let _ = write!(out, ", and takes {:>6} less CPU time a request", figures::ratio(cheaper.median));
    }
    match verdict::of_cell(cell) {
        Some(Verdict { bound: Bound::ClientBound, .. }) => {
            out.push_str("  (the tool's speed, not the server's)");
        }
        Some(Verdict { bound: Bound::Invalid, reason: Some(why) }) => {
            let _ = write!(out, "  (invalid: {why})");
        }
        _ => {}
    }
    out
}

fn speed(cell: &Cell, baseline: &Cell) -> Option<Estimate> {
    cell.ratio_to(baseline, Record::per_second)
}
