//! Runs in slices: the servers of a repetition are measured in turn, each for a moment at a time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::numbers::as_f64;

/// The slices of a run. A column has a value per slice. The servers of a repetition were measured
/// in blocks. Every server had one slice in each block; a slow server had one only in every n-th
/// block.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SlicesRecord {
    /// The planned length of a slice, without its warm-up.
    pub seconds: f64,
    /// The length of the warm-up directly before each slice, which is in no figure.
    pub warm_up_seconds: f64,
    /// The block that each slice belongs to, from 1.
    pub block: Vec<u32>,
    /// When each slice began, from the beginning of the repetition's first slice.
    pub began_seconds: Vec<f64>,
    /// The time from the first request of each slice to its last answer, by the tool's clock.
    pub elapsed_seconds: Vec<f64>,
    /// Answers with a 2xx status.
    pub answered: Vec<u64>,
    /// The server's CPU time.
    pub server_seconds: Vec<f64>,
    /// The tool's CPU time.
    pub tool_seconds: Vec<f64>,
    /// How often a thread of the server gave up its core or was preempted; `null` where unknown.
    pub server_switches: Option<Vec<u64>>,
    /// Time that the used cores spent on other processes, interrupts and other machines. The kernel
    /// counts it in hundredths of a second. `null` where unknown.
    pub external_seconds: Option<Vec<f64>>,
    /// The part of `external_seconds` that other machines on the same hardware took (steal).
    pub steal_seconds: Option<Vec<f64>>,
    /// Time for which the container's quota throttled its processes; `null` where the kernel does not
    /// report it.
    pub throttled_seconds: Option<Vec<f64>>,
    /// The numbers, from 0, of the slices that other work or the container's quota disturbed. The
    /// figures of the run and its ratios leave them out, unless they are more than half of all slices.
    pub disturbed: Vec<usize>,
}

impl SlicesRecord {
    /// The number of slices.
    pub fn len(&self) -> usize {
        self.answered.len()
    }

    /// Whether there are no slices.
    pub fn is_empty(&self) -> bool {
        self.answered.is_empty()
    }

    /// Whether more than half of the slices were disturbed, so that the others would say little.
    pub fn is_disturbed(&self) -> bool {
        self.disturbed.len() * 2 > self.len()
    }

    /// The numbers of the slices that count in figures.
    pub fn counted(&self) -> impl Iterator<Item = usize> {
        let is_all = self.is_disturbed();
        (0..self.len()).filter(move |slice| is_all || !self.disturbed.contains(slice))
    }

    /// The server's CPU time per 2xx answer in a slice.
    pub fn cpu_per_request(&self, slice: usize) -> Option<f64> {
        let answered = *self.answered.get(slice)?;
        (answered > 0).then_some(self.server_seconds.get(slice)? / as_f64(answered))
    }

    /// 2xx answers per second in a slice.
    pub fn per_second(&self, slice: usize) -> Option<f64> {
        Some(as_f64(*self.answered.get(slice)?) / self.elapsed_seconds.get(slice)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disturbed_slices_do_not_count_unless_most_are() {
        let slices = |disturbed: &[usize]| SlicesRecord {
            block: vec![1, 2, 3, 4],
            answered: vec![100, 200, 0, 400],
            elapsed_seconds: vec![0.1, 0.1, 0.1, 0.2],
            server_seconds: vec![0.01, 0.02, 0.03, 0.08],
            disturbed: disturbed.to_vec(),
            ..SlicesRecord::default()
        };
        let cases: [(&[usize], &[usize]); 4] =
            [(&[], &[0, 1, 2, 3]), (&[1], &[0, 2, 3]), (&[0, 3], &[1, 2]), (&[0, 1, 3], &[0, 1, 2, 3])];
        for (disturbed, expected) in cases {
            let slices = slices(disturbed);
            assert_eq!((slices.len(), slices.counted().collect::<Vec<_>>()), (4, expected.to_vec()));
        }
        let slices = slices(&[]);
        let costs: Vec<Option<f64>> = (0..5).map(|slice| slices.cpu_per_request(slice)).collect();
        assert_eq!(costs, [Some(0.0001), Some(0.0001), None, Some(0.0002), None]);
        assert_eq!((slices.per_second(3), slices.per_second(4)), (Some(2000.0), None));
    }
}
