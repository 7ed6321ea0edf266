//! Turns records into statements: cells, intervals, ranks, verdicts and comparisons of
//! measurements.

pub mod capacity;
pub mod changes;
pub mod compare;
pub(crate) mod explain;
pub mod history;
pub mod looks;
pub mod statistics;
pub mod summary;
pub mod verdict;
pub mod versus;
