//! Do two load tools agree? Compares the cells that both tools measured.

use super::metric::PER_SECOND;
use super::{Source, notes};
use crate::analysis::statistics::Estimate;
use crate::analysis::summary::{Cell, RunFigure, WorkloadSummary};
use crate::report::document::{Section, Table};
use crate::report::field::Field;
use crate::report::value::{Quantity, Value};
use crate::store::record::{Bound, Record, Semantics};
use crate::text::numbers::as_f64;

/// How far median latencies with the same meaning may differ, once the difference in throughput is
/// taken out: by Little's law, throughput times latency is constant over the same connections. The
/// remaining difference comes from how tools batch reads.
const LATENCY_WITHIN: f64 = 0.25;

/// A request may take longer by up to this multiple of the additional CPU time that the tool needs
/// for it: the tool does not only compute, but also waits.
const TOOLS_OWN: f64 = 1.5;

pub(super) fn section(source: &Source) -> Option<Section> {
    let is_of_same = |one: &&WorkloadSummary, other: &WorkloadSummary| {
        !one.is_check && one.workload.name == other.workload.name
    };
    let checks = source.summaries.iter().filter(|summary| summary.is_check);
    let pairs = checks
        .filter_map(|check| Some((source.summaries.iter().find(|first| is_of_same(first, check))?, check)));
    let section = Section::new(
        "cross-check",
        "Do two load tools agree?",
        "Requests/s disagree if the interval of their ratio excludes 1, unless a tool used all its CPU time, \
         or the tools' own CPU time per request explains the difference.",
    );
    section.with([], pairs.map(|(first, check)| table(first, check)))
}

/// One row per server that both tools loaded.
fn table(first: &WorkloadSummary, second: &WorkloadSummary) -> Table {
    let (one, other) = (&first.tool.name, &second.tool.name);
    let pair = |cell| Some(Pair { cell, check: second.cell(cell.name())? });
    let pairs: Vec<Pair> = first.cells.iter().filter_map(pair).collect();
    let rate = |tool: &str, cell: fn(&Pair) -> Value| Field::new(tool, Quantity::Rate, cell).optional();
    let p50 =
        |tool: &str, cell: fn(&Pair) -> Option<f64>| Field::new(format!("{tool} p50"), Quantity::Time, cell);
    let cost = |pair: &Pair| pair.check.ratio_to(pair.cell, RunFigure::COST);
    let fields = [
        Field::text("Server", |pair: &Pair| pair.cell.name()).essential(),
        rate(one, |pair| PER_SECOND.value(pair.cell)),
        rate(other, |pair| PER_SECOND.value(pair.check)),
        Field::new("Ratio", Quantity::Ratio, Pair::speed).with_intervals(),
        Field::text("Requests/s", Pair::throughput).essential(),
        Field::new("CPU ratio", Quantity::Ratio, cost),
        p50(one, |pair| median_latency(pair.cell)),
        p50(other, |pair| median_latency(pair.check)),
        Field::text("Latency", |pair: &Pair| pair.latency([first, second])).essential(),
    ];
    let mut table = Table::from_fields(
        format!("check-{}-{other}", first.workload.name),
        format!("{} by {one} and by {other}", first.workload.name),
        fields,
        &pairs,
    );
    table.notes.extend(notes::signs(&table));
    for tool in [first.tool, second.tool] {
        let meaning = tool.semantics.as_ref().map(|semantics| &semantics.meaning);
        table.notes.extend(meaning.map(|meaning| format!("{} counts latency {meaning}.", tool.name)));
    }
    table
}

/// One server under both tools.
struct Pair<'a> {
    cell: &'a Cell<'a>,
    check: &'a Cell<'a>,
}

impl Pair<'_> {
    /// The ratio of throughputs, whatever the verdicts, which [`Pair::throughput`] considers.
    fn speed(&self) -> Option<Estimate> {
        self.check.raw_ratio_to(self.cell, RunFigure::THROUGHPUT)
    }

    /// Whether throughputs agree.
    fn throughput(&self) -> &'static str {
        let is = |wanted: Bound| [self.cell, self.check].iter().any(|cell| cell.bound() == Some(wanted));
        match self.speed() {
            None => "only one measured",
            Some(ratio) if !ratio.is_enough() => "too few repetitions",
            Some(ratio) if !ratio.is_above(1.0) && !ratio.is_below(1.0) => "agree",
            Some(_) if is(Bound::Invalid) => "invalid",
            Some(_) if is(Bound::ClientBound) || self.is_of_the_tools() => "tools differ",
            Some(_) => "DISAGREE",
        }
    }

    /// Whether requests take longer by about the additional CPU time that the tool needs for them:
    /// while neither side is busy, that time is part of the round trip.
    fn is_of_the_tools(&self) -> bool {
        let time = |run: &Record| Some(1.0 / run.per_second()?);
        let tools = |run: &Record| Some(run.cpu.as_ref()?.tool.seconds / as_f64(run.load.as_ref()?.answered));
        let more = |figure: &dyn Fn(&Record) -> Option<f64>| {
            Some(self.check.median(figure)? - self.cell.median(figure)?)
        };
        let (Some(time), Some(tools)) = (more(&time), more(&tools)) else { return false };
        (0.0..=TOOLS_OWN).contains(&(time / tools))
    }

    /// Whether latencies with the same meaning are equal.
    fn latency(&self, summaries: [&WorkloadSummary; 2]) -> String {
        let [Some(one), Some(other)] = summaries.map(|summary| summary.tool.semantics.as_ref()) else {
            return "–".into();
        };
        if let Some(why) = incomparable(one, other) {
            return format!("not compared: {why}");
        }
        let p50s = [self.cell, self.check].map(median_latency);
        let ([Some(one_p50), Some(other_p50)], Some(speed)) = (p50s, self.speed()) else {
            return "–".into();
        };
        let resolution = one.resolution_seconds.unwrap_or(0.0).max(other.resolution_seconds.unwrap_or(0.0));
        let off = (other_p50 * speed.median / one_p50 - 1.0).abs();
        let agree = off <= LATENCY_WITHIN || (other_p50 - one_p50).abs() <= resolution;
        if agree { "agree".into() } else { format!("DISAGREE by {:.0} %", off * 100.0) }
    }
}

fn median_latency(cell: &Cell) -> Option<f64> {
    cell.median(|run| run.percentile(50))
}

/// Why two meanings of latency cannot be compared.
fn incomparable(one: &Semantics, other: &Semantics) -> Option<&'static str> {
    if one.synthetic || other.synthetic {
        Some("partly synthetic")
    } else if one.from != other.from {
        Some("counted from different moments")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::summary::summarise;
    use crate::analysis::verdict;

    /// Runs of a server by a tool, with this number of responses and this median latency.
    fn runs(tool: &str, answered: u64, p50: f64, tool_seconds: f64) -> Vec<Record> {
        Record::seven("one", |run| {
            run.tool.name = tool.into();
            run.load.as_mut().unwrap().answered = answered + u64::from(run.repetition.unwrap());
            let latency = run.latency.as_mut().unwrap();
            latency.percentiles = [(50, p50)].into();
            latency.mean_seconds = None;
            run.cpu.as_mut().unwrap().tool.seconds = tool_seconds;
        })
    }

    /// What the table says about throughput and about latency.
    fn judgements(mut records: Vec<Record>) -> String {
        for record in &mut records {
            record.verdict = verdict::judge_run(record);
        }
        let summaries = summarise(&records);
        let table = table(&summaries[0], &summaries[1]);
        table.shown(&["Requests/s", "Latency"]).remove(0)
    }

    #[test]
    fn tools_agree_or_it_is_said() {
        let meaning = |mut runs: Vec<Record>, change: fn(&mut Semantics)| {
            runs.iter_mut().for_each(|run| change(run.tool.semantics.as_mut().unwrap()));
            runs
        };
        let first = || runs("visit", 1000, 0.01, 0.5);
        let cases = [
            ("the same", runs("wrk", 1000, 0.0101, 0.5), "agree", "agree"),
            ("fewer, and neither side was busy", runs("wrk", 900, 0.011, 0.5), "DISAGREE", "agree"),
            ("fewer, by what the tool takes longer", runs("wrk", 980, 0.0102, 0.51), "tools differ", "agree"),
            ("fewer, by a busy tool", runs("wrk", 900, 0.011, 0.95), "tools differ", "agree"),
            ("as many, that took longer", runs("wrk", 1000, 0.02, 0.5), "agree", "DISAGREE by 100 %"),
            (
                "as many, told in tenths",
                meaning(runs("wrk", 1000, 0.1, 0.5), |meaning| meaning.resolution_seconds = Some(0.1)),
                "agree",
                "agree",
            ),
            (
                "as many, partly synthetic",
                meaning(runs("wrk", 1000, 0.02, 0.5), |meaning| meaning.synthetic = true),
                "agree",
                "not compared: partly synthetic",
            ),
            ("too few", runs("wrk", 500, 0.02, 0.5)[..4].to_vec(), "too few repetitions", "agree"),
        ];
        for (name, second, throughput, latency) in cases {
            assert_eq!(judgements([first(), second].concat()), format!("{throughput} | {latency}"), "{name}");
        }
    }
}
