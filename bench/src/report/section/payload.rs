//! Does size change the ranking? Longer answers, and heads as real clients send them.

use super::family::Question;
use super::metric::{COST, cost};
use super::words::short;
use super::{Source, best_by};
use crate::analysis::summary::{Cell, WorkloadSummary};
use crate::report::chart::Chart;
use crate::report::document::{Section, Table};
use crate::report::field::Field;
use crate::report::value::Quantity;
use crate::text::numbers::as_f64;

pub(super) fn section(source: &Source) -> Option<Section> {
    let members = source.loads(Question::Payload);
    if members.is_empty() {
        return None;
    }
    let chart = |summary: &&WorkloadSummary| -> Chart {
        let mut bars = COST.bars(summary);
        bars.bars.extend(COST.floor_bar(summary));
        let title = format!("CPU time per request, {}", summary.workload.title);
        Chart::from_bars(format!("payload-{}", summary.workload.name), title, bars)
    };
    let section = Section::new(
        "payload",
        "Does size change the ranking?",
        "Answers of 40 bytes to 7.5 KiB, since the endpoint repeats the path, and heads as curl, browsers and proxies send \
         them. What a KiB costs is the difference to the bare request, divided by how much longer the answer or \
         the head is; a longer answer has a longer request, which has the path too.",
    );
    let matrix = COST.shown("payload-cost", "CPU time per request by payload").matrix(&members, short);
    let largest = members.iter().max_by_key(|member| member.workload.path.len()).map(chart);
    section.with(largest, [Some(matrix), per_kibibyte(&members)].into_iter().flatten())
}

/// Which server is the cheapest with which payload.
pub(super) fn sentence(members: &[&WorkloadSummary]) -> Option<String> {
    let best = best_by(members, |summary| format!("with {}", short(summary)));
    (!best.is_empty()).then(|| format!("Cheapest by payload: {best}."))
}

/// What a KiB of answer and of head costs each server.
fn per_kibibyte(members: &[&WorkloadSummary]) -> Option<Table> {
    let path = |summary: &WorkloadSummary| as_f64(summary.workload.path.len() as u64);
    let head = |summary: &WorkloadSummary| {
        let bytes: usize = summary.workload.headers.iter().map(|field| field.len() + 2).sum();
        as_f64(bytes as u64)
    };
    let most = |bytes: &dyn Fn(&WorkloadSummary) -> f64| {
        members.iter().max_by(|a, b| bytes(a).total_cmp(&bytes(b))).copied()
    };
    let bare = members.iter().find(|member| member.workload.headers.is_empty())?;
    let (longest, fullest) = (most(&path)?, most(&head)?);
    let slope = move |large: &WorkloadSummary, bytes: f64, cell: &Cell| {
        let more = cost(large, cell)? - cost(bare, cell)?;
        (bytes > 0.0).then(|| more / (bytes / 1024.0))
    };
    let (answer, fields) = (path(longest) - path(bare), head(fullest));
    let fields = [
        super::fields::server(),
        Field::new("CPU/KiB of answer", Quantity::Time, move |cell: &Cell| slope(longest, answer, cell))
            .essential(),
        Field::new("CPU/KiB of head", Quantity::Time, move |cell: &Cell| slope(fullest, fields, cell))
            .essential(),
    ];
    Table::from_fields("payload-kib", "CPU time per KiB", fields, bare.with_floor()).with_rows()
}
