//! Compares two result folders, A and B, figure by figure: what got worse or better from A to B.
//! This module holds data; `report/comparison.rs` has the words.
//!
//! The repetitions of two folders are not pairs, so a drift of the machine between them is in every
//! ratio. The noise is how much a duplicate (A/A) differs from its server within each folder.

mod difference;
mod judgement;

pub use difference::Difference;
pub use judgement::{Judgement, Reason};

use crate::analysis::statistics::Estimate;
use crate::analysis::summary::{Cell, Figure, WorkloadSummary, summarise};
use crate::store::record::{Bound, Record, TaskRecord, ToolRecord, WorkloadRecord};
use crate::store::results::Loaded;

/// Rates of an open loop that differ by less are the same: a rate is held from 99 % on.
pub const SAME_RATE: f64 = 0.01;

/// Rates that differ by more are another load, and latencies under them are not compared. A rate
/// that is a share of a peak moves with the peak, by some percent even where nothing changed, so
/// that hardly any two folders would be comparable at [`SAME_RATE`].
pub const NEAR_RATE: f64 = 0.1;

/// Two folders, compared.
#[derive(Debug)]
pub struct Comparison<'a> {
    /// A, and B, which is compared with it.
    pub folders: [&'a Loaded; 2],
    /// The conditions that were not the same in both.
    pub differences: Vec<Difference<'a>>,
    /// The workloads that both have, in the order of A.
    pub workloads: Vec<ComparedWorkload<'a>>,
    /// The servers by workload and tool that only A has, and only B.
    pub unmatched: [Vec<Unmatched<'a>>; 2],
}

/// A workload under a tool that both folders have.
#[derive(Debug)]
pub struct ComparedWorkload<'a> {
    /// The workload.
    pub workload: &'a WorkloadRecord,
    /// The tool.
    pub tool: &'a ToolRecord,
    /// Whether it is the second tool, whose figures are a cross-check of the first one's.
    pub is_check: bool,
    /// The noise floor per kind of figure, as a share; `None` without a duplicate.
    pub noise: Vec<(FigureKind, Option<f64>)>,
    /// Figures by server, in the order of A.
    pub figures: Vec<ComparedFigure<'a>>,
    /// Servers whose throughput is not compared: the server was not the bottleneck in both folders.
    pub without_throughput: Vec<&'a str>,
    /// Servers whose open loop had another rate in B, with both rates.
    pub rates: Vec<(&'a str, [f64; 2])>,
}

/// One figure of one server.
#[derive(Debug)]
pub struct ComparedFigure<'a> {
    /// The server's name.
    pub server: &'a str,
    /// What the figure measures.
    pub kind: FigureKind,
    /// The medians of A and B; `None` without figures.
    pub medians: [Option<f64>; 2],
    /// B divided by A; `None` where it is not judged.
    pub ratio: Option<Estimate>,
    /// Whether it got worse.
    pub judgement: Judgement,
}

/// Servers that only one folder has under a workload and a tool.
#[derive(Debug)]
pub struct Unmatched<'a> {
    /// The workload's name.
    pub workload: &'a str,
    /// The tool's name.
    pub tool: &'a str,
    /// The servers' names.
    pub servers: Vec<&'a str>,
}

/// What a figure measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FigureKind {
    /// The server's CPU time per request under load.
    Cost,
    /// Requests per second under a load that was bound by the server.
    Throughput,
    /// The 99th percentile of the latency in an open loop.
    Latency,
    /// The time from a start to the first answer.
    FirstAnswer,
    /// Memory per connection that is held.
    Memory,
}

/// A kind of figure, and the figure of one run.
type KindAndFigure = (FigureKind, Figure);

/// Compares B with A.
pub fn compare<'a>(a: &'a Loaded, b: &'a Loaded) -> Comparison<'a> {
    let summaries = [summarise(&a.records), summarise(&b.records)];
    let mut comparison = Comparison {
        folders: [a, b],
        differences: difference::all([a, b], &summaries),
        workloads: Vec::new(),
        unmatched: [unmatched(&summaries[0], &summaries[1]), unmatched(&summaries[1], &summaries[0])],
    };
    for one in &summaries[0] {
        let other = summaries[1].iter().find(|other| is_of_same_name(one, other));
        if let Some(other) = other.filter(|other| difference::is_same_load(one.workload, other.workload)) {
            comparison.workloads.push(ComparedWorkload::new(one, other));
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
    pub fn figures(&self) -> impl Iterator<Item = &ComparedFigure<'_>> {
        self.workloads.iter().flat_map(|workload| &workload.figures)
    }

    /// The number of figures with such a judgement.
    pub fn count(&self, is_counted: impl Fn(&Judgement) -> bool) -> usize {
        self.figures().filter(|figure| is_counted(&figure.judgement)).count()
    }

    /// The number of figures that got worse by more than a share, or are broken in B.
    pub fn worse_by(&self, share: f64) -> usize {
        self.figures().filter(|figure| figure.loss().is_some_and(|loss| loss > share)).count()
    }
}

impl ComparedFigure<'_> {
    /// The share by which it got worse, infinite if it is broken in B; `None` in other cases.
    fn loss(&self) -> Option<f64> {
        if matches!(self.judgement, Judgement::Broken(_)) {
            return Some(f64::INFINITY);
        }
        let change = self.ratio.filter(|_| self.judgement == Judgement::Worse)?.median - 1.0;
        Some(change.abs())
    }
}

impl FigureKind {
    /// Whether a larger figure is the better one.
    pub fn is_better_when_more(self) -> bool {
        self == Self::Throughput
    }

    fn leading(task: TaskRecord) -> Self {
        match task {
            TaskRecord::Load => Self::Cost,
            TaskRecord::Start => Self::FirstAnswer,
            TaskRecord::Hold => Self::Memory,
        }
    }
}

impl<'a> ComparedWorkload<'a> {
    fn new(a: &WorkloadSummary<'a>, b: &WorkloadSummary<'a>) -> Self {
        let mut compared = Self {
            workload: a.workload,
            tool: a.tool,
            is_check: a.is_check,
            noise: Vec::new(),
            figures: Vec::new(),
            without_throughput: Vec::new(),
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

    fn add(&mut self, summaries: [&WorkloadSummary; 2], cells: [&Cell<'a>; 2]) {
        let [a, b] = cells;
        if a.measured().next().is_none() && b.measured().next().is_none() {
            return;
        }
        let leading = (FigureKind::leading(self.workload.task), summaries[0].leading());
        if let Some(reason) = judgement::not_judged(cells) {
            self.push(leading, cells, None, judgement::of_unjudged(reason, b));
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
            self.judge((FigureKind::Throughput, Record::per_second), summaries, cells);
        } else {
            self.without_throughput.push(&a.server.name);
        }
    }

    /// The latency of an open loop, where it means the same in both. Both held their rate.
    fn latency(&mut self, summaries: [&WorkloadSummary; 2], cells: [&Cell<'a>; 2]) {
        let latency: KindAndFigure = (FigureKind::Latency, |run| run.percentile(99));
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

    /// A figure that is the server's own in both.
    fn judge(&mut self, figure: KindAndFigure, summaries: [&WorkloadSummary; 2], cells: [&Cell<'a>; 2]) {
        let (kind, value) = figure;
        let noise = self.noise_of(figure, summaries).unwrap_or(0.0);
        let [a, b] = cells.map(|cell| cell.values(value));
        let ratio = Estimate::from_unpaired(&b, &a);
        self.push(figure, cells, ratio, judgement::of_ratio(kind, ratio, noise));
    }

    fn push(
        &mut self,
        (kind, figure): KindAndFigure,
        cells: [&Cell<'a>; 2],
        ratio: Option<Estimate>,
        judgement: Judgement,
    ) {
        let medians = cells.map(|cell| cell.median(figure));
        self.figures.push(ComparedFigure { server: &cells[0].server.name, kind, medians, ratio, judgement });
    }

    /// The noise floor of a figure: the larger one of the two folders.
    fn noise_of(&mut self, (kind, figure): KindAndFigure, summaries: [&WorkloadSummary; 2]) -> Option<f64> {
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

/// The servers that `these` have and `those` lack.
fn unmatched<'a>(these: &[WorkloadSummary<'a>], those: &[WorkloadSummary<'a>]) -> Vec<Unmatched<'a>> {
    let of_workload = |summary: &WorkloadSummary<'a>| {
        let other = those.iter().find(|other| is_of_same_name(summary, other));
        let is_there =
            |name: &str| other.is_some_and(|other| other.with_floor().any(|cell| cell.server.name == name));
        let names = summary.with_floor().map(|cell| cell.server.name.as_str());
        Unmatched {
            workload: &summary.workload.name,
            tool: &summary.tool.name,
            servers: names.filter(|name| !is_there(name)).collect(),
        }
    };
    these.iter().map(of_workload).filter(|unmatched| !unmatched.servers.is_empty()).collect()
}

fn rate(run: &Record) -> Option<f64> {
    Some(run.load.as_ref()?.open_loop.as_ref()?.rate_per_second)
}
