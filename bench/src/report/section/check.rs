//! Do two tools agree? The same cells by both.

use super::Source;
use super::parts::{self, PER_SECOND};
use crate::analysis::statistics::Estimate;
use crate::analysis::summary::{Cell, WorkloadSummary};
use crate::report::document::{Column, Priority, Section, Table};
use crate::report::value::{Quantity, Value};
use crate::store::record::{Bound, Record, Semantics};
use crate::text::numbers::as_f64;

/// How far median latencies may differ that mean the same, once the throughput's difference is taken out: by the law of Little
/// a tool that asks less waits less. What is left is how tools batch their reads.
const LATENCY_WITHIN: f64 = 0.25;

/// So much of the CPU time that a tool takes longer for a request the request may take longer: it waits as well as it works.
const TOOLS_OWN: f64 = 1.5;

pub(super) fn section(source: &Source) -> Option<Section> {
    let is_of_same = |one: &&WorkloadSummary, other: &WorkloadSummary| {
        !one.is_check && one.workload.name == other.workload.name
    };
    let checks = source.summaries.iter().filter(|summary| summary.is_check);
    let pairs = checks
        .filter_map(|check| Some((source.summaries.iter().find(|first| is_of_same(first, check))?, check)));
    let tables: Vec<Table> = pairs.map(|(first, check)| table(first, check)).collect();
    (!tables.is_empty()).then(|| Section {
        id: "check",
        title: "Do two load tools agree?",
        about: vec![
            "Requests/s disagree when the interval of their ratio leaves out 1, unless a tool used its cores up, or takes so much longer \
             itself."
                .into(),
        ],
        charts: Vec::new(),
        tables,
        facts: Vec::new(),
    })
}

/// A row a server, and what the disagreements come to.
fn table(first: &WorkloadSummary, second: &WorkloadSummary) -> Table {
    let (one, other) = (&first.tool.name, &second.tool.name);
    let p50 = |tool: &str| Column::new(format!("{tool} p50"), Quantity::Time);
    let rate = |tool: &str| Column::new(tool, Quantity::Rate).with_priority(Priority::Low);
    let columns = [
        parts::server(),
        rate(one),
        rate(other),
        Column::new("Ratio", Quantity::Ratio).with_intervals(),
        Column::new("Requests/s", Quantity::Text).with_priority(Priority::High),
        Column::new("CPU ratio", Quantity::Ratio),
        p50(one),
        p50(other),
        Column::new("Latency", Quantity::Text).with_priority(Priority::High),
    ];
    let name = format!("check-{}-{other}", first.workload.name);
    let mut table = Table::new(name, format!("{} checked by {other}", first.workload.name), columns);
    for cell in &first.cells {
        let Some(check) = second.cells.iter().find(|check| check.server.name == cell.server.name) else {
            continue;
        };
        let speed = check.ratio_to(cell, Record::per_second);
        let p50 = |cell: &Cell| Value::from(cell.median(|run| run.percentile(50)));
        table.rows.push(vec![
            cell.server.name.as_str().into(),
            PER_SECOND.value(cell),
            PER_SECOND.value(check),
            speed.into(),
            throughput(cell, check, speed).into(),
            check.ratio_to(cell, Record::cpu_per_request).into(),
            p50(cell),
            p50(check),
            latency(first, second, [cell, check], speed).into(),
        ]);
    }
    table.notes.extend(parts::legend(&table));
    for tool in [first.tool, second.tool] {
        let meaning = tool.semantics.as_ref().map(|semantics| &semantics.meaning);
        table.notes.extend(meaning.map(|meaning| format!("{} counts latency {meaning}.", tool.name)));
    }
    table
}

fn throughput(cell: &Cell, check: &Cell, ratio: Option<Estimate>) -> &'static str {
    let bound = |cell: &Cell| cell.bound();
    let is = |wanted: Bound| bound(cell) == Some(wanted) || bound(check) == Some(wanted);
    match ratio {
        None => "not both there",
        Some(ratio) if !ratio.is_enough() => "too few to tell",
        Some(ratio) if !ratio.is_above(1.0) && !ratio.is_below(1.0) => "agree",
        Some(_) if is(Bound::Invalid) => "invalid",
        Some(_) if is(Bound::ClientBound) || is_the_tools(cell, check) => "the tools' own",
        Some(_) => "DISAGREE",
    }
}

/// Whether a request takes longer by what the tool itself takes longer for it: where nobody is busy, that is in the round trip.
fn is_the_tools(cell: &Cell, check: &Cell) -> bool {
    let time = |run: &Record| Some(1.0 / run.per_second()?);
    let tools = |run: &Record| Some(run.cpu.as_ref()?.tool.seconds / as_f64(run.load.as_ref()?.answered));
    let more = |figure: &dyn Fn(&Record) -> Option<f64>| Some(check.median(figure)? - cell.median(figure)?);
    let (Some(time), Some(tools)) = (more(&time), more(&tools)) else { return false };
    let share = time / tools;
    (0.0..=TOOLS_OWN).contains(&share)
}

/// Whether latencies that mean the same are the same.
fn latency(
    first: &WorkloadSummary,
    second: &WorkloadSummary,
    cells: [&Cell; 2],
    speed: Option<Estimate>,
) -> String {
    let (Some(one), Some(other)) = (&first.tool.semantics, &second.tool.semantics) else {
        return "–".into();
    };
    if let Some(why) = incomparable(one, other) {
        return format!("not compared: {why}");
    }
    let p50s = cells.map(|cell| cell.median(|run| run.percentile(50)));
    let ([Some(one_p50), Some(other_p50)], Some(speed)) = (p50s, speed) else {
        return "–".into();
    };
    let resolution = one.resolution_seconds.unwrap_or(0.0).max(other.resolution_seconds.unwrap_or(0.0));
    let off = (other_p50 * speed.median / one_p50 - 1.0).abs();
    let agree = off <= LATENCY_WITHIN || (other_p50 - one_p50).abs() <= resolution;
    if agree { "agree".into() } else { format!("DISAGREE by {:.0} %", off * 100.0) }
}

/// Why two meanings of latency cannot be held against each other.
fn incomparable(one: &Semantics, other: &Semantics) -> Option<&'static str> {
    if one.synthetic || other.synthetic {
        Some("partly made up")
    } else if one.from != other.from {
        Some("from different moments")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::summary::summarise;
    use crate::analysis::verdict;

    /// Seven runs of a server by a tool that count as many answers, of which half took so long.
    fn runs(tool: &str, answered: u64, p50: f64, tool_seconds: f64) -> Vec<Record> {
        let run = |repetition| {
            let mut run = Record::example("one", repetition);
            run.tool.name = tool.into();
            run.load.as_mut().unwrap().answered = answered + u64::from(repetition);
            let latency = run.latency.as_mut().unwrap();
            latency.percentiles = [(50, p50)].into();
            latency.mean_seconds = None;
            run.cpu.as_mut().unwrap().tool.seconds = tool_seconds;
            run
        };
        (1..=7).map(run).collect()
    }

    /// What is said of throughput and of latency.
    fn judgements(mut records: Vec<Record>) -> [String; 2] {
        for record in &mut records {
            record.verdict = verdict::of_run(record);
        }
        let summaries = summarise(&records);
        let table = table(&summaries[0], &summaries[1]);
        [4, 8].map(|column| table.rows[0][column].text().unwrap().to_owned())
    }

    #[test]
    fn tools_agree_or_it_is_said() {
        let meaning_of = |change: fn(&mut Semantics)| {
            move |mut run: Record| {
                change(run.tool.semantics.as_mut().unwrap());
                run
            }
        };
        let first = || runs("visit", 1000, 0.01, 0.5);
        let cases = [
            ("the same", runs("wrk", 1000, 0.0101, 0.5), "agree", "agree"),
            ("fewer, and nobody was busy", runs("wrk", 900, 0.011, 0.5), "DISAGREE", "agree"),
            (
                "fewer, by what the tool takes longer",
                runs("wrk", 980, 0.0102, 0.51),
                "the tools' own",
                "agree",
            ),
            ("fewer, by a busy tool", runs("wrk", 900, 0.011, 0.95), "the tools' own", "agree"),
            ("as many, that took longer", runs("wrk", 1000, 0.02, 0.5), "agree", "DISAGREE by 100 %"),
            (
                "as many, told in tenths",
                runs("wrk", 1000, 0.1, 0.5)
                    .into_iter()
                    .map(meaning_of(|meaning| meaning.resolution_seconds = Some(0.1)))
                    .collect(),
                "agree",
                "agree",
            ),
            (
                "as many, partly made up",
                runs("wrk", 1000, 0.02, 0.5)
                    .into_iter()
                    .map(meaning_of(|meaning| meaning.synthetic = true))
                    .collect(),
                "agree",
                "not compared: partly made up",
            ),
            (
                "too few",
                runs("wrk", 500, 0.02, 0.5).into_iter().take(4).collect(),
                "too few to tell",
                "agree",
            ),
        ];
        for (name, second, throughput, latency) in cases {
            assert_eq!(judgements([first(), second].concat()), [throughput, latency], "{name}");
        }
    }
}
