//! What can be said of a few repetitions: the median, an interval for it, and which ranks can be told apart.

/// Repetitions below which nothing is claimed. The interval of so few is at most their range, and the range of four misses
/// the true median once in eight times.
pub const ENOUGH: usize = 5;

/// Samples that are drawn for an interval. More of them move its ends by less than the digits that are shown.
const RESAMPLES: usize = 2000;

/// So many of the samples' medians lie outside at either end. A twentieth in all would hold the true median of seven values
/// only 88 times in a hundred, as the bootstrap is too sure of few values; with a hundredth it is 94 to 99 times (see the
/// tests).
const OUTSIDE: usize = RESAMPLES / 200;

/// Values beyond which no samples are drawn. The medians of samples are then spread as the binomial says, whose ends are known
/// without drawing any.
const MANY: usize = 100;

/// Standard deviations between which all but a hundredth of a normal distribution lies.
const ENDS: f64 = 2.576;

/// The same records give the same intervals.
const SEED: u64 = 0x5eed;

/// A median, and the interval in which the true one lies with a probability of about 95 %.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The median.
    pub median: f64,
    /// The interval's lower end.
    pub low: f64,
    /// The interval's upper end.
    pub high: f64,
    /// How many values there are.
    pub values: usize,
}

/// A place among others, as a range where it cannot be told more exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Rank {
    /// The best place that it may have, from 1.
    pub best: usize,
    /// The worst.
    pub worst: usize,
}

impl Estimate {
    /// The median of some values with its percentile bootstrap interval (B. Efron, "Bootstrap methods: another look at the
    /// jackknife", 1979); `None` without a value.
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        let median = median(&mut values)?;
        let count = values.len();
        if count > MANY {
            let (low, high) = ends(count);
            return Some(Self { median, low: values[low], high: values[high], values: count });
        }
        let mut medians: Vec<f64> = sample_medians(&values).collect();
        let mut end = |place| *medians.select_nth_unstable_by(place, f64::total_cmp).1;
        let (low, high) = (end(OUTSIDE), end(RESAMPLES - 1 - OUTSIDE));
        Some(Self { median, low, high, values: count })
    }

    /// The ratio of the medians of two sets of values that are not paired, from the ends of both intervals: it holds the true
    /// ratio at least as often as they hold their medians. `None` without a value, or where what is below may be 0.
    pub fn of_ratio(above: &[f64], below: &[f64]) -> Option<Self> {
        let (above, below) = (Self::of(above.to_vec())?, Self::of(below.to_vec())?);
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

    /// Whether the true median lies above `limit`, as far as can be told.
    pub fn is_above(&self, limit: f64) -> bool {
        self.is_enough() && self.low > limit
    }

    /// Whether the true median lies below `limit`, as far as can be told.
    pub fn is_below(&self, limit: f64) -> bool {
        self.is_enough() && self.high < limit
    }
}

/// Whether the true median lies below `limit`, as far as can be told: what [`Estimate::is_below`] says, mostly from far fewer
/// samples.
pub fn is_below(mut values: Vec<f64>, limit: f64) -> bool {
    if values.len() < ENOUGH {
        return false;
    }
    values.sort_unstable_by(f64::total_cmp);
    let count = values.len();
    if values[count - 1] < limit {
        // So is the median of any sample.
        true
    } else if count > MANY {
        values[ends(count).1] < limit
    } else {
        // The interval's upper end is the last of the medians that do not lie outside.
        sample_medians(&values).filter(|median| *median >= limit).take(OUTSIDE + 1).count() <= OUTSIDE
    }
}

/// The rank of each of `count` things, of which `beats(a, b)` says whether `a` is better than `b`, as far as can be told. It is
/// asked once about each two.
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

/// The places, among so many values in order, of the ends of the median's interval: values below the median are counted as
/// heads of a coin (H. A. David, H. N. Nagaraja, "Order statistics", 7.1).
fn ends(count: usize) -> (usize, usize) {
    let half = crate::text::numbers::as_f64(count as u64) / 2.0;
    let reach = ENDS * half.sqrt() / std::f64::consts::SQRT_2;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it lies between 0 and the count"
    )]
    let low = (half - reach).floor().max(0.0) as usize;
    (low, count - 1 - low)
}

/// The median of each sample: as many values as there are, drawn from them anew. They have to be in order, so that it is enough
/// to count how often each was drawn.
fn sample_medians(sorted: &[f64]) -> impl Iterator<Item = f64> {
    let count = sorted.len();
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut drawn = vec![0; count];
    (0..RESAMPLES).map(move |_| {
        drawn.fill(0);
        (0..count).for_each(|_| drawn[random.usize(..count)] += 1);
        let at = |rank| sorted[place(rank, &drawn)];
        f64::midpoint(at((count - 1) / 2), at(count / 2))
    })
}

/// Where the value of a rank lies, both from 0, when the value at each place is there so many times.
fn place(rank: usize, times: &[usize]) -> usize {
    let mut up_to = 0;
    let is_before = |times: &&usize| {
        up_to += **times;
        up_to <= rank
    };
    times.iter().take_while(is_before).count()
}

/// The middle value, or the mean of the two in the middle; `None` without a value. Sorts them.
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
            assert_eq!(Estimate::of(values.to_vec()).map(|estimate| estimate.median), expected, "{values:?}");
        }
    }

    /// Over many sets of values whose true median is known, the interval holds it about as often as it should.
    #[test]
    fn the_interval_holds_the_truth() {
        for count in [5, 7, 10, 20, 101, 300] {
            let holds = (0..1000).filter(|seed| {
                let mut random = fastrand::Rng::with_seed(*seed);
                // Skewed, as times are: most are near 1, some far above. Half are below the true median.
                let values = (0..count).map(|_| 1.0 - (1.0 - random.f64()).ln()).collect();
                let estimate = Estimate::of(values).unwrap();
                (estimate.low..=estimate.high).contains(&(1.0 + std::f64::consts::LN_2))
            });
            let holds = holds.count();
            assert!((930..=997).contains(&holds), "{count} values: {holds} of 1000");
        }
    }

    /// The same of the ratio of two sets. It takes the ends of both intervals, so that it misses only when both are off, and in
    /// opposite directions: it holds the truth more often than it says, and calls fewer differences.
    #[test]
    fn the_interval_of_a_ratio_holds_the_truth() {
        for (above, below) in [(5, 5), (5, 20), (7, 7), (101, 7), (300, 300)] {
            let holds = (0..500).filter(|seed| {
                let mut random = fastrand::Rng::with_seed(*seed);
                let mut values = |count: usize, scale: f64| -> Vec<f64> {
                    (0..count).map(|_| scale * (1.0 - (1.0 - random.f64()).ln())).collect()
                };
                let ratio = Estimate::of_ratio(&values(above, 3.0), &values(below, 2.0)).unwrap();
                (ratio.low..=ratio.high).contains(&1.5)
            });
            let holds = holds.count();
            assert!(holds >= 490, "{above} by {below} values: {holds} of 500");
        }
    }

    /// The interval is that of samples that are drawn and sorted one by one, and what is said from fewer samples is what the
    /// interval says.
    #[test]
    fn the_quick_way_is_the_plain_one() {
        let counts = [1, 2, 3, 4, 5, 6, 7, 10, 25, 100];
        for (count, seed) in counts.into_iter().flat_map(|count| (0..3).map(move |seed| (count, seed))) {
            let mut random = fastrand::Rng::with_seed(seed);
            // Of few digits, so that values are equal now and then.
            let values: Vec<f64> = (0..count).map(|_| 0.9 + f64::from(random.u8(..20)) / 100.0).collect();
            let mut sorted = values.clone();
            sorted.sort_unstable_by(f64::total_cmp);
            let mut random = fastrand::Rng::with_seed(SEED);
            let sample =
                |_| median(&mut sorted.iter().map(|_| sorted[random.usize(..count)]).collect::<Vec<_>>());
            let mut medians: Vec<f64> = (0..RESAMPLES).filter_map(sample).collect();
            medians.sort_unstable_by(f64::total_cmp);
            let estimate = Estimate::of(values.clone()).unwrap();
            assert_eq!(
                [estimate.low, estimate.high],
                [medians[OUTSIDE], medians[RESAMPLES - 1 - OUTSIDE]],
                "{values:?}"
            );
            for limit in [0.9, estimate.low, 1.0, estimate.median, estimate.high, 1.1] {
                assert_eq!(is_below(values.clone(), limit), estimate.is_below(limit), "{limit}: {values:?}");
            }
        }
        let many: Vec<f64> = (0..300).map(f64::from).collect();
        let high = Estimate::of(many.clone()).unwrap().high;
        assert!(!is_below(many.clone(), high) && is_below(many, high + 0.5));
    }

    #[test]
    fn few_values_claim_nothing() {
        let estimate = |count: usize| Estimate::of(vec![2.0; count]).unwrap();
        assert!(!estimate(4).is_above(1.0) && estimate(5).is_above(1.0));
        assert!(!estimate(4).is_below(3.0) && estimate(5).is_below(3.0));
    }

    #[test]
    fn what_cannot_be_told_apart_shares_ranks() {
        // Each has an interval; one beats another when the intervals do not overlap.
        let intervals = [(1, 3), (2, 4), (5, 6), (4, 7), (9, 9)];
        let ranks = ranks(intervals.len(), |a, b| intervals[a].1 < intervals[b].0);
        let shown: Vec<String> = ranks.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["1–2", "1–3", "3–4", "2–4", "5"]);
    }
}
