//! The order of runs.

/// One run to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Which workload, by its place.
    pub workload: usize,
    /// Which server or duplicate, by its place.
    pub contender: usize,
    /// Which repetition, from 1.
    pub repetition: u32,
}

/// Every run in order. Repetitions are the outer loop and the order of contenders, servers and a duplicate, is shuffled within each, so that a
/// drift of the machine hits all servers alike. `repetitions` has one number a workload. The same seed gives the
/// same order.
pub fn plan(repetitions: &[u32], contenders: usize, seed: u64) -> Vec<Planned> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut planned = Vec::new();
    for repetition in 1..=repetitions.iter().copied().max().unwrap_or(0) {
        for (workload, _) in repetitions.iter().enumerate().filter(|(_, wanted)| repetition <= **wanted) {
            let mut order: Vec<usize> = (0..contenders).collect();
            random.shuffle(&mut order);
            planned.extend(order.into_iter().map(|contender| Planned { workload, contender, repetition }));
        }
    }
    planned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_are_outside_and_servers_shuffled_inside() {
        let planned = plan(&[3, 1], 4, 7);
        let outer: Vec<_> = planned.chunks(4).map(|runs| (runs[0].repetition, runs[0].workload)).collect();
        assert_eq!(outer, [(1, 0), (1, 1), (2, 0), (3, 0)]);
        for runs in planned.chunks(4) {
            let mut contenders: Vec<_> = runs.iter().map(|run| run.contender).collect();
            contenders.sort_unstable();
            assert_eq!(contenders, [0, 1, 2, 3]);
        }
        let orders: Vec<Vec<_>> =
            planned.chunks(4).map(|runs| runs.iter().map(|run| run.contender).collect()).collect();
        assert!(orders.windows(2).any(|pair| pair[0] != pair[1]), "{orders:?}");
        assert_eq!(planned, plan(&[3, 1], 4, 7));
        assert_ne!(planned, plan(&[3, 1], 4, 8));
    }
}
