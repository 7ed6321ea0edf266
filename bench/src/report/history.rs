//! Several results as one report: a list of them, what got better or worse from one to the next, and
//! how the figures changed.

use super::chart::{Axis, Chart, Line, Point, Scale};
use super::comparison;
use super::document::{Column, Document, Fact, Priority, Section, Table};
use super::section::{self, Metric, connections, leading_metric, list};
use super::value::{Quantity, Value};
use crate::analysis::compare::{self, Comparison, Judgement};
use crate::analysis::history::{History, PastResult};
use crate::analysis::summary::{WorkloadSummary, summarise};
use crate::text::numbers::as_f64;

/// The history of a folder of results, whose path is `place`.
pub fn document(history: &History, place: &str) -> Document {
    let comparisons: Vec<Option<Comparison>> = (0..history.results.len())
        .map(|entry| Some(compare::compare(&history.before(entry)?.loaded, &history.results[entry].loaded)))
        .collect();
    let plural = if history.results.len() == 1 { "" } else { "s" };
    Document {
        title: format!("{} measurement{plural}", history.results.len()),
        leading: None,
        origin: vec![Fact::new("Folder", place)],
        answers: answers(history, &comparisons),
        warnings: history
            .damaged
            .iter()
            .map(|error| format!("A result was left out because it cannot be read: {error}."))
            .collect(),
        picture: None,
        sections: [Some(results(history, &comparisons)), changes(history, &comparisons), trends(history)]
            .into_iter()
            .flatten()
            .collect(),
    }
}

/// How the last measurement compares with the one before it.
fn answers(history: &History, comparisons: &[Option<Comparison>]) -> Vec<String> {
    let (Some(last), Some(comparison)) = (history.results.last(), comparisons.last()) else {
        return Vec::new();
    };
    let change = match comparison {
        None => "no earlier one is of the same machine".into(),
        Some(comparison) => judgements(comparison),
    };
    vec![format!("The last measurement, {}: {change}.", last.name)]
}

/// The number of figures that got better or worse, in words.
fn judgements(comparison: &Comparison) -> String {
    let counted = [
        (comparison.count(|judgement| *judgement == Judgement::Worse), "worse"),
        (comparison.count(|judgement| *judgement == Judgement::Better), "better"),
        (comparison.count(|judgement| matches!(judgement, Judgement::Broken(_))), "broken"),
        (comparison.count(|judgement| *judgement == Judgement::Same), "the same"),
    ];
    let said: Vec<String> = counted
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    match said.as_slice() {
        [] => "nothing to compare".into(),
        said => said.join(", "),
    }
}

fn results(history: &History, comparisons: &[Option<Comparison>]) -> Section {
    let columns = [
        Column::new("Result", Quantity::Text).with_priority(Priority::High),
        Column::new("Host", Quantity::Text),
        Column::new("Workloads", Quantity::Text),
        Column::new("Servers", Quantity::Count),
        Column::new("Runs", Quantity::Count),
        Column::new("Compared with the previous", Quantity::Text).with_priority(Priority::High),
    ];
    let mut table = Table::new("results", "Results, oldest first", columns);
    for (entry, comparison) in history.results.iter().zip(comparisons) {
        let summaries = summarise(&entry.loaded.records);
        let workloads: Vec<&str> = families(&summaries);
        let members: Vec<&WorkloadSummary> = summaries.iter().collect();
        table.rows.push(vec![
            entry.name.as_str().into(),
            entry.loaded.machine.host.as_str().into(),
            list(&workloads).into(),
            Some(as_f64(section::servers(&members).len() as u64)).into(),
            Some(as_f64(entry.loaded.records.len() as u64)).into(),
            comparison.as_ref().map_or_else(|| "–".into(), judgements).into(),
        ]);
    }
    Section {
        id: "results",
        title: "What has been measured?",
        about: vec![
            "Each result is compared with the previous one of the same machine, figure by figure, as `bench compare` \
             does. A machine changes over time, so differences between results that are far apart in time may be the \
             machine's."
                .into(),
        ],
        charts: Vec::new(),
        tables: vec![table],
        facts: Vec::new(),
    }
}

/// The names of workloads up to the first hyphen, each once.
fn families<'a>(summaries: &[WorkloadSummary<'a>]) -> Vec<&'a str> {
    let mut families: Vec<&str> = Vec::new();
    for summary in summaries {
        let family = summary.workload.name.split('-').next().unwrap_or_default();
        if !families.contains(&family) {
            families.push(family);
        }
    }
    families
}

/// Every figure that changed.
fn changes(history: &History, comparisons: &[Option<Comparison>]) -> Option<Section> {
    let columns = [
        Column::new("Result", Quantity::Text).with_priority(Priority::High),
        Column::new("Server", Quantity::Text).with_priority(Priority::High),
        Column::new("Workload", Quantity::Text).with_priority(Priority::High),
        Column::new("Figure", Quantity::Text),
        Column::new("To previous", Quantity::Ratio).with_intervals().with_priority(Priority::High),
        Column::new("Judgement", Quantity::Text).with_priority(Priority::High),
    ];
    let mut table = Table::new("changes", "Figures that changed beyond the noise", columns);
    for (entry, comparison) in history.results.iter().zip(comparisons) {
        for compared in comparison.iter().flat_map(|comparison| &comparison.workloads) {
            let is_change = |judgement: &Judgement| {
                matches!(judgement, Judgement::Worse | Judgement::Better | Judgement::Broken(_))
            };
            for figure in compared.figures.iter().filter(|figure| is_change(&figure.judgement)) {
                table.rows.push(vec![
                    entry.name.as_str().into(),
                    figure.server.into(),
                    compared.workload.name.as_str().into(),
                    comparison::kind_name(figure.kind).into(),
                    figure.ratio.into(),
                    comparison::judgement(&figure.judgement).into(),
                ]);
            }
        }
    }
    (!table.rows.is_empty()).then(|| Section {
        id: "changes",
        title: "What got better or worse?",
        about: Vec::new(),
        charts: Vec::new(),
        tables: vec![table],
        facts: Vec::new(),
    })
}

/// The leading figure of each workload over the results of the machine of the last one.
fn trends(history: &History) -> Option<Section> {
    let last = &history.results.last()?.loaded.machine;
    let own: Vec<&PastResult> =
        history.results.iter().filter(|entry| entry.loaded.machine.is_same_as(last)).collect();
    let summaries: Vec<Vec<WorkloadSummary>> =
        own.iter().map(|entry| summarise(&entry.loaded.records)).collect();
    let mut workloads: Vec<&str> = Vec::new();
    for summary in summaries.iter().flatten().filter(|summary| !summary.is_check) {
        if !workloads.contains(&summary.workload.name.as_str()) {
            workloads.push(&summary.workload.name);
        }
    }
    let trends: Vec<Trend> = workloads
        .into_iter()
        .map(|name| {
            let find = |summaries: &'_ Vec<WorkloadSummary<'_>>| {
                summaries.iter().position(|known| !known.is_check && known.workload.name == name)
            };
            let members = own.iter().zip(&summaries);
            Trend(members.filter_map(|(entry, all)| Some((*entry, &all[find(all)?]))).collect())
        })
        .filter(|trend| trend.0.len() > 1)
        .collect();
    (!trends.is_empty()).then(|| Section {
        id: "trends",
        title: "How did the figures change over time?",
        about: vec![
            "For each workload, the figure by which its servers are ranked, with intervals, in the results of the \
             machine of the last one."
                .into(),
        ],
        charts: trends.iter().map(Trend::chart).collect(),
        tables: trends.iter().map(Trend::table).collect(),
        facts: Vec::new(),
    })
}

/// One workload in several results.
struct Trend<'a>(Vec<(&'a PastResult, &'a WorkloadSummary<'a>)>);

impl Trend<'_> {
    fn members(&self) -> Vec<&WorkloadSummary<'_>> {
        self.0.iter().map(|(_, summary)| *summary).collect()
    }

    fn metric(&self) -> Metric {
        leading_metric(self.0[0].1)
    }

    fn title(&self) -> String {
        let workload = self.0[0].1.workload;
        format!("{} with {} ({})", self.metric().header, connections(workload.connections), workload.name)
    }

    fn chart(&self) -> Chart {
        let metric = self.metric();
        let members = self.members();
        let line = |name: &str| {
            let points = members.iter().zip(1_u32..).filter_map(|(summary, place)| {
                let cell = summary.cells.iter().find(|cell| cell.server.name == name)?;
                Some(Point {
                    x: place.into(),
                    y: metric.figure(cell)?,
                    attribution: metric.attribution(cell),
                })
            });
            Line { label: name.into(), points: points.collect(), has_marks: true }
        };
        let lines = section::servers(&members).into_iter().map(line);
        Chart {
            id: format!("trend-{}", self.0[0].1.workload.name),
            title: self.title(),
            description: format!("{}, a line per server, over {} results.", self.title(), self.0.len()),
            plot: section::lines(
                Axis { label: "Result".into(), quantity: Quantity::Count, scale: Scale::Linear },
                Axis { label: metric.header.into(), quantity: metric.quantity, scale: Scale::Log },
                lines,
            ),
        }
    }

    fn table(&self) -> Table {
        let metric = self.metric();
        let servers = self.members();
        let servers = section::servers(&servers);
        let columns =
            servers.iter().map(|name| Column::new(*name, metric.quantity).with_priority(Priority::High));
        let first = Column::new("Result", Quantity::Text).with_priority(Priority::High);
        let name = format!("trend-{}", self.0[0].1.workload.name);
        let mut table = Table::new(name, self.title(), std::iter::once(first).chain(columns));
        table.has_one_unit = true;
        for (entry, summary) in &self.0 {
            let value = |name: &&str| {
                let cell = summary.cells.iter().find(|cell| cell.server.name == **name);
                cell.map_or(Value::Absent, |cell| metric.value(cell))
            };
            let values = servers.iter().map(value);
            table.rows.push(std::iter::once(entry.name.as_str().into()).chain(values).collect());
        }
        table
    }
}
