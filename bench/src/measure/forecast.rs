//! How long the remaining runs take.

use std::time::Duration;

use crate::measure::plan::Planned;
use crate::measure::run;
use crate::servers::workload::Workload;
use crate::text::numbers;

/// The time left: runs of each workload are expected to take what its file says, and once some are
/// done, what those have taken on average, their retries included.
pub(super) struct Forecast {
    workloads: Vec<Remaining>,
}

struct Remaining {
    /// How long a run takes by the workload's file.
    expected: Duration,
    left: u32,
    done: u32,
    /// How long the runs that are done have taken in total.
    taken: Duration,
}

/// How long all runs of some workloads take with this number of contenders, by the workloads' files.
pub(crate) fn total<'a>(workloads: impl IntoIterator<Item = &'a Workload>, contenders: usize) -> Duration {
    let each: Duration =
        workloads.into_iter().map(|workload| run::expected(workload) * workload.repetitions).sum();
    each.mul_f64(numbers::as_f64(contenders as u64))
}

impl Forecast {
    /// For runs of workloads that are expected to take `expected` each.
    pub(super) fn new(expected: impl Iterator<Item = Duration>, runs: &[Planned]) -> Self {
        let remaining = |expected| Remaining { expected, left: 0, done: 0, taken: Duration::ZERO };
        let mut workloads: Vec<Remaining> = expected.map(remaining).collect();
        for run in runs {
            workloads[run.workload].left += 1;
        }
        Self { workloads }
    }

    /// Counts a run of the workload that took `taken`.
    pub(super) fn done(&mut self, workload: usize, taken: Duration) {
        let workload = &mut self.workloads[workload];
        workload.left -= 1;
        workload.done += 1;
        workload.taken += taken;
    }

    /// How long the remaining runs take.
    pub(super) fn left(&self) -> Duration {
        self.workloads.iter().map(|workload| workload.each() * workload.left).sum()
    }
}

impl Remaining {
    fn each(&self) -> Duration {
        self.taken.checked_div(self.done).unwrap_or(self.expected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_plan_and_then_what_runs_have_taken() {
        let seconds = Duration::from_secs;
        let runs = [0, 0, 1, 0, 1].map(|workload| Planned { workload, contender: 0, repetition: 1 });
        let mut forecast = Forecast::new([seconds(5), seconds(60)].into_iter(), &runs);
        // The run that is done, as its workload and how long it took, and the time left after it.
        let steps = [
            (None, 3 * 5 + 2 * 60),
            (Some((0, 6)), 2 * 6 + 2 * 60),
            (Some((0, 8)), 7 + 2 * 60),
            (Some((1, 50)), 7 + 50),
            (Some((0, 5)), 50),
            (Some((1, 50)), 0),
        ];
        for (done, left) in steps {
            if let Some((workload, taken)) = done {
                forecast.done(workload, seconds(taken));
            }
            assert_eq!(forecast.left(), seconds(left), "{done:?}");
        }
    }
}
