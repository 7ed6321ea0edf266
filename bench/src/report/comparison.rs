//! The comparison of two result folders as a document: what differs between the two measurements, a
//! section per kind of figure with a table per workload, and what is not compared.

use serde_json::Value;

use super::document::{Document, Fact, Section, Table};
use super::field::Field;
use super::value::Quantity;
use crate::analysis::compare::{
    ComparedFigure, ComparedWorkload, Comparison, Difference, FigureKind, Judgement, NEAR_RATE, Reason,
    Unmatched,
};
use crate::analysis::statistics;
use crate::store::record::{Bound, ConformanceRecord, WorkloadRecord};
use crate::text::numbers;
use crate::text::numbers::as_f64;

/// The judgement of a figure that got worse, as tables show it.
pub(crate) const WORSE: &str = "worse";
/// The judgement of a figure that got better.
pub(crate) const BETTER: &str = "better";

const SIDES: [&str; 2] = ["A", "B"];

const KINDS: [FigureKind; 5] = [
    FigureKind::Cost,
    FigureKind::Throughput,
    FigureKind::Latency,
    FigureKind::FirstAnswer,
    FigureKind::Memory,
];

/// A comparison as a document. `names` are the names of the folders.
pub fn document(comparison: &Comparison, names: [&str; 2]) -> Document {
    let origin = SIDES.into_iter().zip(comparison.folders).zip(names).map(|((side, folder), name)| {
        let machine = &folder.machine;
        Fact::new(side, format!("{name}, {} on {}", machine.started, machine.host))
    });
    let kinds = KINDS.into_iter().filter_map(|kind| figures(comparison, kind));
    Document {
        title: format!("{} compared with {}", names[1], names[0]),
        origin: origin.collect(),
        answers: answers(comparison),
        warnings: warnings(comparison),
        sections: differences(comparison).into_iter().chain(kinds).chain(not_compared(comparison)).collect(),
        ..Document::default()
    }
}

fn answers(comparison: &Comparison) -> Vec<String> {
    if comparison.figures().next().is_none() {
        let nothing = "There is nothing to compare: no server has figures of the same workload by the same tool in \
                       both folders.";
        return vec![nothing.into()];
    }
    let is = |number: usize| if number == 1 { "is" } else { "are" };
    let worse = comparison.count(|judgement| *judgement == Judgement::Worse);
    let better = comparison.count(|judgement| *judgement == Judgement::Better);
    let same = comparison.count(|judgement| *judgement == Judgement::Same);
    let too_few = comparison.count(|judgement| *judgement == Judgement::TooFew);
    let broken = comparison.count(|judgement| matches!(judgement, Judgement::Broken(_)));
    let not_judged = comparison.count(|judgement| matches!(judgement, Judgement::NotJudged(_)));
    let mut counts = format!(
        "{worse} {} {} worse, {better} {} better, {same} cannot be distinguished",
        if worse == 1 { "figure" } else { "figures" },
        is(worse),
        is(better)
    );
    for (number, what) in [
        (too_few, format!("of fewer than {} repetitions", statistics::ENOUGH)),
        (broken, "broken in B".into()),
        (not_judged, "not judged".into()),
    ] {
        if number > 0 {
            counts += &format!(", {number} {} {what}", is(number));
        }
    }
    vec![
        counts + ".",
        "A figure is worse or better where the 95 % interval of its ratio B : A excludes 1, and the ratio differs \
         from 1 by more than the noise. The noise is the difference that a server has from itself, measured as its \
         duplicate (A/A)."
            .into(),
    ]
}

fn warnings(comparison: &Comparison) -> Vec<String> {
    let two_machines = comparison.is_of_two_machines().then(|| {
        "A and B were measured on two machines: each ratio compares the machines, and not only the servers."
            .to_owned()
    });
    let torn = comparison.folders.iter().filter_map(|folder| folder.torn.clone());
    two_machines.into_iter().chain(torn).collect()
}

/// A section of tables, the notes of which say how they are to be read.
fn section(id: &'static str, title: &'static str, about: &str, tables: Vec<Table>) -> Option<Section> {
    let has_rows = tables.iter().any(|table| !table.rows.is_empty());
    has_rows.then(|| Section { tables, ..Section::new(id, title, about) })
}

/// A table of text, no column of which is left out where there is little room.
fn text_table<const N: usize>(name: &str, title: &str, headers: [&str; N], rows: &[[String; N]]) -> Table {
    let field =
        |place: usize| Field::text(headers[place], move |row: &[String; N]| row[place].clone()).essential();
    Table::from_fields(name, title, (0..N).map(field), rows)
}

/// The figures of one kind, a table per workload and tool.
fn figures(comparison: &Comparison, kind: FigureKind) -> Option<Section> {
    let (id, title, about) = match kind {
        FigureKind::Cost => ("cost", "Did the CPU time per request change?", ""),
        FigureKind::Throughput => (
            "throughput",
            "Did the requests per second change?",
            "Compared only where the server was the bottleneck in A and in B: otherwise the figure says nothing about \
             the server.",
        ),
        FigureKind::Latency => {
            ("latency", "Did the latency change?", "The 99th percentile under a fixed rate of requests.")
        }
        FigureKind::FirstAnswer => ("start", "Did the time to the first answer change?", ""),
        FigureKind::Memory => ("memory", "Did the memory per connection change?", ""),
    };
    let tables = comparison.workloads.iter().filter_map(|compared| table(compared, kind, id)).collect();
    section(id, title, about, tables)
}

fn table(compared: &ComparedWorkload, kind: FigureKind, id: &str) -> Option<Table> {
    let ComparedWorkload { workload, tool, .. } = compared;
    compared.figures.iter().find(|figure| figure.kind == kind)?;
    let quantity = match kind {
        FigureKind::Cost | FigureKind::Latency | FigureKind::FirstAnswer => Quantity::Time,
        FigureKind::Throughput => Quantity::Rate,
        FigureKind::Memory => Quantity::Memory,
    };
    let check = if compared.is_check { ", cross-check" } else { "" };
    // The unit is behind the header, where "A/s" would be read as a unit itself.
    let [a, b] = SIDES.map(|side| match kind {
        FigureKind::Throughput => format!("{side} requests"),
        _ => side.to_owned(),
    });
    let fields = [
        Field::text("Server", |figure: &ComparedFigure| figure.server.to_owned()),
        Field::new(a, quantity, |figure: &ComparedFigure| figure.medians[0]),
        Field::new(b, quantity, |figure: &ComparedFigure| figure.medians[1]),
        Field::new("B : A", Quantity::Ratio, |figure: &ComparedFigure| figure.ratio).with_intervals(),
        Field::text("Judgement", |figure: &ComparedFigure| judgement(&figure.judgement)),
    ];
    let name = format!("{id}-{}-{}", workload.name, tool.name);
    let title = format!("{} ({}, by {}{check})", workload.title, workload.name, tool.name);
    let figures = compared.figures.iter().filter(|figure| figure.kind == kind);
    let mut table = Table::from_fields(name, title, fields.map(Field::essential), figures);
    table.has_one_unit = true;
    table.notes.extend(noise(compared, kind));
    if kind == FigureKind::Latency {
        table.notes.extend(compared.rates.iter().map(|(server, rates)| {
            let [a, b] = rates.map(numbers::whole);
            let near = NEAR_RATE * 100.0;
            format!(
                "{server} had another rate of requests: A: {a}/s, B: {b}/s. Latency rises with the rate; rates that \
                 differ by more than {near:.0} % are not compared."
            )
        }));
    }
    Some(table)
}

/// The differences that are noise. Nothing is said where no figure was judged.
fn noise(compared: &ComparedWorkload, kind: FigureKind) -> Option<String> {
    let (_, noise) = compared.noise.iter().find(|(known, _)| *known == kind)?;
    Some(match noise {
        Some(noise) => format!("Differences below {:.1} % are noise (A/A).", noise * 100.0),
        None => "The noise is unknown: neither folder has a duplicate (A/A) with these figures.".into(),
    })
}

pub(super) fn judgement(judgement: &Judgement) -> String {
    match judgement {
        Judgement::Worse => WORSE.into(),
        Judgement::Better => BETTER.into(),
        Judgement::Same => "same".into(),
        Judgement::TooFew => "too few repetitions".into(),
        Judgement::Broken(reason) => format!("broken: {}", why(reason)),
        Judgement::NotJudged(reason) => format!("not judged: {}", why(reason)),
    }
}

fn why(reason: &Reason) -> String {
    match reason {
        Reason::NoFigures(side) => format!("{} has no figures", SIDES[*side]),
        Reason::Bound(side, verdict) => {
            let bound = if verdict.bound == Bound::Disturbed { "disturbed" } else { "invalid" };
            let reason = verdict.reason.as_ref().map_or_else(String::new, |reason| format!(", {reason}"));
            format!("{} is {bound}{reason}", SIDES[*side])
        }
        Reason::OtherMeaning => "the tool defines latency differently in B".into(),
        Reason::OtherRate => "the rates are too far apart".into(),
        Reason::NoRatio => "there is no ratio".into(),
    }
}

/// The short name of a kind of figure.
pub(super) fn kind_name(kind: FigureKind) -> &'static str {
    match kind {
        FigureKind::Cost => "CPU/request",
        FigureKind::Throughput => "Requests/s",
        FigureKind::Latency => "p99",
        FigureKind::FirstAnswer => "First answer",
        FigureKind::Memory => "Memory/connection",
    }
}

/// What only one folder has, and throughputs that say nothing about the server.
fn not_compared(comparison: &Comparison) -> Option<Section> {
    let row = |workload: &str, tool: &str, figures: &str, servers: &[&str], reason: &str| {
        [workload, tool, figures, &servers.join(", "), reason].map(str::to_owned)
    };
    let mut rows = Vec::new();
    for (unmatched, reason) in comparison.unmatched.iter().zip(["only in A", "only in B"]) {
        let of_workload = |alone: &Unmatched| row(alone.workload, alone.tool, "all", &alone.servers, reason);
        rows.extend(unmatched.iter().map(of_workload));
    }
    for compared in comparison.workloads.iter().filter(|compared| !compared.without_throughput.is_empty()) {
        let ComparedWorkload { workload, tool, without_throughput, .. } = compared;
        let reason = "the server was not the bottleneck in A and in B";
        let figures = kind_name(FigureKind::Throughput);
        rows.push(row(&workload.name, &tool.name, figures, without_throughput, reason));
    }
    let headers = ["Workload", "Tool", "Figures", "Servers", "Reason"];
    let table = text_table("not-compared", "Figures that are not compared", headers, &rows);
    section("not-compared", "What is not compared?", "", vec![table])
}

/// The conditions that differ.
fn differences(comparison: &Comparison) -> Option<Section> {
    let row = |differing| {
        let (what, [a, b]) = difference(differing);
        [what, a, b]
    };
    let rows: Vec<_> = comparison.differences.iter().map(row).collect();
    let table = text_table("differences", "Conditions that are not the same", ["What", "A", "B"], &rows);
    section("differences", "What differs between A and B?", "", vec![table])
}

/// The name of a condition, and its value in A and in B.
fn difference(difference: &Difference) -> (String, [String; 2]) {
    let unknown = || "unknown".to_owned();
    match difference {
        Difference::Processor(names) => {
            ("processor".into(), names.map(|name| name.map_or_else(unknown, str::to_owned)))
        }
        Difference::Cores(counts) => {
            ("cores".into(), counts.map(|count| count.map_or_else(unknown, |count| count.to_string())))
        }
        Difference::Memory(sizes) => {
            let size = |bytes: u64| numbers::mebibytes(as_f64(bytes));
            ("memory".into(), sizes.map(|bytes| bytes.map_or_else(unknown, size)))
        }
        Difference::Kernel(names) => ("kernel".into(), names.map(str::to_owned)),
        Difference::ServerCores(cores) => ("servers on".into(), cores.map(numbers::cores)),
        Difference::ToolCores(cores) => ("tool on".into(), cores.map(numbers::cores)),
        Difference::Bench(versions) => ("bench".into(), versions.map(str::to_owned)),
        Difference::Tool(name, versions) | Difference::Server(name, versions) => {
            ((*name).to_owned(), versions.map(|version| version.map_or_else(unknown, str::to_owned)))
        }
        Difference::Conformance(name, found) => {
            (format!("HTTP cases of {name}"), found.map(|found| found.map_or_else(unknown, conformance)))
        }
        Difference::Workload(workloads) => {
            (format!("workload {}, not compared", workloads[0].name), definitions(*workloads))
        }
    }
}

fn conformance(found: &ConformanceRecord) -> String {
    format!("{found}, {} smuggled", found.smuggled)
}

/// The fields of each definition that differ from the other one, by their names in the records.
fn definitions(workloads: [&WorkloadRecord; 2]) -> [String; 2] {
    let [a, b] = workloads.map(|workload| serde_json::to_value(workload).unwrap_or_default());
    let differing = |one: &Value, other: &Value| {
        let fields = one.as_object().into_iter().flatten();
        let fields = fields.filter(|(name, value)| {
            !["title", "published"].contains(&name.as_str()) && other.get(name) != Some(value)
        });
        fields.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
    };
    [differing(&a, &b), differing(&b, &a)]
}
