//! Groups records into cells, and ranks the cells.
//!
//! A cell is all runs of one server under one workload by one load tool. Seven repetitions, for
//! example, have seven values of each figure, and the cell has their median with an interval. A
//! [`WorkloadSummary`] has the cells of one workload, in the order of its *leading figure*: CPU
//! time per request for a load, the time to the first answer for a start, memory per connection for
//! held connections, CPU time per second for idle connections. Servers are ranked by it, except
//! those whose cell is invalid or disturbed. Two more cells put the differences in proportion: the
//! floor shows the least that any server needs, and the duplicate, a server that is measured twice,
//! shows how much equal servers differ.

mod cell;

use crate::analysis::statistics::{self, Estimate, Rank};
use crate::store::record::{
    Record, ServerRecord, SlicesRecord, TaskRecord, ToolRecord, UntilRecord, WorkloadRecord,
};

use cell::Repeated;

pub use cell::Cell;

/// All cells of one workload under one tool.
#[derive(Debug)]
pub struct WorkloadSummary<'a> {
    /// The workload as it was run.
    pub workload: &'a WorkloadRecord,
    /// The load tool.
    pub tool: &'a ToolRecord,
    /// One cell per server, the best first by the leading figure: those that are ranked, then those
    /// that are invalid or disturbed, then those without the figure.
    pub cells: Vec<Cell<'a>>,
    /// The floor, with which servers are compared: the cheapest, if there are several.
    pub floor: Option<Cell<'a>>,
    /// The A/A control: the cell of a server's duplicate.
    pub duplicate: Option<Cell<'a>>,
    /// Whether the tool is the second one, whose figures are a cross-check of the first one's.
    pub is_check: bool,
    ranks: Vec<Rank>,
}

/// A figure of a run, and also of each slice where slices have the figure.
#[derive(Clone, Copy, Debug)]
pub struct RunFigure {
    /// Returns the figure of a run.
    pub per_run: fn(&Record) -> Option<f64>,
    /// Returns the figure of a slice, by the slice's number; `None` where slices do not have it.
    pub per_slice: Option<fn(&SlicesRecord, usize) -> Option<f64>>,
}

impl RunFigure {
    /// The server's CPU time per 2xx answer, in seconds.
    pub const COST: Self =
        Self { per_run: Record::cpu_per_request, per_slice: Some(SlicesRecord::cpu_per_request) };
    /// 2xx answers per second.
    pub const THROUGHPUT: Self =
        Self { per_run: Record::per_second, per_slice: Some(SlicesRecord::per_second) };
    /// The time from exec to the first answer, in seconds.
    pub const FIRST_ANSWER: Self = Self::whole(|run| Some(run.start?.first_answer_seconds));
    /// Memory per held connection, in bytes.
    pub const MEMORY: Self = Self::whole(Record::memory_per_connection);

    /// CPU time per second without a request, as a share of a core.
    pub const IDLE: Self = Self::whole(Record::idle_cpu);

    /// A figure that a slice does not have.
    pub const fn whole(per_run: fn(&Record) -> Option<f64>) -> Self {
        Self { per_run, per_slice: None }
    }
}

/// Returns a summary per workload and tool, in the order in which they were first run.
pub fn summarise(records: &[Record]) -> Vec<WorkloadSummary<'_>> {
    let mut known: Vec<&str> = Vec::new();
    let groups = grouped(records.iter().map(|run| ((&run.workload.name, &run.tool.name), run)));
    let summaries = groups.into_iter().map(|((workload, _), runs)| {
        let is_check = known.contains(&workload.as_str());
        known.push(workload);
        WorkloadSummary::new(runs, is_check)
    });
    summaries.collect()
}

/// Groups values by their keys, in the order in which the keys first occur.
pub(crate) fn grouped<K: PartialEq, V>(pairs: impl IntoIterator<Item = (K, V)>) -> Vec<(K, Vec<V>)> {
    let mut groups: Vec<(K, Vec<V>)> = Vec::new();
    for (key, value) in pairs {
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, values)) => values.push(value),
            None => groups.push((key, vec![value])),
        }
    }
    groups
}

impl<'a> WorkloadSummary<'a> {
    /// The summary of the records of one workload under one tool, of which there is at least one.
    pub(crate) fn new(records: Vec<&'a Record>, is_check: bool) -> Self {
        let (workload, tool) = (&records[0].workload, &records[0].tool);
        let by_server = grouped(records.into_iter().map(|run| (&run.server.name, run)));
        let cells = by_server.into_iter().map(|(_, runs)| Cell::new(runs));
        let (duplicates, cells): (Vec<Cell>, Vec<Cell>) =
            cells.partition(|cell| cell.server.duplicate_of.is_some());
        let keyed = |cell: Cell<'a>| {
            let figure = cell.median(leading(workload).per_run);
            let part = if figure.is_none() { 2 } else { u8::from(cell.not_ranked().is_some()) };
            (part, figure.unwrap_or_default(), cell)
        };
        let mut cells: Vec<(u8, f64, Cell)> = cells.into_iter().map(keyed).collect();
        cells.sort_by(|(part, a, _), (other, b, _)| part.cmp(other).then(a.total_cmp(b)));
        let cells = cells.into_iter().map(|(_, _, cell)| cell);
        let (floors, cells): (Vec<Cell>, Vec<Cell>) = cells.partition(|cell| cell.server.is_floor);
        let (floor, duplicate) = (floors.into_iter().next(), duplicates.into_iter().next());
        let mut summary = Self { workload, tool, cells, floor, duplicate, is_check, ranks: Vec::new() };
        summary.ranks = summary.rank();
        summary
    }

    fn rank(&self) -> Vec<Rank> {
        self.ranks_among(|_| true).into_iter().map(|(_, rank)| rank).collect()
    }

    /// Returns the cells that have a rank and for which `is_meant` returns true, each with its rank
    /// among these cells, the best first.
    pub fn ranks_among(&self, is_meant: impl Fn(&Cell) -> bool) -> Vec<(&Cell<'a>, Rank)> {
        let (leading, noise, looks) = (self.leading(), self.noise(), self.looks());
        let is_ranked = |cell: &&Cell| cell.not_ranked().is_none() && cell.median(leading.per_run).is_some();
        let cells: Vec<&Cell> = self.cells.iter().filter(is_ranked).filter(|cell| is_meant(cell)).collect();
        let figures: Vec<_> = cells.iter().map(|cell| cell.by_repetition(leading)).collect();
        let ranks = statistics::ranks(cells.len(), |a, b| is_below(&figures[a], &figures[b], looks, noise));
        cells.into_iter().zip(ranks).collect()
    }

    /// The condition under which the repetitions end; `None` where their number was fixed.
    pub fn until(&self) -> Option<UntilRecord> {
        self.cells.iter().flat_map(|cell| &cell.runs).find_map(|run| run.until)
    }

    fn looks(&self) -> usize {
        self.until().map_or(1, |until| until.looks)
    }

    /// The floor, where it was run, and then the servers.
    pub fn with_floor(&self) -> impl Iterator<Item = &Cell<'a>> {
        self.floor.iter().chain(&self.cells)
    }

    /// The cell of a server, or of the floor.
    pub fn cell(&self, server: &str) -> Option<&Cell<'a>> {
        self.with_floor().find(|cell| cell.name() == server)
    }

    /// Whether any server, or the floor, has figures.
    pub fn is_measured(&self) -> bool {
        self.with_floor().any(|cell| cell.measured().next().is_some())
    }

    /// The figure by which servers are ranked; less is better.
    pub fn leading(&self) -> RunFigure {
        leading(self.workload)
    }

    /// The ranks of the cells that have one, which are the first ones, in their order: the others
    /// are invalid or disturbed, or have no leading figure.
    pub fn ranks(&self) -> &[Rank] {
        &self.ranks
    }

    /// The cells that have a rank, the best first.
    pub fn ranked(&self) -> impl Iterator<Item = (&Cell<'a>, Rank)> {
        self.cells.iter().zip(self.ranks.iter().copied())
    }

    /// Whether the leading figure of `a` is below the figure of `b`: the interval of their ratio,
    /// paired by repetition, lies below 1, and the median is below 1 by more than the noise. False
    /// where either is not ranked.
    pub fn is_below(&self, a: &Cell, b: &Cell, noise: Option<f64>) -> bool {
        if a.not_ranked().or(b.not_ranked()).is_some() {
            return false;
        }
        let [a, b] = [a, b].map(|cell| cell.by_repetition(self.leading()));
        is_below(&a, &b, self.looks(), noise)
    }

    /// Returns the server that has a duplicate, and the ratio of the duplicate to it, which would
    /// be 1 without noise; `None` where either is not ranked.
    pub fn control(&self, figure: RunFigure) -> Option<(&ServerRecord, Estimate)> {
        let duplicate = self.duplicate.as_ref()?;
        let cell = self.cell(duplicate.server.duplicate_of.as_ref()?)?;
        Some((cell.server, duplicate.ratio_to(cell, figure)?))
    }

    /// The noise floor: the distance from 1 to the farther end of the interval of the duplicate's
    /// ratio to its server.
    pub fn noise(&self) -> Option<f64> {
        self.noise_of(self.leading())
    }

    /// The noise floor of any figure.
    pub fn noise_of(&self, figure: RunFigure) -> Option<f64> {
        let (_, ratio) = self.control(figure)?;
        Some((ratio.high - 1.0).max(1.0 - ratio.low).max(0.0))
    }
}

/// Whether `these` figures are below `those`. Both are in the order of repetitions.
fn is_below(these: &[Repeated], those: &[Repeated], looks: usize, noise: Option<f64>) -> bool {
    let ratio = Estimate::from_looks(cell::ratios(these, those), looks);
    ratio.is_some_and(|ratio| ratio.is_below(1.0) && ratio.median < 1.0 - noise.unwrap_or(0.0))
}

fn leading(workload: &WorkloadRecord) -> RunFigure {
    match workload.task {
        TaskRecord::Load => RunFigure::COST,
        TaskRecord::Start => RunFigure::FIRST_ANSWER,
        TaskRecord::Hold => RunFigure::MEMORY,
        TaskRecord::Idle => RunFigure::IDLE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::record::{Bound, ErrorKind, ErrorRecord};

    /// A run of a server with this CPU time per request.
    fn run(server: &str, repetition: u32, microseconds: f64) -> Record {
        let mut record = Record::example(server, repetition);
        record.set_cpu_seconds(microseconds / 1e3);
        record
    }

    fn disturbed(mut record: Record, share: f64) -> Record {
        record.set_bound(Bound::Disturbed);
        let cpu = record.cpu.as_mut().unwrap();
        cpu.external_seconds = Some(share * cpu.wall_seconds);
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
    fn an_attempt_that_was_not_disturbed_counts() {
        let mut throttled = disturbed(run("one", 1, 9.0), 0.0);
        throttled.cpu.as_mut().unwrap().throttled_seconds = Some(0.5);
        let start = |error: Option<ErrorKind>| {
            let mut run = run("one", 1, if error.is_some() { 9.0 } else { 1.0 });
            run.error = error.map(|kind| ErrorRecord { kind, message: String::new() });
            (run.load, run.verdict) = (None, None);
            run
        };
        let cases = [
            ("a quota throttled the first", [throttled, run("one", 1, 1.0)]),
            ("the first lost its host", [start(Some(ErrorKind::HostLost)), start(None)]),
        ];
        for (name, attempts) in cases {
            let seconds = attempts.each_ref().map(|run| run.cpu.as_ref().unwrap().server.unwrap().seconds);
            for order in [[0, 1], [1, 0]] {
                let cell = Cell::new(order.map(|index| &attempts[index]).to_vec());
                let counted = cell.runs[0].cpu.as_ref().unwrap().server.unwrap().seconds;
                assert!(counted == seconds[1], "{name}, {order:?}");
            }
        }
    }

    #[test]
    fn differences_below_the_noise_floor_do_not_count() {
        let records = |duplicates_cost: f64| {
            let mut records = Vec::new();
            for repetition in 1..=7 {
                let drift = 1.0 + f64::from(repetition);
                let mut duplicate = run("one-duplicate", repetition, 10.0 * drift * duplicates_cost);
                duplicate.server.duplicate_of = Some("one".into());
                let [one, two] =
                    [("one", 10.0), ("two", 10.3)].map(|(name, cost)| run(name, repetition, cost * drift));
                records.extend([one, two, duplicate]);
            }
            records
        };
        // The duplicate differs by 1 %, or by 5 %, which hides the 3 % between the servers.
        for (duplicates_cost, expected) in [(1.01, ["1", "2"]), (1.05, ["1–2", "1–2"])] {
            let records = records(duplicates_cost);
            let summaries = summarise(&records);
            let ranks: Vec<String> = summaries[0].ranks().iter().map(ToString::to_string).collect();
            assert_eq!(ranks, expected, "{duplicates_cost}");
            assert!((summaries[0].noise().unwrap() - (duplicates_cost - 1.0)).abs() < 1e-9);
        }
    }

    /// Each verdict on a load, and whether a cell with it is ranked.
    #[test]
    fn a_cell_that_is_invalid_or_disturbed_decides_nothing() {
        let bounds = [
            (None, true),
            (Some(Bound::ServerBound), true),
            (Some(Bound::ClientBound), true),
            (Some(Bound::LatencyBound), true),
            (Some(Bound::Unknown), true),
            (Some(Bound::Disturbed), false),
            (Some(Bound::Invalid), false),
        ];
        for (bound, is_ranked) in bounds {
            // The cheapest server, its duplicate and the cheapest floor have that verdict.
            let runs = |server: &str, cost: f64, bound: Option<Bound>| {
                Record::seven(server, |record| {
                    record.set_cpu_seconds(cost / 1e3);
                    record.server.is_floor = server.ends_with("floor");
                    record.server.duplicate_of = server.strip_suffix("-duplicate").map(str::to_owned);
                    record.verdict = None;
                    bound.into_iter().for_each(|bound| record.set_bound(bound));
                })
            };
            let sound = Some(Bound::ServerBound);
            let records = [
                runs("one", 1.0, bound),
                runs("one-duplicate", 1.02, bound),
                runs("two", 2.0, sound),
                runs("three", 3.0, sound),
                runs("low-floor", 0.1, bound),
                runs("floor", 0.2, sound),
            ]
            .concat();
            let summaries = summarise(&records);
            let summary = &summaries[0];
            // The floor is not among the servers.
            let names: Vec<&str> = summary.with_floor().map(Cell::name).collect();
            let ranked: Vec<String> =
                summary.ranked().map(|(cell, rank)| format!("{} {rank}", cell.server.name)).collect();
            let [one, two] = ["one", "two"].map(|name| summary.cell(name).unwrap());
            let (order, ranks): (_, &[_]) = if is_ranked {
                (["low-floor", "one", "two", "three"], &["one 1", "two 2", "three 3"])
            } else {
                (["floor", "two", "three", "one"], &["two 1", "three 2"])
            };
            assert_eq!(names, order, "{bound:?}");
            assert_eq!(summary.cells.len(), 3, "{bound:?}");
            assert_eq!(ranked, ranks, "{bound:?}");
            assert_eq!(one.not_ranked().map(|verdict| verdict.bound), bound.filter(|_| !is_ranked));
            let cost = RunFigure::COST;
            for ratio in [one.ratio_to(two, cost), two.ratio_to(one, cost)] {
                assert_eq!(ratio.is_some(), is_ranked, "{bound:?}");
            }
            assert!(one.raw_ratio_to(two, cost).is_some() && one.median(cost.per_run).is_some(), "{bound:?}");
            assert_eq!(summary.is_below(one, two, None), is_ranked, "{bound:?}");
            assert_eq!(summary.noise().is_some(), is_ranked, "{bound:?}");
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
