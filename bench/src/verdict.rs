//! What bound a cell, and so what its figures are facts about.

use std::fmt;

use crate::record::{Measured, Record};
use crate::statistics::Estimate;
use crate::summary::Cell;

/// A side that used this share of its cores' time was held up by nothing else. What is missing to 1 are its start and its
/// end, and the moments in which it waits for the slowest connection.
pub const BUSY_FROM: f64 = 0.9;

/// What bound a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Its figures mean nothing, and why.
    Invalid(String),
    /// The server used its cores up: its throughput is a fact about the server.
    ServerBound,
    /// The load tool used its cores up: its throughput is a fact about the tool. Also where both did, since the tool may have
    /// been first.
    ClientBound,
    /// Neither was busy: the round trip is the fact.
    LatencyBound,
}

/// The verdict on all runs of a server under a workload; `None` where none has figures.
pub fn of(cell: &Cell) -> Option<Verdict> {
    let runs: Vec<(&Record, &Measured)> =
        cell.runs.iter().filter_map(|run| Some((*run, run.measured.as_ref()?))).collect();
    let utilisation = |share: &dyn Fn(&Record, &Measured) -> f64| {
        Estimate::of(runs.iter().map(|(record, run)| share(record, run)).collect())
    };
    let server = utilisation(&|record, run| run.server_utilisation(record.server_cores.len()))?;
    let tool = utilisation(&|record, run| run.tool_utilisation(record.tool_cores.len()))?;
    let errors: u64 = runs.iter().map(|(_, run)| run.error_count()).sum();
    let answered: u64 = runs.iter().map(|(_, run)| run.answered).sum();
    Some(match (tool.median >= BUSY_FROM, server.median >= BUSY_FROM) {
        _ if errors > 0 => Verdict::Invalid(format!("{errors} of {} requests failed", errors + answered)),
        (true, _) => Verdict::ClientBound,
        (false, true) => Verdict::ServerBound,
        (false, false) => Verdict::LatencyBound,
    })
}

impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Invalid(_) => "invalid",
            Self::ServerBound => "server",
            Self::ClientBound => "client",
            Self::LatencyBound => "latency",
        })
    }
}
