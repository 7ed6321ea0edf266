//! The order of runs.

use crate::servers::workload::Workload;

/// One run of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Planned {
    /// The workload's index.
    pub(super) workload: usize,
    /// The index of the contender: a server or the duplicate.
    pub(super) contender: usize,
    /// The repetition, from 1.
    pub(super) repetition: u32,
}

/// Returns all runs in order: suite by suite, as the workloads are given, and within a suite
/// repetition by repetition. Workloads whose rate depends on a search follow once the search is
/// done. In each repetition of a workload the order of the contenders is shuffled, so that a drift
/// of the machine affects all of them alike. The same seed gives the same order.
///
/// ```text
/// quick  1: quick-100 [c a b]  quick-1 [b a c]     one suite, two workloads, contenders a, b and c
///        2: quick-100 [a c b]  quick-1 [b c a]
/// article 1: …                                     begins when `quick` is done
/// ```
pub(super) fn plan(workloads: &[Workload], contenders: usize, seed: u64) -> Vec<Planned> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut planned = Vec::new();
    let mut first = 0;
    let is_together = |one: &Workload, next: &Workload| {
        one.suite == next.suite && one.follows_a_search() == next.follows_a_search()
    };
    for suite in workloads.chunk_by(is_together) {
        for repetition in 1..=suite.iter().map(|workload| workload.repetitions).max().unwrap_or(0) {
            let is_repeated = |(_, workload): &(usize, &Workload)| repetition <= workload.repetitions;
            for (place, _) in suite.iter().enumerate().filter(is_repeated) {
                let mut order: Vec<usize> = (0..contenders).collect();
                random.shuffle(&mut order);
                let run = |contender| Planned { workload: first + place, contender, repetition };
                planned.extend(order.into_iter().map(run));
            }
        }
        first += suite.len();
    }
    planned
}

/// Divides the runs of a plan, or of the rest of a plan, into repetitions of one workload.
pub(super) fn repetitions(plan: &[Planned]) -> impl Iterator<Item = &[Planned]> {
    plan.chunk_by(|one, next| (one.workload, one.repetition) == (next.workload, next.repetition))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_follow_each_other_and_contenders_are_shuffled_in_each_repetition() {
        let workloads = [("quick", 2), ("quick", 3), ("article", 1)]
            .map(|(suite, repetitions)| Workload::example(suite, repetitions));
        let planned = plan(&workloads, 4, 7);
        let outer: Vec<_> =
            repetitions(&planned).map(|runs| (runs[0].workload, runs[0].repetition)).collect();
        assert_eq!(outer, [(0, 1), (1, 1), (0, 2), (1, 2), (1, 3), (2, 1)]);
        let order = |runs: &[Planned]| runs.iter().map(|run| run.contender).collect::<Vec<_>>();
        let orders: Vec<Vec<usize>> = repetitions(&planned).map(order).collect();
        for order in &orders {
            let mut contenders = order.clone();
            contenders.sort_unstable();
            assert_eq!(contenders, [0, 1, 2, 3]);
        }
        assert!(orders.windows(2).any(|pair| pair[0] != pair[1]), "{orders:?}");
        assert_eq!(planned, plan(&workloads, 4, 7));
        assert_ne!(planned, plan(&workloads, 4, 8));
    }
}
