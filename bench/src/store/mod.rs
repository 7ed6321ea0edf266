//! What is stored: records of runs, drills and microbenchmarks, and the folder that holds them.

pub mod drills;
pub mod microbench;
pub mod record;
pub mod results;
