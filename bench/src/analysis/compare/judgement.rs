//! Whether a figure got worse.

use super::Kind;
use crate::analysis::statistics::Estimate;
use crate::analysis::summary::Cell;
use crate::analysis::verdict::Verdict;

/// What is to be said of a figure.
#[derive(Clone, Debug, PartialEq)]
pub enum Judgement {
    /// It got worse.
    Worse,
    /// It got better.
    Better,
    /// The two cannot be told apart.
    Same,
    /// There are too few repetitions for a claim, in either folder.
    TooFew,
    /// It worked in A, and does not in B: it has no figures there, or requests failed.
    Broken(Reason),
    /// Nothing is to be said.
    NotJudged(Reason),
}

/// Why nothing is said of a figure.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// A folder has no figures of it: 0 is A, 1 is B.
    NoFigures(usize),
    /// The cell is invalid or disturbed in a folder: 0 is A, 1 is B.
    Bound(usize, Verdict),
    /// The tool's latency means something else in B.
    OtherMeaning,
    /// The rate in B is another.
    OtherRate,
    /// The figure is missing in one of the folders, or may be 0 in A.
    NoRatio,
}

/// Why nothing can be said of a server, if so.
pub(super) fn not_judged(cells: [&Cell; 2]) -> Option<Reason> {
    let reason = |(side, cell): (usize, &Cell)| {
        if cell.measured().next().is_none() {
            return Some(Reason::NoFigures(side));
        }
        cell.not_ranked().map(|verdict| Reason::Bound(side, verdict.clone()))
    };
    cells.into_iter().enumerate().find_map(reason)
}

/// What that comes to: a server that has broken since is worse than a slow one.
pub(super) fn without_figures(reason: Reason, b: &Cell) -> Judgement {
    let has_failed = match &reason {
        Reason::NoFigures(1) => true,
        Reason::Bound(1, _) => b.measured().any(|run| run.error_count() > 0),
        _ => false,
    };
    if has_failed { Judgement::Broken(reason) } else { Judgement::NotJudged(reason) }
}

/// What the ratio of B to A says. A difference counts when the interval leaves out 1 and the median lies beyond the noise.
pub(super) fn of(kind: Kind, ratio: Option<Estimate>, noise: f64) -> Judgement {
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
    fn a_difference_has_to_be_beyond_the_interval_and_the_noise() {
        let ratio = |low: f64, median: f64, high: f64, values| Some(Estimate { median, low, high, values });
        let cases = [
            ("more", ratio(1.08, 1.10, 1.12, 5), 0.02, Judgement::Worse, Judgement::Better),
            ("less", ratio(0.88, 0.90, 0.92, 5), 0.02, Judgement::Better, Judgement::Worse),
            ("the interval holds 1", ratio(0.99, 1.10, 1.2, 5), 0.02, Judgement::Same, Judgement::Same),
            (
                "more than 1, within the noise",
                ratio(1.01, 1.02, 1.03, 5),
                0.02,
                Judgement::Same,
                Judgement::Same,
            ),
            (
                "less than 1, within the noise",
                ratio(0.97, 0.98, 0.99, 5),
                0.02,
                Judgement::Same,
                Judgement::Same,
            ),
            ("four repetitions", ratio(1.08, 1.10, 1.12, 4), 0.02, Judgement::TooFew, Judgement::TooFew),
        ];
        for (name, ratio, noise, cost, throughput) in cases {
            assert_eq!(of(Kind::Cost, ratio, noise), cost, "{name}");
            assert_eq!(of(Kind::Throughput, ratio, noise), throughput, "{name}");
        }
        assert_eq!(of(Kind::Cost, None, 0.0), Judgement::NotJudged(Reason::NoRatio));
    }
}
