//! Several results as one report: what there is, what got better or worse from one to the next, and how figures went.

use super::chart::{Axis, Chart, Line, Point, Scale};
use super::comparison;
use super::document::{Column, Document, Fact, Priority, Section, Table};
use super::section::{self, Metric, connections, leading_metric, list};
use super::value::{Quantity, Value};
use crate::analysis::compare::{self, Comparison, Judgement};
use crate::analysis::history::{Entry, History};
use crate::analysis::summary::{WorkloadSummary, summarise};
use crate::text::numbers::as_f64;

/// What a folder of results says. `place` is what it is called.
pub fn document(history: &History, place: &str) -> Document {
    let comparisons: Vec<Option<Comparison>> = (0..history.entries.len())
        .map(|entry| Some(compare::compare(&history.before(entry)?.loaded, &history.entries[entry].loaded)))
        .collect();
    let plural = if history.entries.len() == 1 { "" } else { "s" };
    Document {
        title: format!("{} measurement{plural}", history.entries.len()),
        leading: None,
        origin: vec![Fact::new("Folder", place)],
        answers: answers(history, &comparisons),
        warnings: history
            .damaged
            .iter()
            .map(|error| format!("Left out, as it cannot be read: {error}."))
            .collect(),
        picture: None,
        sections: [Some(results(history, &comparisons)), changes(history, &comparisons), trends(history)]
            .into_iter()
            .flatten()
            .collect(),
    }
}

/// What became of the last measurement.
fn answers(history: &History, comparisons: &[Option<Comparison>]) -> Vec<String> {
    let (Some(last), Some(comparison)) = (history.entries.last(), comparisons.last()) else {
        return Vec::new();
    };
    let said = match comparison {
        None => "there is none before it on the same machine".into(),
        Some(comparison) => judgements(comparison),
    };
    vec![format!("The last measurement, {}: {said}.", last.name)]
}

/// How many figures got better or worse.
fn judgements(comparison: &Comparison) -> String {
    let of = |is: fn(&Judgement) -> bool| comparison.rows().filter(|row| is(&row.judgement)).count();
    let counted = [
        (of(|judgement| *judgement == Judgement::Worse), "worse"),
        (of(|judgement| *judgement == Judgement::Better), "better"),
        (of(|judgement| matches!(judgement, Judgement::Broken(_))), "broken"),
        (of(|judgement| *judgement == Judgement::Same), "the same"),
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
        Column::new("Against the one before", Quantity::Text).with_priority(Priority::High),
    ];
    let mut table = Table::new("results", "The results, the oldest first", columns);
    for (entry, comparison) in history.entries.iter().zip(comparisons) {
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
            "Each is held against the one before it on the same machine, figure by figure, as `bench compare` does. A machine is another \
             from day to day: what lies far apart in time is compared with care."
                .into(),
        ],
        charts: Vec::new(),
        tables: vec![table],
        facts: Vec::new(),
    }
}

/// What the names of workloads begin with, each once.
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

/// Every figure that is another than before.
fn changes(history: &History, comparisons: &[Option<Comparison>]) -> Option<Section> {
    let columns = [
        Column::new("Result", Quantity::Text).with_priority(Priority::High),
        Column::new("Server", Quantity::Text).with_priority(Priority::High),
        Column::new("Workload", Quantity::Text).with_priority(Priority::High),
        Column::new("Figure", Quantity::Text),
        Column::new("To before", Quantity::Ratio).with_intervals().with_priority(Priority::High),
        Column::new("Judgement", Quantity::Text).with_priority(Priority::High),
    ];
    let mut table = Table::new("changes", "Figures that changed beyond the noise", columns);
    for (entry, comparison) in history.entries.iter().zip(comparisons) {
        for compared in comparison.iter().flat_map(|comparison| &comparison.workloads) {
            let is_change = |judgement: &Judgement| {
                matches!(judgement, Judgement::Worse | Judgement::Better | Judgement::Broken(_))
            };
            for row in compared.rows.iter().filter(|row| is_change(&row.judgement)) {
                table.rows.push(vec![
                    entry.name.as_str().into(),
                    row.server.into(),
                    compared.workload.name.as_str().into(),
                    comparison::name(row.kind).into(),
                    row.ratio.into(),
                    comparison::judgement(&row.judgement).into(),
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

/// How the leading figure of each workload went, over the results on the machine of the last one.
fn trends(history: &History) -> Option<Section> {
    let last = &history.entries.last()?.loaded.machine;
    let own: Vec<&Entry> =
        history.entries.iter().filter(|entry| entry.loaded.machine.is_same_as(last)).collect();
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
        title: "How did figures go?",
        about: vec![
            "Over the results on the machine of the last one, for each workload the figure by which its servers are ranked, with \
             intervals."
                .into(),
        ],
        charts: trends.iter().map(Trend::chart).collect(),
        tables: trends.iter().map(Trend::table).collect(),
        facts: Vec::new(),
    })
}

/// One workload in several results.
struct Trend<'a>(Vec<(&'a Entry, &'a WorkloadSummary<'a>)>);

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
            description: format!("{}, a line a server, over {} results.", self.title(), self.0.len()),
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
