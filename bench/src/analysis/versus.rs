//! Two states of servers that were measured in one session: did the change help?
//!
//! The servers of both stand side by side, so that a ratio is paired by slice, or by repetition. A state's
//! servers have its suffix in their names, and the duplicate is that of a server of the first one.

use super::compare::{FigureKind, Judgement, judged};
use super::statistics::{ENOUGH, Estimate};
use super::summary::{Cell, WorkloadSummary};
use crate::store::record::WorkloadRecord;
use crate::text::numbers::as_f64;

/// What the names of servers end with: those of the state that is compared with, and of the other.
pub const SUFFIXES: [&str; 2] = ["-base", "-head"];

/// The difference for which the number of repetitions is said.
pub const SMALL: f64 = 0.02;

/// A server in both states under one workload.
#[derive(Debug)]
pub struct Versus<'a> {
    /// The workload.
    pub workload: &'a WorkloadRecord,
    /// Its name in both states.
    pub server: String,
    /// Which figure is compared: the one that servers are ranked by.
    pub kind: FigureKind,
    /// Its medians.
    pub medians: [Option<f64>; 2],
    /// The second to the first.
    pub ratio: Option<Estimate>,
    /// What can be said.
    pub judgement: Judgement,
    /// How many repetitions a difference of [`SMALL`] would need, by the width of this interval.
    pub repetitions_needed: Option<u64>,
}

/// Every server in both states, workload by workload.
pub fn versus<'a>(summaries: &'a [WorkloadSummary<'a>]) -> Vec<Versus<'a>> {
    let of_workload = |summary: &'a WorkloadSummary<'a>| {
        let base = summary.cells.iter().filter_map(|cell| cell.name().strip_suffix(SUFFIXES[0]));
        let mut names: Vec<&str> = base.collect();
        names.sort_unstable();
        names.into_iter().filter_map(|name| Versus::new(summary, name))
    };
    summaries.iter().flat_map(of_workload).collect()
}

impl<'a> Versus<'a> {
    fn new(summary: &'a WorkloadSummary<'a>, server: &str) -> Option<Self> {
        let [base, head] = SUFFIXES.map(|suffix| summary.cell(&format!("{server}{suffix}")));
        let (base, head) = (base?, head?);
        let (kind, figure) = (FigureKind::leading(summary.workload.task), summary.leading());
        let ratio = head.ratio_to(base, figure);
        let cells = [("base", base), ("head", head)];
        let judgement = judged(cells, kind, ratio, summary.noise().unwrap_or_default());
        let median = |cell: &Cell| cell.median(figure.per_run);
        Some(Self {
            workload: summary.workload,
            server: server.to_owned(),
            kind,
            medians: [median(base), median(head)],
            ratio,
            judgement,
            repetitions_needed: ratio.and_then(|ratio| needed(ratio, base.runs.len())),
        })
    }
}

/// An interval is as wide as the root of the number of repetitions makes it: how many make half of it as
/// wide as the difference.
fn needed(ratio: Estimate, repetitions: usize) -> Option<u64> {
    let half = (ratio.high - ratio.low) / 2.0;
    let factor = (half / SMALL).powi(2);
    let needed = (as_f64(repetitions as u64) * factor).ceil();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is finite and positive")]
    (ratio.is_enough() && needed.is_finite() && needed < 1e6).then(|| (needed as u64).max(ENOUGH as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::summary::summarise;
    use crate::store::record::Record;

    fn runs(server: &str, microseconds: f64) -> Vec<Record> {
        Record::seven(server, |record| {
            // The machine drifts, and both states with it.
            let repetition = f64::from(record.repetition.unwrap());
            record.set_cpu_seconds(microseconds * (1.0 + repetition / 10.0) / 1e3);
            record.server.duplicate_of = server.strip_suffix("-duplicate").map(str::to_owned);
        })
    }

    #[test]
    fn a_change_is_judged_by_paired_ratios_and_the_noise() {
        let records = [
            runs("one-base", 10.0),
            runs("one-base-duplicate", 10.1),
            runs("one-head", 9.0),
            runs("two-base", 10.0),
            runs("two-head", 10.05),
            runs("three-base", 10.0),
            runs("three-head", 11.0),
            runs("four-base", 10.0),
        ]
        .concat();
        let summaries = summarise(&records);
        let found: Vec<(String, Judgement)> =
            versus(&summaries).into_iter().map(|one| (one.server, one.judgement)).collect();
        let expected = [("one", Judgement::Better), ("three", Judgement::Worse), ("two", Judgement::Same)];
        assert_eq!(found, expected.map(|(name, judgement)| (name.to_owned(), judgement)));
    }

    #[test]
    fn a_wider_interval_needs_more_repetitions() {
        let ratio = |half: f64, values| Estimate { median: 1.0, low: 1.0 - half, high: 1.0 + half, values };
        let cases = [
            (ratio(0.0199, 7), Some(7)),
            (ratio(0.0399, 7), Some(28)),
            (ratio(0.001, 7), Some(5)),
            (ratio(0.0199, 4), None),
            (ratio(f64::INFINITY, 7), None),
        ];
        for (ratio, expected) in cases {
            assert_eq!(needed(ratio, 7), expected, "{ratio:?}");
        }
    }
}
