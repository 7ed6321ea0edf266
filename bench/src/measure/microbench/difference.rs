//! A benchmark's time beside that of another run.

use crate::store::microbench::{BenchRecord, TimeRecord};

/// A difference below this is none, whatever the intervals say: they are of one run of one build, and the next one has the code
/// elsewhere in memory, and another minute of the machine.
pub const NOISE: f64 = 0.05;

/// How many times as long as in the other run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// The ratio of the medians.
    pub value: f64,
    /// The least that the ends of both intervals allow.
    pub low: f64,
    /// The most.
    pub high: f64,
}

/// What a ratio comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// It takes less time than in the other run.
    Faster,
    /// It takes more.
    Slower,
    /// The two cannot be told apart.
    Same,
}

impl Ratio {
    /// The time of a piece to that in another run.
    pub fn of(bench: &BenchRecord, other: &BenchRecord) -> Self {
        let TimeRecord { seconds, low_seconds, high_seconds } = bench.piece();
        let other = other.piece();
        Self {
            value: seconds / other.seconds,
            low: low_seconds / other.high_seconds,
            high: high_seconds / other.low_seconds,
        }
    }

    /// A difference counts when the intervals part, and the medians differ by more than [`NOISE`].
    pub fn difference(self) -> Difference {
        if self.high < 1.0 && self.value < 1.0 - NOISE {
            Difference::Faster
        } else if self.low > 1.0 && self.value > 1.0 + NOISE {
            Difference::Slower
        } else {
            Difference::Same
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A benchmark of so many pieces, whose times are in nanoseconds.
    fn bench([low, median, high]: [f64; 3], elements: u64) -> BenchRecord {
        let time = TimeRecord { seconds: median * 1e-9, low_seconds: low * 1e-9, high_seconds: high * 1e-9 };
        let (group, name) = (String::new(), String::new());
        BenchRecord { group, name, mean: time, median: time, elements: Some(elements), bytes: None }
    }

    #[test]
    fn a_difference_has_to_be_beyond_the_intervals_and_the_noise() {
        let other = bench([95.0, 100.0, 105.0], 1);
        let cases = [
            ("itself", other.clone(), Difference::Same),
            ("less", bench([85.0, 90.0, 94.0], 1), Difference::Faster),
            ("more", bench([106.0, 110.0, 120.0], 1), Difference::Slower),
            ("less, by intervals that touch", bench([85.0, 90.0, 95.0], 1), Difference::Same),
            ("more, by intervals that touch", bench([105.0, 110.0, 120.0], 1), Difference::Same),
            ("as much a piece", bench([1520.0, 1600.0, 1680.0], 16), Difference::Same),
            ("less a piece", bench([700.0, 800.0, 900.0], 16), Difference::Faster),
        ];
        for (name, bench, expected) in cases {
            assert_eq!(Ratio::of(&bench, &other).difference(), expected, "{name}");
        }
        let exact = bench([100.0; 3], 1);
        for (nanoseconds, expected) in [
            (94.0, Difference::Faster),
            (96.0, Difference::Same),
            (104.0, Difference::Same),
            (106.0, Difference::Slower),
        ] {
            assert_eq!(
                Ratio::of(&bench([nanoseconds; 3], 1), &exact).difference(),
                expected,
                "{nanoseconds}"
            );
        }
    }
}
