//! The figures of a measurement that a service for continuous benchmarking can track over time:
//! those that are the server's own, in units that do not change from one measurement to the next.
//!
//! A cell that is invalid or disturbed has none, and neither has the floor, a duplicate, a second load
//! tool or a search. Requests per second are tracked only where the server limited them: elsewhere
//! they would track the load tool.

use super::value::Figure;
use crate::analysis::statistics::Estimate;
use crate::analysis::summary::{Cell, RunFigure, WorkloadSummary};
use crate::store::record::{Bound, TaskRecord};

/// A figure of a server under a workload.
#[derive(Clone, Debug)]
pub struct Tracked {
    /// The workload's name.
    pub workload: String,
    /// The server's name.
    pub server: String,
    /// What the server printed for `--version`.
    pub version: Option<String>,
    /// What is measured.
    pub measure: Measure,
    /// Its median and interval, in seconds, bytes or requests per second.
    pub figure: Figure,
    /// The number of repetitions that have it.
    pub repetitions: usize,
}

/// What a tracked figure measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The server's CPU time per request.
    Cost,
    /// Requests per second that the server limited.
    Throughput,
    /// The 99th percentile of latency of an open loop.
    P99,
    /// The time from exec to the first response.
    FirstResponse,
    /// Memory per held connection.
    Memory,
    /// CPU time per second of a server with silent connections.
    Idle,
}

impl Measure {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Cost, Self::Throughput, Self::P99, Self::FirstResponse, Self::Memory, Self::Idle];

    /// What it is called.
    pub fn title(self) -> &'static str {
        match self {
            Self::Cost => "CPU time per request",
            Self::Throughput => "requests per second",
            Self::P99 => "latency p99",
            Self::FirstResponse => "first response",
            Self::Memory => "memory per connection",
            Self::Idle => "CPU time per second, idle",
        }
    }

    /// The symbol of the unit in which it is tracked, and what a stored figure is multiplied with. It is
    /// one unit whatever the figure is, since no service converts units.
    pub fn unit(self) -> (&'static str, f64) {
        match self {
            Self::Cost | Self::P99 | Self::FirstResponse | Self::Idle => ("ns", 1e9),
            Self::Throughput => ("requests/s", 1.0),
            Self::Memory => ("B", 1.0),
        }
    }

    fn of(self, summary: &WorkloadSummary, cell: &Cell) -> Option<Estimate> {
        let is_open_loop = summary.workload.rate.is_some();
        match (self, summary.workload.task) {
            (Self::Cost, TaskRecord::Load) => cell.estimate(RunFigure::COST.of_run),
            (Self::Throughput, TaskRecord::Load) if !is_open_loop => {
                let is_of_server = cell.bound().is_some_and(Bound::is_of_server);
                cell.estimate(RunFigure::THROUGHPUT.of_run).filter(|_| is_of_server)
            }
            (Self::P99, TaskRecord::Load) if is_open_loop => cell.estimate(|run| run.percentile(99)),
            (Self::FirstResponse, TaskRecord::Start) => cell.estimate(RunFigure::FIRST_ANSWER.of_run),
            (Self::Memory, TaskRecord::Hold) => cell.estimate(RunFigure::MEMORY.of_run),
            (Self::Idle, TaskRecord::Idle) => cell.estimate(RunFigure::IDLE.of_run),
            _ => None,
        }
    }
}

impl Tracked {
    /// `workload / server`, unique among the figures of one measure.
    pub fn name(&self) -> String {
        format!("{} / {}", self.workload, self.server)
    }

    /// The figure, and the ends of its interval, in the unit of its measure.
    pub fn in_unit(&self) -> (f64, Option<[f64; 2]>) {
        let (_, factor) = self.measure.unit();
        // Thousandths of these units are far below any noise.
        let rounded = |value: f64| (value * factor * 1e3).round() / 1e3;
        (rounded(self.figure.value), self.figure.interval.map(|ends| ends.map(rounded)))
    }
}

/// The figures to track, by workload and server.
pub(super) fn figures(summaries: &[WorkloadSummary]) -> Vec<Tracked> {
    let is_search =
        |summary: &WorkloadSummary| summary.workload.rate.as_ref().is_some_and(|rate| rate.limit.is_some());
    let own = summaries.iter().filter(|summary| !summary.is_check && !is_search(summary));
    own.flat_map(of_workload).collect()
}

fn of_workload<'a>(summary: &'a WorkloadSummary<'a>) -> impl Iterator<Item = Tracked> + 'a {
    let cells = summary.cells.iter().filter(|cell| cell.not_ranked().is_none());
    cells.flat_map(move |cell| {
        Measure::ALL.into_iter().filter_map(move |measure| {
            let estimate = measure.of(summary, cell)?;
            Some(Tracked {
                workload: summary.workload.name.clone(),
                server: cell.server.name.clone(),
                version: cell.server.version.clone(),
                measure,
                figure: estimate.into(),
                repetitions: estimate.values,
            })
        })
    })
}
