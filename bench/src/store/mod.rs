//! What is stored: one record per run, the findings of drills, the figures of microbenchmarks, and
//! the result folder that holds them.

pub mod drills;
pub mod microbench;
pub mod record;
pub mod results;
