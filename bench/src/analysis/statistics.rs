//! Statistics of a few repetitions: the median, an interval for it, and ranks with ties.
//!
//! The interval is exact for independent values, whatever their distribution is. Each value lies
//! below the true median with a probability of one half, so the number of values below it is
//! binomially distributed. The `r`-th lowest value lies above the true median only if fewer than
//! `r` values lie below it (H. A. David, H. N. Nagaraja, "Order Statistics", 7.1), and likewise
//! from the other end. Of the 7 values
//!
//! ```text
//! 4.66  4.71  4.75  4.79  4.80  4.88  4.94
//! ```
//!
//! the median is 4.79 and the interval reaches from 4.66 to 4.94: it misses only if all seven
//! values lie on one side of the true median, which happens in 2 of 2⁷ cases, 1.6 %. The next
//! narrower one, 4.71 to 4.88, would miss in 12.5 %.
//!
//! If the values are looked at while they arrive, and decide when the measurement stops, the last
//! interval misses in more than 5 % of cases: each look is another chance to stop at a miss (P.
//! Armitage, C. K. McPherson, B. C. Rowe, "Repeated Significance Tests on Accumulating Data",
//! Journal of the Royal Statistical Society A 132, 1969). The 5 % are therefore divided by the
//! number of planned looks. By Bonferroni's inequality, the intervals at all looks then hold the
//! true median together with a probability of 95 % or more, and so does the interval at which the
//! measurement stops, for whatever reason it stops.

use std::f64::consts::LN_2;

use crate::text::numbers::as_f64;

/// The least number of repetitions for a claim. The interval of fewer values is their range, and
/// the range of four values misses the true median in one case of eight.
pub const ENOUGH: usize = 5;

/// The probability with which the interval has to hold the true median. With fewer than six values,
/// not even their range reaches it.
const CONFIDENCE: f64 = 0.95;

/// A median, and an interval that holds the true median with a probability of 95 % or more, from
/// six values on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The median.
    pub median: f64,
    /// The interval's lower end.
    pub low: f64,
    /// The interval's upper end.
    pub high: f64,
    /// The number of values.
    pub values: usize,
}

/// A rank, as a range where there are ties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Rank {
    /// The best rank that it may have, from 1.
    pub best: usize,
    /// The worst rank that it may have.
    pub worst: usize,
}

impl Estimate {
    /// The median of some values with its interval; `None` without a value.
    pub fn from_values(values: Vec<f64>) -> Option<Self> {
        Self::from_looks(values, 1)
    }

    /// The median and the interval of values whose number was decided at one of `looks` looks,
    /// which were planned before the first look. More looks need more values: with six looks, eight
    /// values have an interval that holds the true median with 95 % or more.
    pub fn from_looks(mut values: Vec<f64>, looks: usize) -> Option<Self> {
        let median = median(&mut values)?;
        let rank = lower_end(values.len(), confidence(looks));
        let (low, high) = (values[rank - 1], values[values.len() - rank]);
        Some(Self { median, low, high, values: values.len() })
    }

    /// The ratio of the medians of two sets of values that are not paired. Its interval is made of
    /// the ends of both intervals, so that it holds the true ratio at least as often as both hold
    /// their medians. `None` where the divisor may be 0.
    pub fn from_unpaired(above: Self, below: Self) -> Option<Self> {
        (below.low > 0.0).then(|| Self {
            median: above.median / below.median,
            low: above.low / below.high,
            high: above.high / below.low,
            values: above.values.min(below.values),
        })
    }

    /// Whether there are enough values for a claim.
    pub fn is_enough(&self) -> bool {
        self.values >= ENOUGH
    }

    /// The width of the interval as a share of the median; infinite where the median is 0.
    pub fn width(&self) -> f64 {
        if self.median > 0.0 { (self.high - self.low) / self.median } else { f64::INFINITY }
    }

    /// Whether the whole interval lies above `limit`; false for too few values.
    pub fn is_above(&self, limit: f64) -> bool {
        self.is_enough() && self.low > limit
    }

    /// Whether the whole interval lies below `limit`; false for too few values.
    pub fn is_below(&self, limit: f64) -> bool {
        self.is_enough() && self.high < limit
    }
}

/// The probability with which the interval at each planned look has to hold the true median, so
/// that the intervals at all looks together hold it with [`CONFIDENCE`].
fn confidence(looks: usize) -> f64 {
    1.0 - (1.0 - CONFIDENCE) / as_f64(looks.max(1) as u64)
}

/// The rank of the interval's lower end among `count` values in ascending order, from 1: the
/// highest rank `r` for which 1 − 2·P(B < r) ≥ `confidence`, where B is binomially distributed
/// over `count` trials with a probability of one half. It is 1, the whole range, where there is
/// none.
fn lower_end(count: usize, confidence: f64) -> usize {
    let trials = as_f64(count as u64);
    // P(B ≤ rank), and ln P(B = rank): P itself is too small for an `f64` from 1,075 trials on.
    let (mut rank, mut log_mass, mut at_most) = (0_u32, -trials * LN_2, 0.0);
    loop {
        at_most += log_mass.exp();
        if 2.0 * at_most > 1.0 - confidence {
            return rank.max(1) as usize;
        }
        log_mass += ((trials - f64::from(rank)) / f64::from(rank + 1)).ln();
        rank += 1;
    }
}

/// Returns the rank of each of `count` things, where `beats(a, b)` says whether `a` is better than
/// `b`. If neither of two things beats the other, they share ranks.
pub fn ranks(count: usize, beats: impl Fn(usize, usize) -> bool) -> Vec<Rank> {
    let mut ranks = vec![Rank { best: 1, worst: count }; count];
    for a in 0..count {
        for b in (0..count).filter(|b| *b != a) {
            if beats(a, b) {
                ranks[b].best += 1;
                ranks[a].worst -= 1;
            }
        }
    }
    ranks
}

impl std::fmt::Display for Rank {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.best == self.worst {
            write!(out, "{}", self.best)
        } else {
            write!(out, "{}–{}", self.best, self.worst)
        }
    }
}

/// Returns the middle value, or the mean of the two in the middle; `None` without a value. Sorts
/// the values.
pub fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    Some(f64::midpoint(values[last / 2], values[values.len() / 2]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let cases: [(&[f64], Option<f64>); 4] =
            [(&[], None), (&[3.0], Some(3.0)), (&[4.0, 1.0], Some(2.5)), (&[9.0, 1.0, 2.0], Some(2.0))];
        for (values, expected) in cases {
            let estimate = Estimate::from_values(values.to_vec());
            assert_eq!(estimate.map(|estimate| estimate.median), expected, "{values:?}");
        }
    }

    /// The probability, calculated with whole numbers, that the true median lies between the value
    /// at `rank` and the value at the same rank from the other end, of `count` values.
    fn coverage(count: u64, rank: u64) -> f64 {
        let binomial = |k: u64| (1..=k).fold(1, |product, i| product * (count - i + 1) / i);
        1.0 - 2.0 * as_f64((0..rank).map(binomial).sum()) / as_f64(1 << count)
    }

    /// The table in METHODOLOGY.md: repetitions, the rank of the interval's ends, and its coverage.
    #[test]
    fn the_coverage_is_the_one_that_is_documented() {
        let text =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../METHODOLOGY.md")).unwrap();
        let documented: Vec<String> = text
            .lines()
            .skip_while(|line| !line.starts_with("| repetitions | ends of the interval"))
            .skip(2)
            .take_while(|line| line.starts_with('|'))
            .map(str::to_owned)
            .collect();
        let ordinal = |number: usize| match number {
            1 => "lowest and highest".to_owned(),
            2 => "2nd lowest and 2nd highest".to_owned(),
            3 => "3rd lowest and 3rd highest".to_owned(),
            _ => format!("{number}th lowest and {number}th highest"),
        };
        let row = |count: usize| {
            let rank = lower_end(count, CONFIDENCE);
            let percent = coverage(count as u64, rank as u64) * 100.0;
            format!("| {count} | {} | {percent:.1} % |", ordinal(rank))
        };
        assert_eq!(documented, (3..=21).map(row).collect::<Vec<_>>());
    }

    /// With enough values the interval reaches the confidence, and no narrower one does.
    #[test]
    fn the_interval_is_the_narrowest_that_suffices() {
        // The number of looks, and the least number of values whose range reaches the confidence.
        for (looks, least) in [(1, 6), (2, 7), (3, 7), (4, 8), (6, 8), (7, 9)] {
            let confidence = confidence(looks);
            for count in 1..=60_u64 {
                let rank = lower_end(usize::try_from(count).unwrap(), confidence) as u64;
                assert_eq!(coverage(count, rank) >= confidence, count >= least, "{looks}, {count}: {rank}");
                assert!(coverage(count, rank + 1) < confidence, "{looks}, {count}: {rank}");
            }
        }
    }

    /// The lower end is within one rank of n/2 − 0.98·√n, its place in the normal
    /// approximation.
    #[test]
    fn there_may_be_many_values() {
        for count in [100_u32, 1000, 1075, 10_000, 100_000] {
            let expected = f64::from(count) / 2.0 - 0.98 * f64::from(count).sqrt();
            let rank = as_f64(lower_end(count as usize, CONFIDENCE) as u64);
            assert!((rank - expected).abs() <= 1.0, "{count}: {rank} and not {expected}");
        }
    }

    /// Skewed values, as times are: most are near `scale`, half are below `scale` · (1 + ln 2).
    fn skewed(random: &mut fastrand::Rng, count: usize, scale: f64) -> Vec<f64> {
        (0..count).map(|_| scale * (1.0 - (1.0 - random.f64()).ln())).collect()
    }

    /// The interval holds a known median as often as calculated.
    #[test]
    fn the_interval_holds_the_truth() {
        for count in [5, 7, 10, 20, 60] {
            let holds = (0..1000).filter(|seed| {
                let values = skewed(&mut fastrand::Rng::with_seed(*seed), count, 1.0);
                let estimate = Estimate::from_values(values).unwrap();
                (estimate.low..=estimate.high).contains(&(1.0 + LN_2))
            });
            let share = as_f64(holds.count() as u64) / 1000.0;
            let expected = coverage(count as u64, lower_end(count, CONFIDENCE) as u64);
            assert!((share - expected).abs() < 0.02, "{count} values: {share} and not {expected}");
        }
    }

    /// The interval of a ratio takes the ends of both intervals, and misses only when both are off
    /// in opposite directions: it holds the true ratio more often than its confidence.
    #[test]
    fn the_interval_of_a_ratio_holds_the_truth() {
        for (above, below) in [(5, 5), (5, 20), (7, 7), (101, 7), (300, 300)] {
            let holds = (0..500).filter(|seed| {
                let mut random = fastrand::Rng::with_seed(*seed);
                let mut estimate =
                    |count, scale| Estimate::from_values(skewed(&mut random, count, scale)).unwrap();
                let ratio = Estimate::from_unpaired(estimate(above, 3.0), estimate(below, 2.0)).unwrap();
                (ratio.low..=ratio.high).contains(&1.5)
            });
            let holds = holds.count();
            assert!(holds >= 490, "{above} by {below} values: {holds} of 500");
        }
    }

    #[test]
    fn few_values_claim_nothing() {
        let estimate = |count: usize| Estimate::from_values(vec![2.0; count]).unwrap();
        assert!(!estimate(4).is_above(1.0) && estimate(5).is_above(1.0));
        assert!(!estimate(4).is_below(3.0) && estimate(5).is_below(3.0));
    }

    #[test]
    fn ties_share_ranks() {
        // Each has an interval; one beats another when the intervals do not overlap.
        let intervals = [(1, 3), (2, 4), (5, 6), (4, 7), (9, 9)];
        let ranks = ranks(intervals.len(), |a, b| intervals[a].1 < intervals[b].0);
        let shown: Vec<String> = ranks.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["1–2", "1–3", "3–4", "2–4", "5"]);
    }
}
