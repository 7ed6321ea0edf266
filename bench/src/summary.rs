//! Records to cells: all runs of one server under one workload, and their figures in one number each.

use crate::record::{Failure, Measured, Record, ServerRecord, WorkloadRecord};
use crate::statistics::{Estimate, Rank, median, ranks};

/// All cells of one workload.
#[derive(Debug)]
pub struct WorkloadSummary<'a> {
    /// The workload as it was run.
    pub workload: &'a WorkloadRecord,
    /// A cell a server: the cheapest first, by CPU time a request, and those without figures last.
    pub cells: Vec<Cell<'a>>,
}

/// All runs of one server under one workload.
#[derive(Debug)]
pub struct Cell<'a> {
    /// The server as it was run.
    pub server: &'a ServerRecord,
    /// Its runs by time.
    pub runs: Vec<&'a Record>,
}

/// Cells by workload, in the order in which workloads were first run.
pub fn summarise(records: &[Record]) -> Vec<WorkloadSummary<'_>> {
    let mut summaries: Vec<WorkloadSummary> = Vec::new();
    for record in records {
        let at = summaries.iter().position(|summary| summary.workload.name == record.workload.name);
        let at = at.unwrap_or_else(|| {
            summaries.push(WorkloadSummary { workload: &record.workload, cells: Vec::new() });
            summaries.len() - 1
        });
        let cells = &mut summaries[at].cells;
        match cells.iter_mut().find(|cell| cell.server.name == record.server.name) {
            Some(cell) => cell.runs.push(record),
            None => cells.push(Cell { server: &record.server, runs: vec![record] }),
        }
    }
    for summary in &mut summaries {
        let cost = |cell: &Cell| cell.median(Measured::cpu_per_request).unwrap_or(f64::INFINITY);
        summary.cells.sort_by(|a, b| cost(a).total_cmp(&cost(b)));
    }
    summaries
}

impl WorkloadSummary<'_> {
    /// The rank of each cell by CPU time a request. One beats another when their ratio, paired by repetition, says so.
    pub fn ranks(&self) -> Vec<Rank> {
        let measured: Vec<&Cell> = self.cells.iter().filter(|cell| cell.measured().count() > 0).collect();
        ranks(measured.len(), |a, b| {
            let ratio = measured[a].ratio_to(measured[b], Measured::cpu_per_request);
            ratio.is_some_and(|ratio| ratio.is_below(1.0))
        })
    }
}

impl<'a> Cell<'a> {
    /// The figures of its runs that have some.
    pub fn measured(&self) -> impl Iterator<Item = &'a Measured> {
        self.runs.iter().filter_map(|run| run.measured.as_ref())
    }

    /// Why runs have no figures.
    pub fn failures(&self) -> impl Iterator<Item = &'a Failure> {
        self.runs.iter().filter_map(|run| run.failure.as_ref())
    }

    /// The median of one figure over all runs that have it.
    pub fn median(&self, figure: impl Fn(&Measured) -> Option<f64>) -> Option<f64> {
        median(&mut self.measured().filter_map(figure).collect::<Vec<_>>())
    }

    /// The same with its interval, which takes thousands of medians.
    pub fn estimate(&self, figure: impl Fn(&Measured) -> Option<f64>) -> Option<Estimate> {
        Estimate::of(self.measured().filter_map(figure).collect())
    }

    /// The ratio of a figure of this cell to that of another, taken within each repetition that both have, so that a
    /// drift of the machine between repetitions does not count.
    pub fn ratio_to(&self, other: &Cell, figure: impl Fn(&Measured) -> Option<f64>) -> Option<Estimate> {
        let value = |run: &Record| Some((run.repetition?, figure(run.measured.as_ref()?)?));
        let others: Vec<(u32, f64)> = other.runs.iter().filter_map(|run| value(run)).collect();
        let ratio = |(repetition, value): (u32, f64)| {
            let (_, other) = others.iter().find(|(theirs, _)| *theirs == repetition)?;
            (*other > 0.0).then_some(value / other)
        };
        Estimate::of(self.runs.iter().filter_map(|run| value(run)).filter_map(ratio).collect())
    }
}
