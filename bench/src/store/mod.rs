//! Stored data: records of runs, drills and microbenchmarks, and the result folder with them.

pub mod drills;
pub mod microbench;
pub mod record;
pub mod results;
