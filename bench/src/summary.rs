//! Records to cells: all runs of one server under one workload, and their figures in one number each.

use std::collections::HashMap;
use std::hash::Hash;

use crate::record::{Bound, ErrorRecord, Record, ServerRecord, TaskRecord, ToolRecord, WorkloadRecord};
use crate::statistics::{Estimate, Rank, median, ranks};

/// All cells of one workload under one tool.
#[derive(Debug)]
pub struct WorkloadSummary<'a> {
    /// The workload as it was run.
    pub workload: &'a WorkloadRecord,
    /// The tool that asked.
    pub tool: &'a ToolRecord,
    /// A cell a server: the best first, by the workload's leading figure, and those without it last.
    pub cells: Vec<Cell<'a>>,
    /// The A/A control: the cell of a server's twin.
    pub twin: Option<Cell<'a>>,
    /// Whether the tool is a second one, by which the first is checked.
    pub is_check: bool,
}

/// All runs of one server under one workload.
#[derive(Debug)]
pub struct Cell<'a> {
    /// The server as it was run.
    pub server: &'a ServerRecord,
    /// Its runs by time: the best attempt of each repetition.
    pub runs: Vec<&'a Record>,
    /// Attempts that others disturbed and that were done again.
    pub set_aside: usize,
}

/// A figure of a run.
pub type Figure = fn(&Record) -> Option<f64>;

/// Cells by workload and tool, in the order in which they were first run.
pub fn summarise(records: &[Record]) -> Vec<WorkloadSummary<'_>> {
    let mut known: Vec<&str> = Vec::new();
    let groups = grouped(records, |record| (&record.workload.name, &record.tool.name));
    let summaries = groups.into_iter().map(|group| {
        let is_check = known.contains(&group[0].workload.name.as_str());
        known.push(&group[0].workload.name);
        WorkloadSummary::of(group, is_check)
    });
    summaries.collect()
}

/// Records of the same key together, in the order in which keys were first seen.
fn grouped<'a, K: Eq + Hash>(
    records: impl IntoIterator<Item = &'a Record>,
    key: impl Fn(&'a Record) -> K,
) -> Vec<Vec<&'a Record>> {
    let mut places = HashMap::new();
    let mut groups: Vec<Vec<&Record>> = Vec::new();
    for record in records {
        let place = *places.entry(key(record)).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        groups[place].push(record);
    }
    groups
}

impl<'a> WorkloadSummary<'a> {
    /// The summary of the records of one workload under one tool, of which there is at least one.
    fn of(records: Vec<&'a Record>, is_check: bool) -> Self {
        let (workload, tool) = (&records[0].workload, &records[0].tool);
        let cells = grouped(records, |record| &record.server.name).into_iter().map(Cell::of);
        let (twins, mut cells): (Vec<Cell>, Vec<Cell>) =
            cells.partition(|cell| cell.server.twin_of.is_some());
        let worth = |cell: &Cell| cell.median(leading(workload)).unwrap_or(f64::INFINITY);
        cells.sort_by(|a, b| worth(a).total_cmp(&worth(b)));
        Self { workload, tool, cells, twin: twins.into_iter().next(), is_check }
    }

    /// Whether any server has figures.
    pub fn is_measured(&self) -> bool {
        self.cells.iter().any(|cell| cell.measured().next().is_some())
    }

    /// The figure by which servers are ranked; less is better.
    pub fn leading(&self) -> Figure {
        leading(self.workload)
    }

    /// The rank of each cell that has the leading figure.
    pub fn ranks(&self) -> Vec<Rank> {
        let leading = self.leading();
        let measured: Vec<&Cell> = self.cells.iter().filter(|cell| cell.median(leading).is_some()).collect();
        let noise = self.noise();
        ranks(measured.len(), |a, b| self.is_below(measured[a], measured[b], noise))
    }

    /// Whether the leading figure of `a` is below that of `b`, as far as can be told: their ratio, paired by repetition, says
    /// so, and by more than the noise.
    pub fn is_below(&self, a: &Cell, b: &Cell, noise: Option<f64>) -> bool {
        let ratio = a.ratio_to(b, self.leading());
        ratio.is_some_and(|ratio| ratio.is_below(1.0) && ratio.median < 1.0 - noise.unwrap_or(0.0))
    }

    /// How a server's twin differs from it in a figure: the truth is 1.
    pub fn control(&self, figure: Figure) -> Option<(&ServerRecord, Estimate)> {
        let twin = self.twin.as_ref()?;
        let cell = self.cells.iter().find(|cell| Some(&cell.server.name) == twin.server.twin_of.as_ref())?;
        Some((cell.server, twin.ratio_to(cell, figure)?))
    }

    /// The noise floor: how far from 1 the ratio of a server to itself may lie here and today, as a share.
    pub fn noise(&self) -> Option<f64> {
        self.noise_of(self.leading())
    }

    /// The same of another figure than the leading one.
    pub fn noise_of(&self, figure: Figure) -> Option<f64> {
        let (_, ratio) = self.control(figure)?;
        Some((ratio.high - 1.0).max(1.0 - ratio.low).max(0.0))
    }
}

/// Of a load, what a request costs; of a start, the time to the first answer; of connections that are held, their memory.
fn leading(workload: &WorkloadRecord) -> Figure {
    match workload.task {
        TaskRecord::Load => Record::cpu_per_request,
        TaskRecord::Start => |run| Some(run.start?.first_answer_seconds),
        TaskRecord::Hold => Record::memory_per_connection,
    }
}

impl<'a> Cell<'a> {
    /// The runs of one server under one workload, of which there is at least one: of several attempts at a repetition the one
    /// that others disturbed least.
    pub(crate) fn of(records: Vec<&'a Record>) -> Self {
        let server = &records[0].server;
        let mut best: HashMap<u32, usize> = HashMap::new();
        let mut runs: Vec<&Record> = Vec::with_capacity(records.len());
        let mut set_aside = 0;
        for record in records {
            let earlier = record.repetition.and_then(|repetition| best.get(&repetition).copied());
            let Some(place) = earlier else {
                best.extend(record.repetition.map(|repetition| (repetition, runs.len())));
                runs.push(record);
                continue;
            };
            set_aside += 1;
            if disturbance(record) < disturbance(runs[place]) {
                runs[place] = record;
            }
        }
        Self { server, runs, set_aside }
    }

    /// The runs that have figures.
    pub fn measured(&self) -> impl Iterator<Item = &'a Record> {
        self.runs.iter().copied().filter(|run| run.is_measured())
    }

    /// Why runs have no figures.
    pub fn failures(&self) -> impl Iterator<Item = &'a ErrorRecord> {
        self.runs.iter().filter_map(|run| run.error.as_ref())
    }

    /// A figure of all runs that have it.
    pub fn values(&self, figure: impl Fn(&Record) -> Option<f64>) -> Vec<f64> {
        self.measured().filter_map(figure).collect()
    }

    /// The median of one figure over all runs that have it.
    pub fn median(&self, figure: impl Fn(&Record) -> Option<f64>) -> Option<f64> {
        median(&mut self.values(figure))
    }

    /// The same with its interval, which takes thousands of medians.
    pub fn estimate(&self, figure: impl Fn(&Record) -> Option<f64>) -> Option<Estimate> {
        Estimate::of(self.values(figure))
    }

    /// Points of the percentile curve of all its runs: shares of the answers, and the seconds that they did not exceed.
    pub fn curve(&self) -> Vec<(f64, f64)> {
        Vec::new()
    }

    /// The ratio of a figure of this cell to that of another, taken within each repetition that both have, so that a
    /// drift of the machine between repetitions does not count.
    pub fn ratio_to(&self, other: &Cell, figure: impl Fn(&Record) -> Option<f64>) -> Option<Estimate> {
        let value = |run: &Record| Some((run.repetition?, figure(run)?));
        let others: HashMap<u32, f64> = other.measured().filter_map(value).collect();
        let ratio = |(repetition, value): (u32, f64)| {
            let other = others.get(&repetition)?;
            (*other > 0.0).then_some(value / other)
        };
        Estimate::of(self.measured().filter_map(value).filter_map(ratio).collect())
    }
}

/// How much others disturbed a run, to choose among attempts: a run that failed is the worst.
fn disturbance(record: &Record) -> f64 {
    match &record.verdict {
        Some(verdict) if verdict.bound == Bound::Disturbed => verdict.foreign_share.unwrap_or(1.0),
        Some(_) => 0.0,
        None => f64::INFINITY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::VerdictRecord;

    /// A run of a server whose requests cost so many microseconds.
    fn run(server: &str, repetition: u32, microseconds: f64) -> Record {
        let mut record = Record::example(server, repetition);
        record.cpu.as_mut().unwrap().server.seconds = microseconds / 1e3;
        record
    }

    fn disturbed(mut record: Record, share: f64) -> Record {
        record.verdict = Some(VerdictRecord {
            bound: Bound::Disturbed,
            reason: None,
            server_utilisation: 0.5,
            tool_utilisation: 0.5,
            foreign_share: Some(share),
            concurrency: None,
        });
        record
    }

    #[test]
    fn the_least_disturbed_attempt_counts() {
        let attempts = [
            disturbed(run("one", 1, 9.0), 0.3),
            disturbed(run("one", 1, 8.0), 0.1),
            disturbed(run("one", 1, 7.0), 0.2),
            run("one", 2, 6.0),
        ];
        let summaries = summarise(&attempts);
        let cell = &summaries[0].cells[0];
        let costs: Vec<f64> = cell.values(Record::cpu_per_request).iter().map(|cost| cost * 1e6).collect();
        assert_eq!((cell.set_aside, costs.len()), (2, 2));
        assert!((costs[0] - 8.0).abs() < 1e-9 && (costs[1] - 6.0).abs() < 1e-9, "{costs:?}");
    }

    #[test]
    fn differences_below_the_noise_are_none() {
        let records = |twins_cost: f64| {
            let mut records = Vec::new();
            for repetition in 1..=7 {
                let drift = 1.0 + f64::from(repetition);
                let mut twin = run("one-twin", repetition, 10.0 * drift * twins_cost);
                twin.server.twin_of = Some("one".into());
                records.extend([
                    run("one", repetition, 10.0 * drift),
                    run("two", repetition, 10.3 * drift),
                    twin,
                ]);
            }
            records
        };
        // The twin differs by a hundredth, or by a twentieth, which hides what is between the two.
        for (twins_cost, expected) in [(1.01, ["1", "2"]), (1.05, ["1–2", "1–2"])] {
            let records = records(twins_cost);
            let summaries = summarise(&records);
            let ranks: Vec<String> = summaries[0].ranks().iter().map(ToString::to_string).collect();
            assert_eq!(ranks, expected, "{twins_cost}");
            assert!((summaries[0].noise().unwrap() - (twins_cost - 1.0)).abs() < 1e-9);
        }
    }

    #[test]
    fn a_second_tool_is_a_check() {
        let mut second = run("one", 1, 5.0);
        second.tool.name = "wrk".into();
        let records = [run("one", 1, 5.0), second, run("two", 1, 5.0)];
        let summaries = summarise(&records);
        let shown: Vec<(&str, bool, usize)> = summaries
            .iter()
            .map(|summary| (summary.tool.name.as_str(), summary.is_check, summary.cells.len()))
            .collect();
        assert_eq!(shown, [("visit", false, 2), ("wrk", true, 1)]);
    }
}
