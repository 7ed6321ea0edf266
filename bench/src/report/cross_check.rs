//! The same cells by two tools: where do they disagree?

use std::fmt::Write;

use super::{figures, layout};
use crate::record::{Bound, Record, Semantics, count};
use crate::statistics::Estimate;
use crate::summary::{Cell, WorkloadSummary};
use crate::verdict;

/// How far median latencies may differ that mean the same, once the throughput's difference is taken out: by the law of Little
/// a tool that asks less waits less. What is left is how tools batch their reads.
const LATENCY_WITHIN: f64 = 0.25;

/// So much of the CPU time that a tool takes longer for a request the request may take longer: it waits as well as it works.
const TOOLS_OWN: f64 = 1.5;

/// A row a server, and what the disagreements come to.
pub(super) fn text(first: &WorkloadSummary, second: &WorkloadSummary) -> String {
    let (one, other) = (&first.tool.name, &second.tool.name);
    let mut out = format!("{} checked by {other}\n", first.workload.name);
    let heads = [
        "Server".to_owned(),
        format!("{one}/s"),
        format!("{other}/s"),
        "ratio".into(),
        "interval".into(),
        "Requests/s".into(),
        "CPU ratio".into(),
        format!("{one} p50"),
        format!("{other} p50"),
        "Latency".into(),
    ];
    let mut table = layout::table(heads.iter().map(String::as_str), 1);
    for cell in &first.cells {
        let Some(check) = second.cells.iter().find(|check| check.server.name == cell.server.name) else {
            continue;
        };
        let speed = check.ratio_to(cell, Record::per_second);
        let cost = check.ratio_to(cell, Record::cpu_per_request);
        let median = |cell: &Cell, figure: fn(&Record) -> Option<f64>, form: fn(f64) -> String| {
            cell.median(figure).map_or_else(|| "–".into(), form)
        };
        let p50 = |run: &Record| run.percentile(50);
        table.add_row([
            cell.server.name.clone(),
            median(cell, Record::per_second, figures::whole),
            median(check, Record::per_second, figures::whole),
            speed.map_or_else(|| "–".into(), |ratio| figures::ratio(ratio.median)),
            speed.map_or_else(
                || "–".into(),
                |ratio| format!("{}–{}", figures::ratio(ratio.low), figures::ratio(ratio.high)),
            ),
            throughput(cell, check, speed).to_owned(),
            cost.map_or_else(|| "–".into(), |ratio| figures::ratio(ratio.median)),
            median(cell, p50, figures::duration),
            median(check, p50, figures::duration),
            latency(first, second, [cell, check], speed),
        ]);
    }
    let _ = writeln!(out, "{}", table.trim_fmt());
    let _ = writeln!(
        out,
        "Requests/s disagree when the interval of their ratio leaves out 1, unless a tool used its cores up, or takes so much longer \
         itself. \
         {one} counts latency {}; {other} {}.",
        first.tool.semantics.as_ref().map_or("–", |semantics| &semantics.meaning),
        second.tool.semantics.as_ref().map_or("–", |semantics| &semantics.meaning),
    );
    out
}

fn throughput(cell: &Cell, check: &Cell, ratio: Option<Estimate>) -> &'static str {
    let bound = |cell: &Cell| verdict::of_cell(cell).map(|verdict| verdict.bound);
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
    let tools = |run: &Record| Some(run.cpu.as_ref()?.tool.seconds / count(run.load.as_ref()?.answered));
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
    use crate::summary::summarise;

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

    fn row(mut records: Vec<Record>) -> String {
        for record in &mut records {
            record.verdict = verdict::of_run(record);
        }
        let summaries = summarise(&records);
        let text = text(&summaries[0], &summaries[1]);
        text.lines().find(|line| line.trim().starts_with("one")).unwrap().to_owned()
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
            let row = row([first(), second].concat());
            assert!(row.contains(throughput) && row.trim().ends_with(latency), "{name}: {row}");
        }
    }
}
