//! Whether a figure got worse from A to B.

use super::FigureKind;
use crate::analysis::statistics::Estimate;
use crate::analysis::summary::Cell;
use crate::analysis::verdict::Verdict;

/// What can be said about a figure.
#[derive(Clone, Debug, PartialEq)]
pub enum Judgement {
    /// It got worse.
    Worse,
    /// It got better.
    Better,
    /// The two figures cannot be distinguished.
    Same,
    /// One of the folders has too few repetitions for a claim.
    TooFew,
    /// It worked in A and does not in B, where it has no figures, or requests failed.
    Broken(Reason),
    /// Nothing can be said.
    NotJudged(Reason),
}

/// Why nothing can be said about a figure. A side is 0 for A and 1 for B.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// A side has no figures.
    NoFigures(usize),
    /// The cell of a side is invalid or disturbed.
    Bound(usize, Verdict),
    /// The tool's latency is defined differently in B.
    OtherMeaning,
    /// The open loop had another rate in B.
    OtherRate,
    /// The figure is missing on a side, or may be 0 in A.
    NoRatio,
}

/// Why nothing can be said about a server: a cell has no figures, or is invalid or disturbed.
pub(super) fn not_judged(cells: [&Cell; 2]) -> Option<Reason> {
    let reason = |(side, cell): (usize, &Cell)| {
        if cell.measured().next().is_none() {
            return Some(Reason::NoFigures(side));
        }
        cell.not_ranked().map(|verdict| Reason::Bound(side, verdict.clone()))
    };
    cells.into_iter().enumerate().find_map(reason)
}

/// The judgement for that reason: a server that fails in B and did not in A is broken.
pub(super) fn of_unjudged(reason: Reason, b: &Cell) -> Judgement {
    let has_failed = match &reason {
        Reason::NoFigures(1) => true,
        Reason::Bound(1, _) => b.measured().any(|run| run.error_count() > 0),
        _ => false,
    };
    if has_failed { Judgement::Broken(reason) } else { Judgement::NotJudged(reason) }
}

/// A difference counts when the interval excludes 1 and the median is beyond the noise.
pub(super) fn of_ratio(kind: FigureKind, ratio: Option<Estimate>, noise: f64) -> Judgement {
    let Some(ratio) = ratio else { return Judgement::NotJudged(Reason::NoRatio) };
    let is_more = ratio.is_above(1.0) && ratio.median > 1.0 + noise;
    let is_less = ratio.is_below(1.0) && ratio.median < 1.0 - noise;
    if !ratio.is_enough() {
        Judgement::TooFew
    } else if !is_more && !is_less {
        Judgement::Same
    } else if is_more == kind.is_better_when_more() {
        Judgement::Better
    } else {
        Judgement::Worse
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_beyond_the_interval_and_the_noise() {
        use Judgement::{Better, Same, TooFew, Worse};
        let cases = [
            ("more", [1.08, 1.10, 1.12], 5, Worse, Better),
            ("less", [0.88, 0.90, 0.92], 5, Better, Worse),
            ("the interval includes 1", [0.99, 1.10, 1.2], 5, Same, Same),
            ("more, within the noise", [1.01, 1.02, 1.03], 5, Same, Same),
            ("less, within the noise", [0.97, 0.98, 0.99], 5, Same, Same),
            ("four repetitions", [1.08, 1.10, 1.12], 4, TooFew, TooFew),
        ];
        for (name, [low, median, high], values, cost, throughput) in cases {
            let ratio = Some(Estimate { median, low, high, values });
            assert_eq!(of_ratio(FigureKind::Cost, ratio, 0.02), cost, "{name}");
            assert_eq!(of_ratio(FigureKind::Throughput, ratio, 0.02), throughput, "{name}");
        }
        assert_eq!(of_ratio(FigureKind::Cost, None, 0.0), Judgement::NotJudged(Reason::NoRatio));
    }
}
