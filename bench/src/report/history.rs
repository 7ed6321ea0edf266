//! Several results as one report: a list, the figures that got better or worse, and how figures
//! changed over time. A second report has the change points.

use super::chart::{Axis, Chart, Scale};
use super::comparison;
use super::document::{Document, Fact, Section, Table};
use super::field::Field;
use super::section::{self, connections, distinct, leading_metric, list};
use super::value::{Figure, Quantity};
use crate::analysis::changes::{self, Change as ChangePoint, ENOUGH, Series};
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
    let sections = [list_of_results(&results), changes(&results), trends(history)];
    Document {
        title: counted(results.len(), "measurement"),
        origin: vec![Fact::new("Folder", place)],
        answers: answers(&results),
        warnings: damaged(history),
        sections: sections.into_iter().flatten().collect(),
        ..Document::default()
    }
}

/// The change points of the leading figures of servers, on the machine of the last result.
pub fn changes_document(history: &History, place: &str) -> Document {
    let own = results_of_last_machine(history);
    let summaries: Vec<Vec<WorkloadSummary>> =
        own.iter().map(|result| summarise(&result.loaded.records)).collect();
    let results: Vec<_> =
        own.iter().zip(&summaries).map(|(result, summaries)| (*result, summaries.as_slice())).collect();
    let (series, few) = changes::series(&results);
    let found = changes::changes(&series);
    let mut answers = vec![found_changes(&series, &found)];
    if few > 0 {
        answers.push(format!(
            "Nothing is said of {}, which have fewer than {ENOUGH} results that can be compared.",
            counted(few, "figure")
        ));
    }
    answers.extend(machine_changes(&series, &found));
    Document {
        title: format!("{} of one machine", counted(own.len(), "measurement")),
        origin: vec![Fact::new("Folder", place)],
        answers,
        warnings: damaged(history),
        sections: change_points(&found).into_iter().collect(),
        ..Document::default()
    }
}

fn found_changes(series: &[Series], found: &[ChangePoint]) -> String {
    let figures = counted(series.len(), "figure");
    match found.len() {
        _ if series.is_empty() => format!(
            "Nothing can be said of changes: no server has {ENOUGH} results under one workload on this machine."
        ),
        0 => format!("No change was found in {figures}."),
        number => format!("{} in {figures}.", counted(number, "change")),
    }
}

/// Results at which most figures changed in one direction: what they have in common is the machine.
fn machine_changes(series: &[Series], found: &[ChangePoint]) -> Vec<String> {
    let changes = grouped(found.iter().map(|change| ((&*change.when.name, change.to > change.from), ())));
    let is_most = |number: usize| number >= 3 && number * 2 > series.len();
    let common = changes.into_iter().filter(|(_, changes)| is_most(changes.len()));
    let sentence = |((result, is_up), changes): ((&str, bool), Vec<()>)| {
        let direction = if is_up { "up" } else { "down" };
        format!(
            "At {result} {} of {} figures went {direction}: look for what changed on the machine before you look for it \
             in the servers.",
            changes.len(),
            series.len(),
        )
    };
    common.map(sentence).collect()
}

/// The change points, with a table per leading figure.
fn change_points(found: &[ChangePoint]) -> Option<Section> {
    let by_figure =
        grouped(found.iter().map(|change| (leading_metric(change.series.summary).header, change)));
    let table = |(header, changes): (&str, Vec<&ChangePoint>)| {
        let metric = leading_metric(changes[0].series.summary);
        let fields = [
            Field::text("Result", |change: &&ChangePoint| change.when.name.clone()).essential(),
            Field::text("When", |change: &&ChangePoint| change.when.loaded.machine.started.clone()),
            Field::text("Server", |change: &&ChangePoint| server(change)).essential(),
            Field::text("Workload", |change: &&ChangePoint| change.series.summary.workload.name.clone())
                .essential(),
            Field::new("From", metric.quantity, |change: &&ChangePoint| change.from).essential(),
            Field::new("To", metric.quantity, |change: &&ChangePoint| change.to).essential(),
            Field::new("Ratio", Quantity::Ratio, |change: &&ChangePoint| change.ratio.map(Figure::from))
                .with_intervals()
                .essential(),
        ];
        let name = header.to_lowercase().replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
        Table::from_fields(format!("change-{name}"), format!("Changes of {header}"), fields, &changes)
    };
    let section = Section::new(
        "change-points",
        "When did figures change, and stay changed?",
        "A change begins with the result that is named, and lasts to the next one: from and to are the medians of the \
         results between changes. METHODOLOGY.md has the method, and how often it finds a change where there is \
         none.",
    );
    section.with([], by_figure.into_iter().map(table).collect::<Vec<_>>())
}

/// The name of the server. The floor's name says that it is not a server.
fn server(change: &ChangePoint) -> String {
    let server = change.series.cell.server;
    if server.is_floor { format!("{} (not a server)", server.name) } else { server.name.clone() }
}

fn results_of_last_machine(history: &History) -> Vec<&PastResult> {
    let Some(last) = history.results.last() else { return Vec::new() };
    let is_own = |result: &&PastResult| is_same_place(&result.loaded.machine, &last.loaded.machine);
    history.results.iter().filter(is_own).collect()
}

fn damaged(history: &History) -> Vec<String> {
    let damaged = history.damaged.iter();
    damaged.map(|error| format!("A result was left out because it cannot be read: {error}.")).collect()
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

/// The name of the server's machine, and of the load's machines if they are different ones.
fn place(machine: &Machine) -> String {
    let Some(hosts) = &machine.hosts else { return machine.host.clone() };
    let loads: Vec<&str> = hosts.loads.iter().map(|(_, machine)| machine.host.as_str()).collect();
    format!("{}, load from {}", machine.host, section::some(&loads))
}

/// The names of a result and of a workload, and a figure that changed there.
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

/// The leading figure of each workload, over all results of the machine that made the last one.
fn trends(history: &History) -> Option<Section> {
    let own = results_of_last_machine(history);
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

/// The chart and the table of one workload in several results.
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
