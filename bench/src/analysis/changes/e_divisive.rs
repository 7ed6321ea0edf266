//! Change points of a series of values: E-divisive, by D. S. Matteson and N. A. James, "A
//! Nonparametric Approach for Multiple Change Point Analysis of Multivariate Data", JASA 109 (2014),
//! with α = 1.
//!
//! ```text
//! 4.75  4.80  4.71  4.79 | 5.02  4.98  5.07  5.01      far apart across the bar, near within a side
//! ```
//!
//! For each place where a series can be cut, and each end of the right side, the statistic compares
//! the mean distance between values on different sides with the mean distances within the sides.
//! The cut with the largest statistic is a change if the values in random orders rarely have a
//! statistic that large. This permutation test assumes only that without a change all orders of the
//! values are equally likely. Then both parts are searched in the same way. Each part is tested by
//! itself; the article permutes all parts at one time.

use fastrand::Rng;

use crate::text::numbers::as_f64;

/// The fewest values on either side of a change: one or two that differ are outliers.
pub(super) const SHORTEST: usize = 3;

/// The seed of the random orders. It is constant, so that a history always has the same changes.
const SEED: u64 = 22;

/// The least number of orders that a test compares, including the real one.
const FEWEST_ORDERS: f64 = 1_000.0;

/// At any level, a change allows at least this number of orders with a statistic that large,
/// including the real one. If it were 1, the result would depend on which orders were drawn.
const LARGE_ORDERS: f64 = 5.0;

/// Statistics that differ by a smaller share than this are equal: sums in another order are rounded
/// differently.
const ROUNDING: f64 = 1e-9;

/// Returns the places of changes in ascending order: the index of the first value after each
/// change. Each test finds a change where there is none with a probability of at most `level`.
pub(super) fn change_points(values: &[f64], level: f64) -> Vec<usize> {
    let (mut found, mut random) = (Vec::new(), Rng::with_seed(SEED));
    let mut parts = vec![(0, values.len())];
    while let Some((start, end)) = parts.pop() {
        let split = significant_split(&values[start..end], level, &mut random);
        let Some(split) = split.map(|split| start + split) else { continue };
        found.push(split);
        parts.extend([(start, split), (split, end)]);
    }
    found.sort_unstable();
    found
}

/// Returns the best cut of a series, unless its statistic may be due to chance.
fn significant_split(values: &[f64], level: f64, random: &mut Rng) -> Option<usize> {
    let (split, statistic) = best_split(values)?;
    let orders = (LARGE_ORDERS / level).max(FEWEST_ORDERS).ceil();
    let mut shuffled = values.to_vec();
    let (mut tried, mut large) = (1.0, 1.0);
    while tried < orders {
        random.shuffle(&mut shuffled);
        let is_large = best_split(&shuffled).is_some_and(|(_, other)| other >= statistic * (1.0 - ROUNDING));
        (tried, large) = (tried + 1.0, large + f64::from(u8::from(is_large)));
        // No further order can make the share small enough.
        if large > level * orders {
            return None;
        }
    }
    Some(split)
}

/// Returns the cut with the largest statistic, and the statistic; `None` for too few values.
fn best_split(values: &[f64]) -> Option<(usize, f64)> {
    let mut best: Option<(usize, f64)> = None;
    // Sums of the distances of all pairs: from each start to the present end, and from 0 to each end.
    let mut from = vec![0.0; values.len()];
    let mut up_to = vec![0.0; values.len() + 1];
    for (newest, value) in values.iter().enumerate() {
        let mut to_newest = 0.0;
        for start in (0..newest).rev() {
            to_newest += (values[start] - value).abs();
            from[start] += to_newest;
        }
        let end = newest + 1;
        up_to[end] = from[0];
        for split in SHORTEST..=end.saturating_sub(SHORTEST) {
            let statistic = statistic([split, end - split], [up_to[split], from[split]], from[0]);
            if best.is_none_or(|(_, other)| statistic > other) {
                best = Some((split, statistic));
            }
        }
    }
    best
}

/// The scaled energy statistic of two sides (equations 5 and 6 of the article), from the number of
/// values of each side, the sum of distances within each side, and the sum within both together.
fn statistic(sizes: [usize; 2], within: [f64; 2], all: f64) -> f64 {
    let [left, right] = sizes.map(|size| as_f64(size as u64));
    let across = all - within[0] - within[1];
    let pairs = |size: f64| size * (size - 1.0) / 2.0;
    let energy = 2.0 * across / (left * right) - within[0] / pairs(left) - within[1] / pairs(right);
    left * right / (left + right) * energy
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest statistic of all cuts and ends, by its definition.
    fn slowly(values: &[f64]) -> f64 {
        let mut best = f64::NEG_INFINITY;
        let distance = |a: &[f64], b: &[f64]| -> f64 {
            a.iter().flat_map(|a| b.iter().map(move |b| (a - b).abs())).sum()
        };
        for end in 2 * SHORTEST..=values.len() {
            for split in SHORTEST..=end - SHORTEST {
                let (left, right) = (&values[..split], &values[split..end]);
                let [m, n] = [left, right].map(|side| as_f64(side.len() as u64));
                let energy = 2.0 * distance(left, right) / (m * n)
                    - distance(left, left) / (m * (m - 1.0))
                    - distance(right, right) / (n * (n - 1.0));
                best = best.max(m * n / (m + n) * energy);
            }
        }
        best
    }

    #[test]
    fn the_statistic_is_that_of_the_article() {
        let mut random = Rng::with_seed(1);
        for length in [6, 7, 12, 25] {
            let values: Vec<f64> = (0..length).map(|_| random.f64()).collect();
            let (_, statistic) = best_split(&values).unwrap();
            assert!((statistic - slowly(&values)).abs() < 1e-9, "{length}: {statistic}");
        }
        assert_eq!(best_split(&[1.0; 5]), None);
    }

    #[test]
    fn changes_are_found_where_they_are() {
        // Random values in a range of 0.01 around the given ones.
        let steps = |lengths: &[(usize, f64)]| -> Vec<f64> {
            let mut random = Rng::with_seed(7);
            let values = lengths.iter().flat_map(|(length, value)| std::iter::repeat_n(*value, *length));
            values.map(|value| value + 0.01 * (random.f64() - 0.5)).collect()
        };
        let cases: [(&str, Vec<f64>, &[usize]); 8] = [
            ("nothing", Vec::new(), &[]),
            ("too few", steps(&[(2, 1.0), (2, 2.0)]), &[]),
            ("all the same", vec![1.0; 30], &[]),
            ("noise", steps(&[(30, 1.0)]), &[]),
            ("one step", steps(&[(10, 1.0), (10, 1.05)]), &[10]),
            ("a step soon after the end", steps(&[(17, 1.0), (3, 1.05)]), &[17]),
            ("up and back", steps(&[(12, 1.0), (10, 1.05), (12, 1.0)]), &[12, 22]),
            ("an outlier is no change", steps(&[(10, 1.0), (1, 3.0), (10, 1.0)]), &[]),
        ];
        for (name, values, expected) in cases {
            assert_eq!(change_points(&values, 0.01), expected, "{name}");
        }
    }
}
