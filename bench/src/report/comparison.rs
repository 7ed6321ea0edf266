//! The comparison of two result folders as a document: what differs between the two measurements, a
//! section per kind of figure with a table per workload, and what is not compared.

use super::document::{Document, Fact, Section, Table};
use super::field::Field;
use super::value::Quantity;
use crate::analysis::compare::{
    ComparedFigure, ComparedWorkload, Comparison, Difference, FigureKind, Judgement, NEAR_RATE, NotCompared,
};
use crate::analysis::statistics;
use crate::text::numbers;

/// A kind of figure: what it is called, and the section that compares it.
struct Shown {
    kind: FigureKind,
    header: &'static str,
    quantity: Quantity,
    /// The id of the section.
    id: &'static str,
    title: &'static str,
    about: &'static str,
}

const KINDS: [Shown; 6] = [
    Shown {
        kind: FigureKind::Cost,
        header: "CPU/request",
        quantity: Quantity::Time,
        id: "cost",
        title: "Did the CPU time per request change?",
        about: "",
    },
    Shown {
        kind: FigureKind::Throughput,
        header: "Requests/s",
        quantity: Quantity::Rate,
        id: "throughput",
        title: "Did the requests per second change?",
        about: "Compared only where the server was the bottleneck in A and in B: otherwise the figure says nothing \
                about the server.",
    },
    Shown {
        kind: FigureKind::Latency,
        header: "p99",
        quantity: Quantity::Time,
        id: "latency",
        title: "Did the latency change?",
        about: "The 99th percentile under a fixed rate of requests.",
    },
    Shown {
        kind: FigureKind::FirstAnswer,
        header: "First answer",
        quantity: Quantity::Time,
        id: "start",
        title: "Did the time to the first answer change?",
        about: "",
    },
    Shown {
        kind: FigureKind::Memory,
        header: "Memory/connection",
        quantity: Quantity::Memory,
        id: "memory",
        title: "Did the memory per connection change?",
        about: "",
    },
    Shown {
        kind: FigureKind::Idle,
        header: "CPU/second",
        quantity: Quantity::Time,
        id: "idle",
        title: "Did the CPU time per second of silent connections change?",
        about: "",
    },
];

/// A comparison as a document. `names` are the names of the folders.
pub fn document(comparison: &Comparison, names: [&str; 2]) -> Document {
    let origin = ["A", "B"].into_iter().zip(comparison.folders).zip(names).map(|((side, folder), name)| {
        let machine = &folder.machine;
        Fact::new(side, format!("{name}, {} on {}", machine.started, machine.host))
    });
    let kinds = KINDS.iter().filter_map(|shown| figures(comparison, shown));
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
    let not_judged =
        comparison.count(|judgement| matches!(judgement, Judgement::NotJudged(_) | Judgement::NoBaseline(_)));
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
        "A and B were measured on different machines, or under different kernels: each ratio compares these, and not only \
         the servers."
            .to_owned()
    });
    let two_networks = comparison.is_of_two_networks().then(|| {
        "The load of A and that of B came from different machines or over different networks: part of each ratio is due \
         to that, and not to the servers."
            .to_owned()
    });
    let torn = comparison.folders.iter().filter_map(|folder| folder.torn.clone());
    two_machines.into_iter().chain(two_networks).chain(torn).collect()
}

/// The figures of one kind, a table per workload and tool.
fn figures(comparison: &Comparison, shown: &Shown) -> Option<Section> {
    let tables = comparison.workloads.iter().filter_map(|compared| table(compared, shown));
    Section::new(shown.id, shown.title, shown.about).with([], tables)
}

fn table(compared: &ComparedWorkload, shown: &Shown) -> Option<Table> {
    let ComparedWorkload { workload, tool, .. } = compared;
    let Shown { kind, quantity, id, .. } = *shown;
    let figures = || compared.figures.iter().filter(|figure| figure.kind == kind);
    figures().next()?;
    let check = if compared.is_check { ", cross-check" } else { "" };
    // The unit is behind the header, where "A/s" would be read as a unit itself.
    let what = if kind == FigureKind::Throughput { " requests" } else { "" };
    let fields = [
        Field::text("Server", |figure: &ComparedFigure| figure.server),
        Field::new(format!("A{what}"), quantity, |figure: &ComparedFigure| figure.medians[0]),
        Field::new(format!("B{what}"), quantity, |figure: &ComparedFigure| figure.medians[1]),
        Field::new("B : A", Quantity::Ratio, |figure: &ComparedFigure| figure.ratio).with_intervals(),
        Field::text("Judgement", |figure: &ComparedFigure| figure.judgement.to_string()),
    ];
    let name = format!("{id}-{}-{}", workload.name, tool.name);
    let title = format!("{} ({}, by {}{check})", workload.title, workload.name, tool.name);
    let mut table = Table::from_fields(name, title, fields.map(Field::essential), figures());
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

/// A sentence about the differences that are noise; `None` if no figure was judged.
fn noise(compared: &ComparedWorkload, kind: FigureKind) -> Option<String> {
    let (_, noise) = compared.noise.iter().find(|(known, _)| *known == kind)?;
    Some(match noise {
        Some(noise) => format!("Differences below {:.1} % are noise (A/A).", noise * 100.0),
        None => "The noise is unknown: neither folder has a duplicate (A/A) with these figures.".into(),
    })
}

/// The short name of a kind of figure.
pub(super) fn kind_name(kind: FigureKind) -> &'static str {
    KINDS.iter().find(|shown| shown.kind == kind).map_or("", |shown| shown.header)
}

/// The figures that only one folder has, and throughputs that say nothing about the server.
fn not_compared(comparison: &Comparison) -> Option<Section> {
    let fields = [
        Field::text("Workload", |row: &NotCompared| row.workload),
        Field::text("Tool", |row: &NotCompared| row.tool),
        Field::text("Figures", |row: &NotCompared| row.kind.map_or("all", kind_name)),
        Field::text("Servers", |row: &NotCompared| row.servers.join(", ")),
        Field::text("Reason", |row: &NotCompared| row.reason),
    ];
    let title = "Figures that are not compared";
    let table =
        Table::from_fields("not-compared", title, fields.map(Field::essential), &comparison.not_compared);
    Section::new("not-compared", "What is not compared?", "").with([], table.with_rows())
}

/// The conditions that differ.
fn differences(comparison: &Comparison) -> Option<Section> {
    let fields = [
        Field::text("What", |difference: &Difference| difference.what.clone()),
        Field::text("A", |difference: &Difference| difference.values[0].clone()),
        Field::text("B", |difference: &Difference| difference.values[1].clone()),
    ];
    let title = "Conditions that are not the same";
    let table =
        Table::from_fields("differences", title, fields.map(Field::essential), &comparison.differences);
    Section::new("differences", "What differs between A and B?", "").with([], table.with_rows())
}
