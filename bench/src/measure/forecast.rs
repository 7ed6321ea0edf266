//! How long the remaining runs take.

use std::time::Duration;

use crate::measure::plan::Planned;
use crate::measure::run;
use crate::servers::server::Server;
use crate::servers::workload::Workload;
use crate::text::numbers;

/// The time left. A run of a workload is expected to take the time that the workload's file
/// implies, and, once some runs are done, their average time, including retries. A budget limits
/// the total.
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
    /// The time that the runs may take in total, if their number is not fixed.
    budget: Option<Duration>,
}

/// Returns how long all runs of some workloads take, by the workloads' files and the servers'
/// manifests. `contenders` is the number of these servers and their duplicates.
pub(crate) fn total<'a>(
    workloads: impl IntoIterator<Item = &'a Workload>,
    servers: &[&Server],
    contenders: usize,
) -> Duration {
    let all = |workload: &Workload| expected(workload, servers) * workload.repetitions;
    let each: Duration = workloads.into_iter().map(all).sum();
    each.mul_f64(numbers::as_f64(contenders as u64))
}

/// How long a run of the workload takes, on average over the servers.
pub(super) fn expected(workload: &Workload, servers: &[&Server]) -> Duration {
    let times: Vec<Duration> = servers.iter().map(|server| run::expected(workload, server)).collect();
    let count = u32::try_from(times.len()).unwrap_or(u32::MAX);
    times.iter().sum::<Duration>().checked_div(count).unwrap_or_default()
}

impl Forecast {
    /// Makes the forecast for `runs`. `expected` has, for each workload, the expected time of one
    /// run and the budget of all of its runs.
    pub(super) fn new(
        expected: impl Iterator<Item = (Duration, Option<Duration>)>,
        runs: &[Planned],
    ) -> Self {
        let remaining =
            |(expected, budget)| Remaining { expected, left: 0, done: 0, taken: Duration::ZERO, budget };
        let mut workloads: Vec<Remaining> = expected.map(remaining).collect();
        for run in runs {
            workloads[run.workload].left += 1;
        }
        let mut forecast = Self { workloads };
        for workload in 0..forecast.workloads.len() {
            if !forecast.is_open(workload) {
                forecast.end(workload);
            }
        }
        forecast
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
        self.workloads.iter().map(Remaining::left).sum()
    }

    /// Whether the workload has runs left.
    pub(super) fn is_open(&self, workload: usize) -> bool {
        self.workloads[workload].left > 0
    }

    /// Whether `runs` further runs of the workload would exceed its budget.
    pub(super) fn is_spent(&self, workload: usize, runs: usize) -> bool {
        let workload = &self.workloads[workload];
        let next = workload.each() * u32::try_from(runs).unwrap_or(u32::MAX);
        workload.budget.is_some_and(|budget| workload.taken + next > budget)
    }

    /// Ends the workload, and gives the rest of its budget to the workloads that have runs left.
    /// Returns how many runs it had left.
    pub(super) fn end(&mut self, workload: usize) -> usize {
        let left = std::mem::take(&mut self.workloads[workload].left);
        let ended = &mut self.workloads[workload];
        let rest = ended.budget.take().map(|budget| budget.saturating_sub(ended.taken));
        let open = self.workloads.iter_mut().filter(|other| other.left > 0);
        let mut budgets: Vec<&mut Duration> = open.filter_map(|other| other.budget.as_mut()).collect();
        let count = u32::try_from(budgets.len()).unwrap_or(u32::MAX);
        if let Some(each) = rest.and_then(|rest| rest.checked_div(count)) {
            budgets.iter_mut().for_each(|budget| **budget += each);
        }
        left as usize
    }
}

impl Remaining {
    fn left(&self) -> Duration {
        let all = self.each() * self.left;
        self.budget.map_or(all, |budget| all.min(budget.saturating_sub(self.taken)))
    }

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
        let expected = [seconds(5), seconds(60)].map(|expected| (expected, None));
        let mut forecast = Forecast::new(expected.into_iter(), &runs);
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

    #[test]
    fn a_budget_limits_the_time_left_and_the_runs() {
        let seconds = Duration::from_secs;
        let runs = [0, 0, 0, 0, 1].map(|workload| Planned { workload, contender: 0, repetition: 1 });
        let expected = [(seconds(5), Some(seconds(12))), (seconds(1), None)];
        let mut forecast = Forecast::new(expected.into_iter(), &runs);
        assert_eq!(forecast.left(), seconds(12 + 1));
        let spent = |forecast: &Forecast| [1, 2, 3].map(|runs| forecast.is_spent(0, runs));
        assert_eq!(spent(&forecast), [false, false, true]);
        forecast.done(0, seconds(6));
        assert_eq!(spent(&forecast), [false, true, true]);
        assert_eq!(forecast.left(), seconds(6 + 1));
        assert!(!forecast.is_spent(1, 1000));
        assert_eq!((forecast.is_open(0), forecast.end(0), forecast.is_open(0)), (true, 3, false));
        assert_eq!(forecast.left(), seconds(1));
    }

    #[test]
    fn what_a_workload_leaves_of_its_budget_goes_to_the_others() {
        let seconds = Duration::from_secs;
        let runs: Vec<Planned> = [1, 2, 3]
            .iter()
            .flat_map(|workload| [Planned { workload: *workload, contender: 0, repetition: 1 }; 100])
            .collect();
        // The first has no run left, the last has no budget.
        let budgets = [Some(seconds(10)), Some(seconds(10)), Some(seconds(10)), None];
        let mut forecast = Forecast::new(budgets.into_iter().map(|budget| (seconds(1), budget)), &runs);
        let spent_from =
            |forecast: &Forecast, workload| (1..=100).find(|runs| forecast.is_spent(workload, *runs));
        assert_eq!([1, 2, 3].map(|workload| spent_from(&forecast, workload)), [Some(16), Some(16), None]);
        (0..5).for_each(|_| forecast.done(1, seconds(1)));
        forecast.end(1);
        assert_eq!([2, 3].map(|workload| spent_from(&forecast, workload)), [Some(26), None]);
        forecast.end(2);
        assert_eq!(forecast.left(), seconds(100));
    }
}
