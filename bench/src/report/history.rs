//! Several results as one report: a list, what got better or worse, and how figures changed.

use super::chart::{Axis, Chart, Scale};
use super::comparison;
use super::document::{Document, Fact, Section, Table};
use super::field::Field;
use super::section::{self, connections, distinct, leading_metric, list};
use super::value::Quantity;
use crate::analysis::compare::{self, ComparedFigure, Comparison, Judgement};
use crate::analysis::history::{History, PastResult, is_same_place};
use crate::analysis::summary::{WorkloadSummary, grouped, summarise};
use crate::machine::Machine;
use crate::text::numbers::{as_f64, counted};

/// A result, and its comparison with the previous one of its machine, if there is one.
type Compared<'a> = (&'a PastResult, Option<Comparison<'a>>);

/// The history of a folder of results, whose path is `place`.
pub fn document(history: &History, place: &str) -> Document {
    let compared = |(place, result): (usize, _)| -> Compared {
        let previous = history.before(place);
        (result, previous.map(|previous| compare::compare(&previous.loaded, &result.loaded)))
    };
    let results: Vec<Compared> = history.results.iter().enumerate().map(compared).collect();
    let damaged = history.damaged.iter();
    let warnings = damaged.map(|error| format!("A result was left out because it cannot be read: {error}."));
    let sections = [list_of_results(&results), changes(&results), trends(history)];
    Document {
        title: counted(results.len(), "measurement"),
        origin: vec![Fact::new("Folder", place)],
        answers: answers(&results),
        warnings: warnings.collect(),
        sections: sections.into_iter().flatten().collect(),
        ..Document::default()
    }
}

/// How the last measurement compares with the one before it.
fn answers(results: &[Compared]) -> Vec<String> {
    let answer = |(last, comparison): &Compared| match comparison {
        None => format!("The last measurement, {}, is the first one of its machine.", last.name),
        Some(comparison) => {
            let found = judgements(comparison);
            format!("The last measurement, {}, compared with the previous one: {found}.", last.name)
        }
    };
    results.last().map(answer).into_iter().collect()
}

/// The number of figures that got better or worse, in words.
fn judgements(comparison: &Comparison) -> String {
    let counted = [
        (comparison.count(|judgement| *judgement == Judgement::Worse), "worse"),
        (comparison.count(|judgement| *judgement == Judgement::Better), "better"),
        (comparison.count(|judgement| matches!(judgement, Judgement::Broken(_))), "broken"),
        (comparison.count(|judgement| *judgement == Judgement::Same), "the same"),
    ];
    let counts: Vec<String> = counted
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    if counts.is_empty() { "nothing to compare".into() } else { counts.join(", ") }
}

fn list_of_results(results: &[Compared]) -> Option<Section> {
    let count = |number: usize| Some(as_f64(number as u64));
    let servers = move |(result, _): &Compared| {
        let summaries = summarise(&result.loaded.records);
        count(section::servers(&summaries.iter().collect::<Vec<_>>()).len())
    };
    // The names of workloads up to the first hyphen.
    let families = |(result, _): &Compared| {
        let names = result.loaded.records.iter().map(|run| run.workload.name.split('-').next());
        list(&distinct(names.flatten()))
    };
    let fields = [
        Field::text("Result", |(result, _): &Compared| result.name.clone()).essential(),
        Field::text("Host", |(result, _): &Compared| place(&result.loaded.machine)),
        Field::text("Workloads", families),
        Field::new("Servers", Quantity::Count, servers),
        Field::new("Runs", Quantity::Count, move |(result, _): &Compared| count(result.loaded.records.len())),
        Field::text("Compared with the previous", |(_, comparison): &Compared| {
            comparison.as_ref().map_or_else(|| "–".into(), judgements)
        })
        .essential(),
    ];
    let table = Table::from_fields("results", "Results, oldest first", fields, results);
    let section = Section::new(
        "results",
        "What has been measured?",
        "Each result is compared with the previous one of the same machine, figure by figure, as `bench compare` \
         does. A machine changes over time, so differences between results that are far apart in time may be the \
         machine's.",
    );
    section.with([], [table])
}

/// The machine, and those of the load where they are others.
fn place(machine: &Machine) -> String {
    let Some(hosts) = &machine.hosts else { return machine.host.clone() };
    let loads: Vec<&str> = hosts.loads.iter().map(|(_, machine)| machine.host.as_str()).collect();
    format!("{}, load from {}", machine.host, section::some(&loads))
}

/// A figure that changed, behind the names of its result and its workload.
type Change<'a> = (&'a str, &'a str, &'a ComparedFigure<'a>);

fn changes(results: &[Compared]) -> Option<Section> {
    let mut changes: Vec<Change> = Vec::new();
    for (result, comparison) in results {
        for compared in comparison.iter().flat_map(|comparison| &comparison.workloads) {
            let is_change = |figure: &&ComparedFigure| {
                matches!(figure.judgement, Judgement::Worse | Judgement::Better | Judgement::Broken(_))
            };
            let figures = compared.figures.iter().filter(is_change);
            changes.extend(figures.map(|figure| (&*result.name, &*compared.workload.name, figure)));
        }
    }
    let fields = [
        Field::text("Result", |(result, ..): &Change| (*result).to_owned()).essential(),
        Field::text("Server", |(_, _, figure): &Change| figure.server.to_owned()).essential(),
        Field::text("Workload", |(_, workload, _): &Change| (*workload).to_owned()).essential(),
        Field::text("Figure", |(_, _, figure): &Change| comparison::kind_name(figure.kind)),
        Field::new("To previous", Quantity::Ratio, |(_, _, figure): &Change| figure.ratio)
            .with_intervals()
            .essential(),
        Field::text("Judgement", |(_, _, figure): &Change| figure.judgement.to_string()).essential(),
    ];
    let table = Table::from_fields("changes", "Figures that changed beyond the noise", fields, &changes);
    Section::new("changes", "What got better or worse?", "").with([], table.with_rows())
}

/// The leading figure of each workload over the results of the machine of the last one.
fn trends(history: &History) -> Option<Section> {
    let last = &history.results.last()?.loaded.machine;
    let own: Vec<&PastResult> =
        history.results.iter().filter(|result| is_same_place(&result.loaded.machine, last)).collect();
    let summaries: Vec<Vec<WorkloadSummary>> =
        own.iter().map(|result| summarise(&result.loaded.records)).collect();
    let members = own.iter().zip(&summaries).flat_map(|(result, all)| {
        let measured = all.iter().filter(|summary| !summary.is_check);
        measured.map(|summary| (summary.workload.name.as_str(), (*result, summary)))
    });
    let trends = grouped(members).into_iter().filter(|(_, results)| results.len() > 1);
    let (charts, tables): (Vec<Chart>, Vec<Table>) =
        trends.map(|(workload, results)| trend(workload, &results)).unzip();
    let section = Section::new(
        "trends",
        "How did the figures change over time?",
        "For each workload, the figure by which its servers are ranked, with intervals, in the results of the \
         machine of the last one.",
    );
    section.with(charts, tables)
}

/// One workload in several results.
fn trend(workload: &str, results: &[(&PastResult, &WorkloadSummary)]) -> (Chart, Table) {
    let members: Vec<&WorkloadSummary> = results.iter().map(|(_, summary)| *summary).collect();
    let servers = section::servers(&members);
    let metric = leading_metric(members[0]);
    let id = format!("trend-{workload}");
    let connections = connections(members[0].workload.connections);
    let title = format!("{} with {connections} ({workload})", metric.header);
    let line = |name: &&str| metric.line(name, (1_u32..).map(f64::from).zip(members.iter().copied()));
    let chart = Chart {
        id: id.clone(),
        title: title.clone(),
        description: format!("{title}, a line per server, over {} results.", results.len()),
        plot: section::lines(
            Axis { label: "Result".into(), quantity: Quantity::Count, scale: Scale::Linear },
            Axis { label: metric.header.into(), quantity: metric.quantity, scale: Scale::Log },
            servers.iter().map(line),
        ),
    };
    let server = |name| {
        Field::new(name, metric.quantity, move |(_, summary): &(&PastResult, &WorkloadSummary)| {
            summary.cell(name).map(|cell| metric.value(cell))
        })
    };
    let result = Field::text("Result", |(result, _): &(&PastResult, &WorkloadSummary)| result.name.clone());
    let fields = std::iter::once(result).chain(servers.iter().copied().map(server));
    let mut table = Table::from_fields(id, title, fields.map(Field::essential), results);
    table.has_one_unit = true;
    (chart, table)
}
