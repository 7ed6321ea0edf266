//! The figures of a measurement that a service for continuous benchmarking can track over time:
//! those that are the server's own, in units that do not change from one measurement to the next.
//!
//! Cells that are invalid or disturbed have none, and neither have the floor, a duplicate or a
//! second load tool. Requests per second are tracked only if the server limited them: otherwise
//! they would track the load tool. A search has the capacity that it found, and no other figure.

use super::value::Figure;
use crate::analysis::capacity::{self, Capacity};
use crate::analysis::statistics::Estimate;
use crate::analysis::summary::{Cell, RunFigure, WorkloadSummary};
use crate::store::record::{Bound, LimitRecord, TaskRecord};

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
    /// The number of repetitions that have the figure, or the number of probes of a search.
    pub repetitions: usize,
}

/// What a tracked figure measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The server's CPU time per request.
    Cost,
    /// Requests per second that the server limited.
    Throughput,
    /// The highest rate within a limit of latency, as a search found it.
    Capacity,
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
    /// All measures.
    pub const ALL: [Self; 7] = [
        Self::Cost,
        Self::Throughput,
        Self::Capacity,
        Self::P99,
        Self::FirstResponse,
        Self::Memory,
        Self::Idle,
    ];

    /// Whether a larger figure is better.
    pub fn is_larger_better(self) -> bool {
        matches!(self, Self::Throughput | Self::Capacity)
    }

    /// The name of the measure, for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Cost => "CPU time per request",
            Self::Throughput => "requests per second",
            Self::Capacity => "capacity",
            Self::P99 => "latency p99",
            Self::FirstResponse => "first response",
            Self::Memory => "memory per connection",
            Self::Idle => "CPU time per second, idle",
        }
    }

    /// The symbol of the unit in which the measure is tracked, and the factor that a stored figure
    /// is multiplied by. The unit does not depend on the figure, since no service converts units.
    pub fn unit(self) -> (&'static str, f64) {
        match self {
            Self::Cost | Self::P99 | Self::FirstResponse | Self::Idle => ("ns", 1e9),
            Self::Throughput | Self::Capacity => ("requests/s", 1.0),
            Self::Memory => ("B", 1.0),
        }
    }

    fn estimate(self, summary: &WorkloadSummary, cell: &Cell) -> Option<Estimate> {
        let is_open_loop = summary.workload.rate.is_some();
        match (self, summary.workload.task) {
            (Self::Cost, TaskRecord::Load) => cell.estimate(RunFigure::COST.per_run),
            (Self::Throughput, TaskRecord::Load) if !is_open_loop => {
                let is_of_server = cell.bound().is_some_and(Bound::is_of_server);
                cell.estimate(RunFigure::THROUGHPUT.per_run).filter(|_| is_of_server)
            }
            (Self::P99, TaskRecord::Load) if is_open_loop => cell.estimate(|run| run.percentile(99)),
            (Self::FirstResponse, TaskRecord::Start) => cell.estimate(RunFigure::FIRST_ANSWER.per_run),
            (Self::Memory, TaskRecord::Hold) => cell.estimate(RunFigure::MEMORY.per_run),
            (Self::Idle, TaskRecord::Idle) => cell.estimate(RunFigure::IDLE.per_run),
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
    let limit = |summary: &WorkloadSummary| summary.workload.rate.as_ref()?.limit;
    let own = summaries.iter().filter(|summary| !summary.is_check);
    own.flat_map(|summary| match limit(summary) {
        Some(limit) => capacities(summary, limit),
        None => figures_by_measure(summary).collect(),
    })
    .collect()
}

/// The capacity that a search found for each server. Probes that exceeded the limit are not
/// failures.
fn capacities(summary: &WorkloadSummary, limit: LimitRecord) -> Vec<Tracked> {
    let of_cell = |cell: &Cell| {
        let Capacity { kept, exceeded } = capacity::from_cell(cell, limit)?;
        let figure = Figure { value: kept, interval: exceeded.map(|exceeded| [kept, exceeded]) };
        Some(tracked(summary, cell, Measure::Capacity, figure, cell.measured().count()))
    };
    summary.cells.iter().filter_map(of_cell).collect()
}

fn tracked(
    summary: &WorkloadSummary,
    cell: &Cell,
    measure: Measure,
    figure: Figure,
    repetitions: usize,
) -> Tracked {
    Tracked {
        workload: summary.workload.name.clone(),
        server: cell.server.name.clone(),
        version: cell.server.version.clone(),
        measure,
        figure,
        repetitions,
    }
}

fn figures_by_measure<'a>(summary: &'a WorkloadSummary<'a>) -> impl Iterator<Item = Tracked> + 'a {
    let cells = summary.cells.iter().filter(|cell| cell.not_ranked().is_none());
    cells.flat_map(move |cell| {
        Measure::ALL.into_iter().filter_map(move |measure| {
            let estimate = measure.estimate(summary, cell)?;
            Some(tracked(summary, cell, measure, estimate.into(), estimate.values))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::summary::summarise;
    use crate::store::record::{OpenLoopRecord, RateRecord, Record};

    /// A probe of a search for a 99th percentile of 1 ms, below a peak of 1,000/s.
    fn probe(server: &str, repetition: u32, rate: u32, p99_seconds: f64) -> Record {
        let mut run = Record::example(server, repetition);
        let limit = Some(LimitRecord { percentile: 99.0, seconds: 1e-3 });
        run.workload.rate = Some(RateRecord { limit, ..RateRecord::default() });
        run.set_bound(if p99_seconds > 1e-3 { Bound::Invalid } else { Bound::LatencyBound });
        let load = run.load.as_mut().unwrap();
        load.answered = rate.into();
        load.open_loop = Some(OpenLoopRecord {
            rate_per_second: rate.into(),
            peak_per_second: Some(1000.0),
            held: Some(true),
            lag_p99_seconds: None,
        });
        run.latency.as_mut().unwrap().percentiles = [(99, p99_seconds)].into();
        run
    }

    #[test]
    fn a_search_has_the_capacity_that_it_found() {
        // Rates with their 99th percentiles in ms, and the figure with its interval.
        type Found = Option<(f64, Option<[f64; 2]>)>;
        let cases: [(&[(u32, f64)], Found); 4] = [
            (&[(500, 0.5), (700, 2.0), (600, 3.0)], Some((500.0, Some([500.0, 600.0])))),
            (&[(500, 0.5), (700, 0.6)], Some((700.0, None))),
            (&[(500, 2.0), (250, 2.0)], None),
            (&[], None),
        ];
        for (probes, expected) in cases {
            let run =
                |(repetition, (rate, p99)): (u32, &(u32, f64))| probe("one", repetition, *rate, p99 / 1e3);
            let records: Vec<Record> = (1..).zip(probes).map(run).collect();
            let found = figures(&summarise(&records));
            let shown = found.iter().map(|tracked| (tracked.figure.value, tracked.figure.interval)).next();
            assert_eq!(shown, expected, "{probes:?}");
            assert!(found.len() <= 1, "{found:?}");
            for tracked in found {
                assert_eq!((tracked.measure, tracked.repetitions), (Measure::Capacity, probes.len()));
            }
        }
    }
}
