//! Two result folders held against each other, as text.

use std::fmt::Write;

use comfy_table::CellAlignment;
use serde_json::Value;

use crate::analysis::compare::{
    Alone, Compared, Comparison, Difference, Judgement, Kind, NEAR_RATE, Reason, Row,
};
use crate::analysis::statistics;
use crate::analysis::verdict;
use crate::store::record::{Bound, ConformanceRecord, WorkloadRecord};
use crate::text::numbers::as_f64;
use crate::text::{layout, numbers};

/// What is said when it is machines that are compared.
pub(crate) const TWO_MACHINES: &str =
    "THESE ARE TWO MACHINES: every ratio below compares them, and not only what ran on them.";

/// The judgements that are said in a word, at a line's end.
pub(crate) const WORSE: &str = "worse";
/// See [`WORSE`].
pub(crate) const BETTER: &str = "better";
const SAME: &str = "same";
const TOO_FEW: &str = "too few";

/// How many columns, the first ones, are words; the last one is, too.
const WORDS: usize = 2;

/// How many of each judgement there are, what was not the same, a table a workload, and what is not compared. `names` are what
/// the folders are called.
pub fn text(comparison: &Comparison, names: [&str; 2]) -> String {
    let mut out = counts(comparison);
    if comparison.is_of_two_machines() {
        let _ = writeln!(out, "{TWO_MACHINES}");
    }
    out.push('\n');
    for ((side, folder), name) in ["A", "B"].iter().zip(comparison.folders).zip(names) {
        let machine = &folder.machine;
        let _ = writeln!(out, "{side}: {name}, {} on {}", machine.started, machine.host);
        if let Some(torn) = &folder.torn {
            let _ = writeln!(out, "   {torn}");
        }
    }
    for difference in &comparison.differences {
        let _ = writeln!(out, "{}", self::difference(difference));
    }
    for compared in comparison.workloads.iter().filter(|compared| !compared.rows.is_empty()) {
        let _ = write!(out, "\n{}", workload(compared));
    }
    let rest = not_compared(comparison);
    if !rest.is_empty() {
        let _ = write!(out, "\n{rest}");
    }
    out
}

/// The first sentences.
fn counts(comparison: &Comparison) -> String {
    let of = |is: fn(&Judgement) -> bool| comparison.rows().filter(|row| is(&row.judgement)).count();
    if comparison.rows().next().is_none() {
        return "There is nothing to compare: no server has figures of the same workload by the same tool in both.\n".into();
    }
    let worse = of(|judgement| *judgement == Judgement::Worse);
    let mut out = format!(
        "{worse} {} worse, {} better, {} cannot be told apart.",
        if worse == 1 { "figure is" } else { "figures are" },
        of(|judgement| *judgement == Judgement::Better),
        of(|judgement| *judgement == Judgement::Same),
    );
    let too_few = of(|judgement| *judgement == Judgement::TooFew);
    if too_few > 0 {
        let _ = write!(out, " Of {too_few} there are fewer than {} repetitions.", statistics::ENOUGH);
    }
    let broken = of(|judgement| matches!(judgement, Judgement::Broken(_)));
    if broken > 0 {
        let _ = write!(out, " {broken} broken in B.");
    }
    let not_judged = of(|judgement| matches!(judgement, Judgement::NotJudged(_)));
    if not_judged > 0 {
        let _ = write!(out, " {not_judged} not judged.");
    }
    out + "\n"
}

/// A workload's table and what has to be known to read it.
fn workload(compared: &Compared) -> String {
    let check = if compared.is_check { ", the check" } else { "" };
    let Compared { workload, tool, .. } = compared;
    let mut out = format!("{}  ({}, by {}{check})\n", workload.title, workload.name, tool.name);
    let heads = ["Server", "Figure", "A", "B", "B : A", "interval", "Judgement"];
    let mut table = layout::table(heads, WORDS);
    if let Some(column) = table.column_mut(heads.len() - 1) {
        column.set_cell_alignment(CellAlignment::Left);
    }
    for row in &compared.rows {
        table.add_row(cells(row));
    }
    let _ = writeln!(out, "{}", table.trim_fmt());
    noise(compared, &mut out);
    for (server, [a, b]) in &compared.rates {
        let _ = writeln!(
            out,
            "{server} was asked at another rate: A: {}/s  B: {}/s. Latency rises with it, and is compared up to {:.0} %.",
            numbers::whole(*a),
            numbers::whole(*b),
            NEAR_RATE * 100.0
        );
    }
    out
}

fn cells(row: &Row) -> [String; 7] {
    let form = form(row.kind);
    let [a, b] = row.medians.map(|median| median.map_or_else(dash, form));
    let (ratio, interval) = row.ratio.map_or_else(
        || (dash(), dash()),
        |ratio| {
            let [median, low, high] = [ratio.median, ratio.low, ratio.high].map(numbers::ratio);
            (median, format!("{low}–{high}"))
        },
    );
    [row.server.to_owned(), name(row.kind).to_owned(), a, b, ratio, interval, judgement(&row.judgement)]
}

pub(super) fn judgement(judgement: &Judgement) -> String {
    match judgement {
        Judgement::Worse => WORSE.into(),
        Judgement::Better => BETTER.into(),
        Judgement::Same => SAME.into(),
        Judgement::TooFew => TOO_FEW.into(),
        Judgement::Broken(reason) => format!("broken: {}", why(reason)),
        Judgement::NotJudged(reason) => format!("not judged: {}", why(reason)),
    }
}

fn why(reason: &Reason) -> String {
    match reason {
        Reason::NoFigures(side) => format!("{} has no figures", side_name(*side)),
        Reason::Bound(side, verdict::Verdict { bound, reason }) => {
            let bound = if *bound == Bound::Disturbed { "disturbed" } else { "invalid" };
            let reason = reason.as_ref().map_or_else(String::new, |reason| format!(", {reason}"));
            format!("{} is {bound}{reason}", side_name(*side))
        }
        Reason::OtherMeaning => "the tool's latency means something else in B".into(),
        Reason::OtherRate => "the rates are too far apart".into(),
        Reason::NoRatio => "there is no ratio".into(),
    }
}

fn side_name(side: usize) -> &'static str {
    if side == 0 { "A" } else { "B" }
}

/// What is no difference, by figure.
fn noise(compared: &Compared, out: &mut String) {
    let known: Vec<String> = compared
        .noise
        .iter()
        .filter_map(|(kind, noise)| Some(format!("{:.1} % of {}", (*noise)? * 100.0, name(*kind))))
        .collect();
    // Nothing was judged where there is no kind at all.
    if !known.is_empty() {
        let _ = writeln!(out, "By the A/A controls, differences below {} are noise.", known.join(", "));
    } else if !compared.noise.is_empty() {
        out.push_str("Neither has an A/A control here, so that the noise is not known.\n");
    }
}

/// What stands in one folder only, and throughputs that are no fact about a server.
fn not_compared(comparison: &Comparison) -> String {
    let mut out = String::new();
    for (side, alone) in comparison.alone.iter().enumerate() {
        for Alone { workload, tool, servers } in alone {
            let _ =
                writeln!(out, "Only in {}: {workload} by {tool}: {}", side_name(side), servers.join(", "));
        }
    }
    let left_out: usize = comparison.workloads.iter().map(|compared| compared.throughputs_left_out).sum();
    if left_out > 0 {
        let plural = if left_out == 1 { "cell is" } else { "cells are" };
        let _ = writeln!(
            out,
            "Requests/s of {left_out} {plural} not compared: they are a fact about the server only where it used its cores up, \
             and the tool did not, in A and in B."
        );
    }
    out
}

/// `what: A: …  B: …`
fn difference(difference: &Difference) -> String {
    let unknown = || "unknown".to_owned();
    let (what, [a, b]) = match difference {
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
    };
    format!("{what}: A: {a}  B: {b}")
}

fn conformance(found: &ConformanceRecord) -> String {
    format!("{found}, {} smuggled", found.smuggled)
}

/// What each asks for that the other does not, by the names that the fields have in the records.
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

pub(super) fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Cost => "CPU µs/request",
        Kind::Throughput => "Requests/s",
        Kind::Latency => "p99",
        Kind::FirstAnswer => "First answer",
        Kind::Memory => "Memory/connection",
    }
}

fn form(kind: Kind) -> fn(f64) -> String {
    match kind {
        Kind::Cost => numbers::microseconds,
        Kind::Throughput => numbers::whole,
        Kind::Latency | Kind::FirstAnswer => numbers::duration,
        Kind::Memory => numbers::bytes,
    }
}

fn dash() -> String {
    "–".into()
}
