//! Records to cells: all runs of one server under one workload, and their figures in one number each.

use crate::record::{Failure, Measured, Record, ServerRecord, WorkloadRecord};

/// A tool that used this share of its cores has set the pace itself: its throughput is a fact about the tool. What is
/// missing to 1 are its start and its end, and the moments in which it waits for the slowest connection.
pub const CLIENT_BOUND_FROM: f64 = 0.9;

/// All cells of one workload.
#[derive(Debug)]
pub struct WorkloadSummary<'a> {
    /// The workload as it was run.
    pub workload: &'a WorkloadRecord,
    /// A cell a server: the fastest first, and those without figures last.
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

/// The middle of some numbers, and how far they spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The smallest.
    pub min: f64,
    /// The median.
    pub median: f64,
    /// The largest.
    pub max: f64,
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
        let speed =
            |cell: &Cell| cell.spread(|run| Some(run.per_second())).map_or(-1.0, |spread| spread.median);
        summary.cells.sort_by(|a, b| speed(b).total_cmp(&speed(a)));
    }
    summaries
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

    /// One figure over all runs that have it.
    pub fn spread(&self, figure: impl Fn(&Measured) -> Option<f64>) -> Option<Spread> {
        Spread::of(self.measured().filter_map(figure).collect())
    }

    /// The ratio of a figure of this cell to that of another, taken within each repetition that both have, so that a
    /// drift of the machine between repetitions does not count.
    pub fn ratio_to(&self, other: &Cell, figure: impl Fn(&Measured) -> Option<f64>) -> Option<Spread> {
        let value = |run: &Record| Some((run.repetition?, figure(run.measured.as_ref()?)?));
        let others: Vec<(u32, f64)> = other.runs.iter().filter_map(|run| value(run)).collect();
        let ratio = |(repetition, value): (u32, f64)| {
            let (_, other) = others.iter().find(|(theirs, _)| *theirs == repetition)?;
            (*other > 0.0).then_some(value / other)
        };
        Spread::of(self.runs.iter().filter_map(|run| value(run)).filter_map(ratio).collect())
    }

    /// Whether the tool used its cores up in most runs: then the throughput is the tool's and not the server's.
    pub fn client_bound(&self) -> bool {
        let utilisation = |run: &&Record| Some(run.measured.as_ref()?.tool_utilisation(run.tool_cores.len()));
        let spread = Spread::of(self.runs.iter().filter_map(utilisation).collect());
        spread.is_some_and(|spread| spread.median >= CLIENT_BOUND_FROM)
    }
}

impl Spread {
    /// The spread of numbers, if there is one.
    pub fn of(mut numbers: Vec<f64>) -> Option<Self> {
        numbers.sort_by(f64::total_cmp);
        let (min, max) = (*numbers.first()?, *numbers.last()?);
        let (below, above) = (numbers[(numbers.len() - 1) / 2], numbers[numbers.len() / 2]);
        Some(Self { min, median: f64::midpoint(below, above), max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let cases: [(&[f64], Option<f64>); 4] =
            [(&[], None), (&[3.0], Some(3.0)), (&[4.0, 1.0], Some(2.5)), (&[9.0, 1.0, 2.0], Some(2.0))];
        for (numbers, expected) in cases {
            assert_eq!(Spread::of(numbers.to_vec()).map(|spread| spread.median), expected, "{numbers:?}");
        }
    }
}
