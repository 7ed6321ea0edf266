//! Compares two states of servers that were measured in one session: did the change help?
//!
//! The servers of both states run in the same repetitions, so that each ratio is paired by block of
//! slices or by repetition. The name of a server ends with the suffix of its state. The duplicate
//! is a duplicate of a server of the first state.

use super::compare::{FigureKind, Judgement, judged};
use super::statistics::{ENOUGH, Estimate};
use super::summary::{Cell, WorkloadSummary};
use crate::store::record::WorkloadRecord;
use crate::text::numbers::as_f64;

/// The suffixes of server names: for the first state, which is the baseline, and for the second.
pub const SUFFIXES: [&str; 2] = ["-base", "-head"];

/// The difference, as a share, for which [`Versus::repetitions_needed`] is calculated.
pub const SMALL: f64 = 0.02;

/// A server in both states under one workload.
#[derive(Debug)]
pub struct Versus<'a> {
    /// The workload.
    pub workload: &'a WorkloadRecord,
    /// The server's name, without a suffix.
    pub server: String,
    /// The figure that is compared: the one by which servers are ranked.
    pub kind: FigureKind,
    /// The medians of the figure in the first and in the second state.
    pub medians: [Option<f64>; 2],
    /// The ratio of the second state to the first.
    pub ratio: Option<Estimate>,
    /// Whether the figure got worse in the second state.
    pub judgement: Judgement,
    /// The number of repetitions that would show a difference of [`SMALL`], estimated from the
    /// width of the ratio's interval.
    pub repetitions_needed: Option<u64>,
}

/// Compares each server that was measured in both states, workload by workload.
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

/// Returns the number of repetitions at which half of the interval is as wide as [`SMALL`]. The
/// width is taken to be inversely proportional to the square root of the number of repetitions.
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
