//! Compares two result folders, A and B, figure by figure: which figures got worse or better from A
//! to B. This module holds data; `report/comparison.rs` writes the text.
//!
//! The repetitions of two folders are not pairs, so a drift of the machine between them is in every
//! ratio. The noise is how much a duplicate (A/A) differs from its server within each folder.

mod difference;
mod judgement;

pub use difference::{Difference, Subject};
pub use judgement::Judgement;

use crate::analysis::statistics::Estimate;
use crate::analysis::summary::{Cell, RunFigure, WorkloadSummary, summarise};
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
    /// A and B, where B is compared with A.
    pub folders: [&'a Loaded; 2],
    /// The conditions that were not the same in both.
    pub differences: Vec<Difference>,
    /// The workloads that both have, in the order of A.
    pub workloads: Vec<ComparedWorkload<'a>>,
    /// What is not compared, and why.
    pub not_compared: Vec<NotCompared<'a>>,
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
    /// Whether the figure got worse.
    pub judgement: Judgement,
}

/// Servers under a workload and a tool whose figures are not compared.
#[derive(Debug)]
pub struct NotCompared<'a> {
    /// The workload's name.
    pub workload: &'a str,
    /// The tool's name.
    pub tool: &'a str,
    /// The figure; `None` for all figures.
    pub kind: Option<FigureKind>,
    /// The servers' names.
    pub servers: Vec<&'a str>,
    /// Why they are not compared.
    pub reason: &'static str,
    /// Whether A has valid figures of a server, other than the floor, for which B has no
    /// counterpart.
    pub is_missed: bool,
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
    /// CPU time per second while connections are silent.
    Idle,
}

/// Compares B with A.
pub fn compare<'a>(a: &'a Loaded, b: &'a Loaded) -> Comparison<'a> {
    let [ones, others] = [a, b].map(|folder| summarise(&folder.records));
    let mut workloads = Vec::new();
    let mut not_compared = unmatched(&ones, &others, "only in A");
    let only_in_b = unmatched(&others, &ones, "only in B").into_iter();
    not_compared.extend(only_in_b.map(|alone| NotCompared { is_missed: false, ..alone }));
    for one in &ones {
        let Some(other) = others.iter().find(|other| is_of_same_name(one, other)) else { continue };
        if difference::is_same_load(one.workload, other.workload) {
            let (compared, without_throughput) = ComparedWorkload::new([one, other]);
            workloads.push(compared);
            not_compared.extend(without_throughput);
        } else {
            not_compared.extend(NotCompared::from_cells(one, one.with_floor(), "another workload in B"));
        }
    }
    let differences = difference::all([a, b], [&ones, &others]);
    Comparison { folders: [a, b], differences, workloads, not_compared }
}

impl Comparison<'_> {
    /// Whether the server's machine differs in processor, cores, memory or kernel, so that ratios
    /// compare the machines and not only the servers.
    pub fn is_of_two_machines(&self) -> bool {
        self.has_difference_of(Subject::Machine)
    }

    /// Whether the load came from other machines, or over another network.
    pub fn is_of_two_networks(&self) -> bool {
        self.has_difference_of(Subject::Network)
    }

    fn has_difference_of(&self, subject: Subject) -> bool {
        self.differences.iter().any(|difference| difference.subject == subject)
    }

    /// Every figure that both folders have.
    pub fn figures(&self) -> impl Iterator<Item = &ComparedFigure<'_>> {
        self.workloads.iter().flat_map(|workload| &workload.figures)
    }

    /// The number of figures for whose judgement `is_counted` returns true.
    pub fn count(&self, is_counted: impl Fn(&Judgement) -> bool) -> usize {
        self.figures().filter(|figure| is_counted(&figure.judgement)).count()
    }

    /// The number of figures that have a baseline in A, and about which nothing can be said.
    pub fn unanswered(&self) -> usize {
        let missed = self.not_compared.iter().filter(|alone| alone.is_missed);
        self.count(|judgement| matches!(judgement, Judgement::TooFew | Judgement::NotJudged(_)))
            + missed.map(|alone| alone.servers.len()).sum::<usize>()
    }

    /// Whether anything was compared.
    pub fn is_any_compared(&self) -> bool {
        self.count(|judgement| !matches!(judgement, Judgement::NoBaseline(_))) > 0
    }

    /// The number of figures that got worse by more than a share, or are broken in B.
    pub fn worse_by(&self, share: f64) -> usize {
        let is_counted = |figure: &&ComparedFigure| match (&figure.judgement, figure.ratio) {
            (Judgement::Broken(_), _) => true,
            (Judgement::Worse, Some(ratio)) => (ratio.median - 1.0).abs() > share,
            _ => false,
        };
        self.figures().filter(is_counted).count()
    }
}

/// Judges two cells, each with its name, by their ratio. Differences below `noise` do not count.
pub(super) fn judged(
    cells: [(&str, &Cell); 2],
    kind: FigureKind,
    ratio: Option<Estimate>,
    noise: f64,
) -> Judgement {
    judgement::judge_without_figures(cells).unwrap_or_else(|| judgement::judge_ratio(kind, ratio, noise))
}

impl FigureKind {
    /// Whether a larger figure is the better one.
    pub fn is_better_when_more(self) -> bool {
        self == Self::Throughput
    }

    pub(super) fn leading(task: TaskRecord) -> Self {
        match task {
            TaskRecord::Load => Self::Cost,
            TaskRecord::Start => Self::FirstAnswer,
            TaskRecord::Hold => Self::Memory,
            TaskRecord::Idle => Self::Idle,
        }
    }

    fn figure(self) -> RunFigure {
        match self {
            Self::Cost => RunFigure::COST,
            Self::Throughput => RunFigure::THROUGHPUT,
            Self::Latency => RunFigure::whole(|run| run.percentile(99)),
            Self::FirstAnswer => RunFigure::FIRST_ANSWER,
            Self::Memory => RunFigure::MEMORY,
            Self::Idle => RunFigure::IDLE,
        }
    }
}

impl<'a> ComparedWorkload<'a> {
    /// Compares the workload in A and in B. Also returns the servers whose throughput is not
    /// compared, since the server was not the bottleneck in both.
    fn new(summaries: [&WorkloadSummary<'a>; 2]) -> (Self, Option<NotCompared<'a>>) {
        let [a, b] = summaries;
        let WorkloadSummary { workload, tool, is_check, .. } = *a;
        let mut compared =
            Self { workload, tool, is_check, noise: Vec::new(), figures: Vec::new(), rates: Vec::new() };
        let mut servers = Vec::new();
        for one in a.with_floor() {
            let Some(other) = b.cell(one.name()) else { continue };
            let cells = [one, other];
            if cells.iter().all(|cell| cell.measured().next().is_none()) {
                continue;
            }
            let leading = FigureKind::leading(workload.task);
            if let Some(judgement) = judgement::judge_without_figures([("A", one), ("B", other)]) {
                compared.push(leading, cells, None, judgement);
                continue;
            }
            compared.judge(leading, summaries, cells);
            if workload.rate.is_some() {
                compared.latency(summaries, cells);
            } else if cells.iter().all(|cell| cell.bound().is_some_and(Bound::is_of_server)) {
                compared.judge(FigureKind::Throughput, summaries, cells);
            } else if workload.task == TaskRecord::Load {
                servers.push(one.name());
            }
        }
        let not_compared = (!servers.is_empty()).then(|| NotCompared {
            workload: &workload.name,
            tool: &tool.name,
            kind: Some(FigureKind::Throughput),
            servers,
            reason: "the server was not the bottleneck in A and in B",
            is_missed: false,
        });
        (compared, not_compared)
    }

    /// Compares the latency of an open loop, where it means the same in A and in B. Both held their
    /// rate.
    fn latency(&mut self, summaries: [&WorkloadSummary; 2], cells: [&Cell<'a>; 2]) {
        let rates = cells.map(|cell| cell.median(rate));
        let change = match rates {
            [Some(a), Some(b)] => (b / a - 1.0).abs(),
            _ => f64::INFINITY,
        };
        if let [Some(a), Some(b)] = rates
            && change > SAME_RATE
        {
            self.rates.push((cells[0].name(), [a, b]));
        }
        let [a, b] = summaries.map(|summary| &summary.tool.semantics);
        let why_not = if a != b {
            "the tool defines latency differently in B"
        } else if change > NEAR_RATE {
            "the rates are too far apart"
        } else {
            return self.judge(FigureKind::Latency, summaries, cells);
        };
        self.push(FigureKind::Latency, cells, None, Judgement::NotJudged(why_not.into()));
    }

    /// Compares a figure that the server determines in both folders. The noise floor is the larger
    /// one of the two folders.
    fn judge(&mut self, kind: FigureKind, summaries: [&WorkloadSummary; 2], cells: [&Cell<'a>; 2]) {
        let noises = summaries.iter().filter_map(|summary| summary.noise_of(kind.figure()));
        let noise = noises.max_by(f64::total_cmp);
        if self.noise.iter().all(|(known, _)| *known != kind) {
            self.noise.push((kind, noise));
        }
        let [a, b] = cells.map(|cell| cell.estimate(kind.figure().per_run));
        let ratio = b.zip(a).and_then(|(b, a)| Estimate::from_unpaired(b, a));
        let judgement = if a.is_none() {
            Judgement::NoBaseline("A has no figures".into())
        } else {
            judgement::judge_ratio(kind, ratio, noise.unwrap_or(0.0))
        };
        self.push(kind, cells, ratio, judgement);
    }

    fn push(
        &mut self,
        kind: FigureKind,
        cells: [&Cell<'a>; 2],
        ratio: Option<Estimate>,
        judgement: Judgement,
    ) {
        let medians = cells.map(|cell| cell.median(kind.figure().per_run));
        self.figures.push(ComparedFigure { server: cells[0].name(), kind, medians, ratio, judgement });
    }
}

impl<'a> NotCompared<'a> {
    /// Lists all figures of these servers as not compared; `None` if there are no servers.
    fn from_cells<'c>(
        summary: &WorkloadSummary<'a>,
        cells: impl Iterator<Item = &'c Cell<'a>>,
        reason: &'static str,
    ) -> Option<Self>
    where
        'a: 'c,
    {
        let (workload, tool) = (summary.workload.name.as_str(), summary.tool.name.as_str());
        let mut alone = Self { workload, tool, kind: None, servers: Vec::new(), reason, is_missed: false };
        for cell in cells {
            alone.servers.push(&cell.server.name);
            alone.is_missed |= !cell.server.is_floor && judgement::is_baseline(cell);
        }
        (!alone.servers.is_empty()).then_some(alone)
    }
}

fn is_of_same_name(one: &WorkloadSummary, other: &WorkloadSummary) -> bool {
    one.workload.name == other.workload.name && one.tool.name == other.tool.name
}

/// The servers that `these` have and `those` lack.
fn unmatched<'a>(
    these: &[WorkloadSummary<'a>],
    those: &[WorkloadSummary<'a>],
    reason: &'static str,
) -> Vec<NotCompared<'a>> {
    let of_workload = |summary: &WorkloadSummary<'a>| {
        let other = those.iter().find(|other| is_of_same_name(summary, other));
        let is_there = |cell: &&Cell| other.is_some_and(|other| other.cell(cell.name()).is_some());
        NotCompared::from_cells(summary, summary.with_floor().filter(|cell| !is_there(cell)), reason)
    };
    these.iter().filter_map(of_workload).collect()
}

fn rate(run: &Record) -> Option<f64> {
    Some(run.load.as_ref()?.open_loop.as_ref()?.rate_per_second)
}
