//! Arrivals at random times, like those of independent users: a Poisson process.
//!
//! The gaps between arrivals are exponential. Each gap depends only on the seed and the number of
//! its arrival, so that every thread of every process finds the same times, and uses its own. The
//! gaps are scaled so that the arrivals of the warm-up end with it, and so that the measured time
//! has exactly as many arrivals as the rate says. A Poisson process whose number of arrivals is
//! known has this distribution (Ross, Stochastic Processes, section 2.3). Runs differ by the times
//! alone.

use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

use anyhow::ensure;
use visit_output::as_f64;

/// The maximum number of arrivals: adding up their gaps takes about ten nanoseconds each.
const MOST: u64 = 1_000_000_000;

/// The number of bits of a seed. Every reader of JSON preserves such numbers.
pub(super) const SEED_BITS: u32 = 53;

/// All arrivals of a load.
#[derive(Clone, Copy, Debug)]
pub(super) struct Poisson {
    pub(super) seed: u64,
    warm_up: Part,
    measured: Part,
}

/// Consecutive arrivals within a known time: the warm-up or the measured time.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// The number of the first arrival.
    first: u64,
    /// The length of a gap of 1, in intervals of the rate.
    scale: f64,
}

/// A cursor over the times of the arrivals, in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Positions {
    poisson: Poisson,
    part: Part,
    /// The number of gaps that are added up: one more than the number of the last arrival.
    added: u64,
    /// The sum of the gaps since the beginning of the part.
    sum: f64,
}

impl Poisson {
    /// Creates the arrivals. `measured` has the numbers of the measured ones; those before are the
    /// warm-up. Fails when there are too many.
    pub(super) fn new(seed: u64, measured: Range<u64>) -> anyhow::Result<Self> {
        ensure!(measured.end <= MOST, "--arrivals poisson: there are more than {MOST} arrivals");
        let part = |numbers: Range<u64>, behind: u64| {
            let (first, count) = (numbers.start, numbers.end - numbers.start);
            // The last gap is from the last arrival to the end.
            let sum = numbers.fold(0.0, |sum, number| sum + gap(seed, number)) + gap(seed, behind);
            Part { first, scale: as_f64(count) / sum }
        };
        let (warm_up, end) = (measured.start, u64::MAX);
        Ok(Self { seed, warm_up: part(0..warm_up, end), measured: part(measured, end - 1) })
    }

    /// Returns the positions from the first arrival on.
    pub(super) fn positions(self) -> Positions {
        let part = if self.measured.first == 0 { self.measured } else { self.warm_up };
        Positions { poisson: self, part, added: 0, sum: 0.0 }
    }
}

impl Positions {
    /// Returns when the arrival with this number is due, in intervals of the rate after the start.
    /// The number must not decrease from call to call.
    #[cold]
    pub(super) fn advance_to(&mut self, number: u64) -> f64 {
        while self.added <= number {
            if self.added == self.poisson.measured.first {
                (self.part, self.sum) = (self.poisson.measured, 0.0);
            }
            self.sum += gap(self.poisson.seed, self.added);
            self.added += 1;
        }
        as_f64(self.part.first) + self.sum * self.part.scale
    }
}

/// Returns a random seed.
pub(super) fn random_seed() -> u64 {
    RandomState::new().hash_one(()) >> (u64::BITS - SEED_BITS)
}

/// The gap before an arrival: exponential, with the mean 1.
fn gap(seed: u64, number: u64) -> f64 {
    // More than 0 and at most 1.
    let uniform = (as_f64(random(seed, number) >> (u64::BITS - SEED_BITS)) + 1.0) / as_f64(1 << SEED_BITS);
    -uniform.ln()
}

/// The random number at this position, from 0, of `SplitMix64` (Steele, Lea and Flood, Fast
/// Splittable Pseudorandom Number Generators, 2014), whose state is a counter.
fn random(seed: u64, number: u64) -> u64 {
    let state = seed.wrapping_add(number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn positions(seed: u64, measured: Range<u64>) -> Vec<f64> {
        let end = measured.end;
        let mut positions = Poisson::new(seed, measured).unwrap().positions();
        (0..end).map(|number| positions.advance_to(number)).collect()
    }

    #[test]
    fn random_numbers_are_those_of_the_paper() {
        let expected = [0xE220_A839_7B1D_CDAF, 0x6E78_9E6A_A1B9_65F4, 0x06C4_5D18_8009_454F];
        assert_eq!([0, 1, 2].map(|number| random(0, number)), expected);
    }

    #[test]
    fn gaps_are_exponential() {
        const COUNT: u64 = 100_000;
        for seed in [0, 1, 2, 42, (1 << SEED_BITS) - 1] {
            let positions = positions(seed, 0..COUNT);
            let gaps: Vec<f64> = positions.windows(2).map(|pair| pair[1] - pair[0]).collect();
            let count = gaps.len() as f64;
            let mean = gaps.iter().sum::<f64>() / count;
            let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / count;
            // Five standard errors of 100,000 exponential gaps; the mean is exact but for both ends.
            assert!((mean - 1.0).abs() < 0.001, "{seed}: {mean}");
            assert!((variance - 1.0).abs() < 0.045, "{seed}: {variance}");
            for longer in [0.1, 1.0, 3.0] {
                let share = gaps.iter().filter(|gap| **gap > longer).count() as f64 / count;
                assert!((share - (-longer).exp()).abs() < 0.008, "{seed}: {share} are longer than {longer}");
            }
            // A gap says nothing about the next one.
            let products = gaps.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean));
            let correlation = products.sum::<f64>() / count / variance;
            assert!(correlation.abs() < 0.016, "{seed}: {correlation}");
        }
    }

    #[test]
    fn arrivals_are_within_their_part() {
        for (warm_up, end) in [(0, 1), (0, 1000), (300, 1000), (1, 2), (0, 0), (5, 5)] {
            let positions = positions(7, warm_up..end);
            assert!(positions.is_sorted(), "{warm_up} {end}");
            for (number, position) in (0..).zip(&positions) {
                let part = if number < warm_up { 0..warm_up } else { warm_up..end };
                let (first, last) = (as_f64(part.start), as_f64(part.end));
                assert!((first..=last).contains(position), "{number} of {part:?}: {position}");
            }
        }
    }

    #[test]
    fn a_seed_gives_its_times() {
        assert_eq!(positions(3, 10..100), positions(3, 10..100));
        assert_ne!(positions(3, 10..100), positions(4, 10..100));
        assert_ne!(random_seed(), random_seed());
        assert!(random_seed() < 1 << SEED_BITS);
        assert!(Poisson::new(1, 0..MOST + 1).is_err());
    }
}
