//! Whether a figure got worse from A to B.

use super::FigureKind;
use crate::analysis::statistics::Estimate;
use crate::analysis::summary::Cell;
use crate::analysis::verdict::Verdict;
use crate::store::record::Bound;

/// Whether a figure got worse or better, or why that is not known.
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
    /// The server worked in A; in B it has no figures, or requests failed. The text is the reason.
    Broken(String),
    /// Nothing can be said, for this reason.
    NotJudged(String),
    /// Nothing can be said, since A has no valid figures, for this reason.
    NoBaseline(String),
}

/// Judges two cells that cannot be compared, since one has no figures, or is invalid or disturbed;
/// `None` for other cells. A server that failed in B but not in A is broken. A server that failed
/// in A has no baseline. Each cell comes with the name of its side.
pub(super) fn judge_without_figures([a, b]: [(&str, &Cell); 2]) -> Option<Judgement> {
    let has_failed =
        |cell: &Cell| cell.measured().next().is_none() || cell.measured().any(|run| run.error_count() > 0);
    match (unjudged(a), unjudged(b)) {
        (Some(reason), _) if !is_baseline(a.1) => Some(Judgement::NoBaseline(reason)),
        (_, Some(reason)) if has_failed(b.1) => Some(Judgement::Broken(reason)),
        (reason, other) => reason.or(other).map(Judgement::NotJudged),
    }
}

/// Why a cell cannot be compared, in words.
fn unjudged((side, cell): (&str, &Cell)) -> Option<String> {
    match cell.not_ranked() {
        _ if cell.measured().next().is_none() => Some(format!("{side} has no figures")),
        Some(Verdict { bound, reason: Some(reason) }) => Some(format!("{side} is {bound}, {reason}")),
        Some(Verdict { bound, reason: None }) => Some(format!("{side} is {bound}")),
        None => None,
    }
}

/// Whether a cell of A has valid figures, with which B can be compared.
pub(super) fn is_baseline(cell: &Cell) -> bool {
    cell.measured().next().is_some() && cell.bound() != Some(Bound::Invalid)
}

/// A difference counts when the interval excludes 1 and the median is beyond the noise.
pub(super) fn judge_ratio(kind: FigureKind, ratio: Option<Estimate>, noise: f64) -> Judgement {
    let Some(ratio) = ratio else { return Judgement::NotJudged("there is no ratio".into()) };
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

impl std::fmt::Display for Judgement {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Worse => out.write_str("worse"),
            Self::Better => out.write_str("better"),
            Self::Same => out.write_str("same"),
            Self::TooFew => out.write_str("too few repetitions"),
            Self::Broken(reason) => write!(out, "broken: {reason}"),
            Self::NotJudged(reason) | Self::NoBaseline(reason) => write!(out, "not judged: {reason}"),
        }
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
            assert_eq!(judge_ratio(FigureKind::Cost, ratio, 0.02), cost, "{name}");
            assert_eq!(judge_ratio(FigureKind::Throughput, ratio, 0.02), throughput, "{name}");
        }
        assert_eq!(
            judge_ratio(FigureKind::Cost, None, 0.0),
            Judgement::NotJudged("there is no ratio".into())
        );
    }
}
