//! Two result folders held against each other: what changed from A to B, figure by figure. Data alone; `report/comparison.rs`
//! has the words.
//!
//! Repetitions of two folders are no pairs, so a drift of the machine between them is in every ratio. What is known of the
//! noise is how a server differs from itself within each folder.

mod difference;
mod judgement;

pub use difference::Difference;
pub use judgement::{Judgement, Reason};

use crate::analysis::statistics::Estimate;
use crate::analysis::summary::{Cell, Figure, WorkloadSummary, summarise};
use crate::store::record::{Bound, Record, TaskRecord, ToolRecord, WorkloadRecord};
use crate::store::results::Loaded;

/// Rates of an open loop that differ by less are the same: an open loop is said to hold its rate from 99 % on.
pub const SAME_RATE: f64 = 0.01;

/// Rates that differ by more are another load, and latencies under them are not compared. A share of a peak moves with the
/// peak, by some percent even where nothing changed, so that hardly any two folders would be comparable at [`SAME_RATE`].
pub const NEAR_RATE: f64 = 0.1;

/// What two folders come to.
#[derive(Debug)]
pub struct Comparison<'a> {
    /// The folders: A, against which B is held.
    pub folders: [&'a Loaded; 2],
    /// What was not the same in both.
    pub differences: Vec<Difference<'a>>,
    /// What both have, in the order of A.
    pub workloads: Vec<Compared<'a>>,
    /// Servers by workload and tool that only one of the folders has.
    pub alone: [Vec<Alone<'a>>; 2],
}

/// A workload under a tool, as both folders have it.
#[derive(Debug)]
pub struct Compared<'a> {
    /// The workload.
    pub workload: &'a WorkloadRecord,
    /// The tool.
    pub tool: &'a ToolRecord,
    /// Whether it is the second tool, by which the first is checked.
    pub is_check: bool,
    /// The noise floor of each kind of figure in the rows, as a share; `None` where neither folder has a duplicate with it.
    pub noise: Vec<(Kind, Option<f64>)>,
    /// Figures by server, in the order of A.
    pub rows: Vec<Row<'a>>,
    /// Servers whose throughput is not compared, since it is not a fact about the server in both.
    pub throughputs_left_out: usize,
    /// Servers that were asked at another rate in B.
    pub rates: Vec<(&'a str, [f64; 2])>,
}

/// One figure of one server.
#[derive(Debug)]
pub struct Row<'a> {
    /// The server's name.
    pub server: &'a str,
    /// What the figure is.
    pub kind: Kind,
    /// Its medians; `None` without figures.
    pub medians: [Option<f64>; 2],
    /// B to A; `None` where it is not judged.
    pub ratio: Option<Estimate>,
    /// What is to be said of it.
    pub judgement: Judgement,
}

/// Servers that only one folder has under a workload and a tool.
#[derive(Debug)]
pub struct Alone<'a> {
    /// The workload's name.
    pub workload: &'a str,
    /// The tool's name.
    pub tool: &'a str,
    /// The servers' names.
    pub servers: Vec<&'a str>,
}

/// What a figure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The server's CPU time a request, of a load.
    Cost,
    /// Requests a second, of a load that was bound by the server.
    Throughput,
    /// The time that 99 % of the answers did not exceed, of an open loop.
    Latency,
    /// The time to the first answer, of a start.
    FirstAnswer,
    /// Memory a connection, of connections that are held.
    Memory,
}

/// Holds B against A.
pub fn compare<'a>(a: &'a Loaded, b: &'a Loaded) -> Comparison<'a> {
    let summaries = [summarise(&a.records), summarise(&b.records)];
    let mut comparison = Comparison {
        folders: [a, b],
        differences: difference::all([a, b], &summaries),
        workloads: Vec::new(),
        alone: [alone(&summaries[0], &summaries[1]), alone(&summaries[1], &summaries[0])],
    };
    for one in &summaries[0] {
        let other = summaries[1].iter().find(|other| is_of_same_name(one, other));
        if let Some(other) = other.filter(|other| difference::asks_the_same(one.workload, other.workload)) {
            comparison.workloads.push(Compared::of(one, other));
        }
    }
    comparison
}

impl Comparison<'_> {
    /// Whether two machines are compared rather than what ran on them.
    pub fn is_of_two_machines(&self) -> bool {
        self.differences.iter().any(Difference::is_of_machine)
    }

    /// Every figure that both folders have.
    pub fn rows(&self) -> impl Iterator<Item = &Row<'_>> {
        self.workloads.iter().flat_map(|workload| &workload.rows)
    }

    /// How many figures got worse by more than a share, as medians go, or are of servers that have broken.
    pub fn worse_by(&self, share: f64) -> usize {
        self.rows().filter(|row| row.loss().is_some_and(|loss| loss > share)).count()
    }
}

impl Row<'_> {
    /// The share by which it got worse, all of it if the server has broken; `None` when it did not, as far as can be told.
    fn loss(&self) -> Option<f64> {
        if matches!(self.judgement, Judgement::Broken(_)) {
            return Some(f64::INFINITY);
        }
        let change = self.ratio.filter(|_| self.judgement == Judgement::Worse)?.median - 1.0;
        Some(change.abs())
    }
}

impl Kind {
    /// Whether it is the better the more there is of it.
    pub fn is_better_when_more(self) -> bool {
        self == Self::Throughput
    }

    /// The figure by which servers are ranked.
    fn leading(task: TaskRecord) -> Self {
        match task {
            TaskRecord::Load => Self::Cost,
            TaskRecord::Start => Self::FirstAnswer,
            TaskRecord::Hold => Self::Memory,
        }
    }
}

impl<'a> Compared<'a> {
    /// What both have of one workload by one tool.
    fn of(a: &WorkloadSummary<'a>, b: &WorkloadSummary<'a>) -> Self {
        let mut compared = Self {
            workload: a.workload,
            tool: a.tool,
            is_check: a.is_check,
            noise: Vec::new(),
            rows: Vec::new(),
            throughputs_left_out: 0,
            rates: Vec::new(),
        };
        for one in a.with_floor() {
            let other = b.with_floor().find(|other| other.server.name == one.server.name);
            if let Some(other) = other {
                compared.add([a, b], [one, other]);
            }
        }
        compared
    }

    /// The figures of one server.
    fn add(&mut self, summaries: [&WorkloadSummary; 2], cells: [&Cell<'a>; 2]) {
        let [a, b] = cells;
        if a.measured().next().is_none() && b.measured().next().is_none() {
            return;
        }
        let leading = (Kind::leading(self.workload.task), summaries[0].leading());
        if let Some(reason) = judgement::not_judged(cells) {
            self.push(leading, cells, None, judgement::without_figures(reason, b));
            return;
        }
        self.judge(leading, summaries, cells);
        if self.workload.task != TaskRecord::Load {
            return;
        }
        let is_servers = |cell: &Cell| cell.bound() == Some(Bound::ServerBound);
        if self.workload.rate.is_some() {
            self.latency(summaries, cells);
        } else if is_servers(a) && is_servers(b) {
            self.judge((Kind::Throughput, Record::per_second), summaries, cells);
        } else {
            self.throughputs_left_out += 1;
        }
    }

    /// The latency of an open loop, where it means the same in both. That the rate was held is known: else the cell would not
    /// be valid.
    fn latency(&mut self, summaries: [&WorkloadSummary; 2], cells: [&Cell<'a>; 2]) {
        let latency: (Kind, Figure) = (Kind::Latency, |run| run.percentile(99));
        let rates = cells.map(|cell| cell.median(rate));
        let change = match rates {
            [Some(a), Some(b)] => (b / a - 1.0).abs(),
            _ => f64::INFINITY,
        };
        if let [Some(a), Some(b)] = rates
            && change > SAME_RATE
        {
            self.rates.push((&cells[0].server.name, [a, b]));
        }
        let [a, b] = summaries.map(|summary| &summary.tool.semantics);
        if a != b {
            self.push(latency, cells, None, Judgement::NotJudged(Reason::OtherMeaning));
        } else if change > NEAR_RATE {
            self.push(latency, cells, None, Judgement::NotJudged(Reason::OtherRate));
        } else {
            self.judge(latency, summaries, cells);
        }
    }

    /// A figure that is the server's in both.
    fn judge(&mut self, figure: (Kind, Figure), summaries: [&WorkloadSummary; 2], cells: [&Cell<'a>; 2]) {
        let (kind, value) = figure;
        let noise = self.noise_of(figure, summaries).unwrap_or(0.0);
        let [a, b] = cells.map(|cell| cell.values(value));
        let ratio = Estimate::from_unpaired(&b, &a);
        self.push(figure, cells, ratio, judgement::of(kind, ratio, noise));
    }

    fn push(
        &mut self,
        (kind, figure): (Kind, Figure),
        cells: [&Cell<'a>; 2],
        ratio: Option<Estimate>,
        judgement: Judgement,
    ) {
        let medians = cells.map(|cell| cell.median(figure));
        self.rows.push(Row { server: &cells[0].server.name, kind, medians, ratio, judgement });
    }

    /// How much a server differs from itself in this figure, in the folder where it does so more.
    fn noise_of(&mut self, (kind, figure): (Kind, Figure), summaries: [&WorkloadSummary; 2]) -> Option<f64> {
        if let Some((_, noise)) = self.noise.iter().find(|(known, _)| *known == kind) {
            return *noise;
        }
        let noise = summaries.iter().filter_map(|summary| summary.noise_of(figure)).max_by(f64::total_cmp);
        self.noise.push((kind, noise));
        noise
    }
}

fn is_of_same_name(one: &WorkloadSummary, other: &WorkloadSummary) -> bool {
    one.workload.name == other.workload.name && one.tool.name == other.tool.name
}

/// What `these` have and `those` have not.
fn alone<'a>(these: &[WorkloadSummary<'a>], those: &[WorkloadSummary<'a>]) -> Vec<Alone<'a>> {
    let left = |summary: &WorkloadSummary<'a>| {
        let other = those.iter().find(|other| is_of_same_name(summary, other));
        let is_there =
            |name: &str| other.is_some_and(|other| other.with_floor().any(|cell| cell.server.name == name));
        let names = summary.with_floor().map(|cell| cell.server.name.as_str());
        Alone {
            workload: &summary.workload.name,
            tool: &summary.tool.name,
            servers: names.filter(|name| !is_there(name)).collect(),
        }
    };
    these.iter().map(left).filter(|alone| !alone.servers.is_empty()).collect()
}

/// The rate at which an open loop asked.
fn rate(run: &Record) -> Option<f64> {
    Some(run.load.as_ref()?.open_loop.as_ref()?.rate_per_second)
}
