//! How long the runs take that are left.

use std::time::Duration;

/// By the plan at first; then by what runs of the same workload have taken, all of their attempts with them.
pub(super) struct Forecast {
    workloads: Vec<Workload>,
}

struct Workload {
    /// How long a run takes, as planned.
    expected: Duration,
    left: u32,
    done: u32,
    /// How long those have taken that are done.
    took: Duration,
}

impl Forecast {
    /// Of runs that take as long as `expected` says of each workload; `runs` has the workload of each.
    pub(super) fn new(expected: impl Iterator<Item = Duration>, runs: impl Iterator<Item = usize>) -> Self {
        let workload = |expected| Workload { expected, left: 0, done: 0, took: Duration::ZERO };
        let mut workloads: Vec<Workload> = expected.map(workload).collect();
        for run in runs {
            workloads[run].left += 1;
        }
        Self { workloads }
    }

    /// One of the workload's runs is done.
    pub(super) fn done(&mut self, workload: usize, took: Duration) {
        let workload = &mut self.workloads[workload];
        workload.left -= 1;
        workload.done += 1;
        workload.took += took;
    }

    /// How long all take that are left.
    pub(super) fn left(&self) -> Duration {
        self.workloads.iter().map(|workload| workload.each() * workload.left).sum()
    }
}

impl Workload {
    fn each(&self) -> Duration {
        self.took.checked_div(self.done).unwrap_or(self.expected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_by_the_plan_and_then_by_what_runs_have_taken() {
        let seconds = Duration::from_secs;
        let mut forecast = Forecast::new([seconds(5), seconds(60)].into_iter(), [0, 0, 1, 0, 1].into_iter());
        // The workload that is done, how long it took, and how long the others take.
        let steps = [
            (None, 3 * 5 + 2 * 60),
            (Some((0, 6)), 2 * 6 + 2 * 60),
            (Some((0, 8)), 7 + 2 * 60),
            (Some((1, 50)), 7 + 50),
            (Some((0, 5)), 50),
            (Some((1, 50)), 0),
        ];
        for (done, left) in steps {
            if let Some((workload, took)) = done {
                forecast.done(workload, seconds(took));
            }
            assert_eq!(forecast.left(), seconds(left), "{done:?}");
        }
    }
}
