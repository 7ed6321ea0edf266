//! Where does a request's time go? Its CPU time in parts, and the rest that no part explains.
//!
//! ```text
//! CPU time per request = floor + switches + framework + our code + unexplained
//!                        └ under load ──┘   └ microbenchmarks ──┘
//! ```

mod chart;
mod tables;

use super::family::Question;
use super::{Source, words};
use crate::analysis::explain::{self, Breakdown, ServerBreakdown};
use crate::analysis::summary::WorkloadSummary;
use crate::report::document::{Fact, Priority, Section};
use crate::store::microbench::{CostsRecord, MicrobenchRecord};
use crate::text::numbers;

/// A part of a request's CPU time.
struct Part {
    label: &'static str,
    seconds: fn(&ServerBreakdown) -> Option<f64>,
    priority: Priority,
}

/// The parts in the order in which they add up. The last is the rest that no other part explains.
const PARTS: [Part; 6] = [
    Part { label: "Floor", seconds: |server| Some(server.floor), priority: Priority::Normal },
    Part { label: "Switches", seconds: |server| server.switches, priority: Priority::Normal },
    Part { label: "Framework", seconds: |server| server.framework, priority: Priority::Normal },
    Part { label: "Our code", seconds: |server| server.own, priority: Priority::Normal },
    Part { label: "Runtime and code", seconds: |server| server.runtime_and_code(), priority: Priority::Low },
    Part { label: UNEXPLAINED, seconds: |server| server.unexplained(), priority: Priority::High },
];

const UNEXPLAINED: &str = "Unexplained";

pub(super) fn section(source: &Source) -> Option<Section> {
    explanation(source).map(|(_, section)| section)
}

/// The answer for each workload, and the section.
pub(in crate::report) fn explanation(source: &Source) -> Option<(Vec<String>, Section)> {
    let code = source.loaded.microbench.as_ref()?;
    let breakdowns = breakdowns(source, code);
    let tables =
        |breakdown| [tables::times(breakdown, code), tables::shares(breakdown), tables::user_mode(breakdown)];
    let section = Section::new(
        "breakdown",
        "Where does a request's time go?",
        "A request's CPU time is split into parts, each measured on its own: the kernel's minimum, which the \
         floor shows; thread switches beyond the floor's; the framework and our own code, as microbenchmarks \
         time them. The rest is unexplained: caches that a benchmark keeps warm and a server shares, and \
         anything else that no part covers.",
    );
    let section = Section { facts: facts(&breakdowns, code), ..section };
    let section = section.with(breakdowns.iter().map(chart::chart), breakdowns.iter().flat_map(tables))?;
    Some((breakdowns.iter().map(answer).collect(), section))
}

/// The breakdowns of the workloads that ask how cheap servers are, or else of all workloads.
fn breakdowns<'a>(source: &Source<'a>, code: &MicrobenchRecord) -> Vec<Breakdown<'a>> {
    let of = |members: Vec<&'a WorkloadSummary<'a>>| -> Vec<Breakdown<'a>> {
        members.into_iter().filter_map(|summary| explain::breakdown(summary, code)).collect()
    };
    let plain = of(source.loads(Question::Load));
    if !plain.is_empty() {
        return plain;
    }
    of(source.families.iter().flat_map(|family| family.members.iter().copied()).collect())
}

/// The kernel's minimum, which servers the parts explain, and which they do not.
fn answer(breakdown: &Breakdown) -> String {
    let names = |wanted: bool| -> Vec<String> {
        let servers = breakdown.servers.iter().filter(|server| server.is_explained() == Some(wanted));
        servers.map(|server| format!("{} ({})", name(server), rest(server).unwrap_or_default())).collect()
    };
    let sentence = |begin: &str, names: &[String]| {
        if names.is_empty() { String::new() } else { format!(" {begin} {}.", words::list(names)) }
    };
    format!(
        "With {} the kernel needs at least {} of CPU time per request.{}{}",
        words::connections(breakdown.summary.workload.connections),
        numbers::duration(breakdown.floor.seconds),
        sentence("The parts explain", &names(true)),
        sentence("They do not explain", &names(false)),
    )
}

/// The benchmarks behind each part of a server, with their times.
fn facts(breakdowns: &[Breakdown], code: &MicrobenchRecord) -> Vec<Fact> {
    let servers = || breakdowns.iter().flat_map(|breakdown| &breakdown.servers);
    let shown = code.costs.iter().filter(|costs| servers().any(|server| name(server) == costs.server));
    let fact = |costs: &CostsRecord| {
        let parts = [("framework", &costs.framework), ("our code", &costs.own)];
        let parts = parts.into_iter().filter(|(_, benches)| !benches.is_empty());
        let parts: Vec<String> =
            parts.map(|(part, benches)| format!("{part}: {}", sum(benches, code))).collect();
        Fact::new(costs.server.as_str(), parts.join("; "))
    };
    [Fact::new("Microbenchmarks", code.started.clone())].into_iter().chain(shown.map(fact)).collect()
}

/// `filter/pipelined/1 150 ns + answer/body/4 20.0 ns`
fn sum(benches: &[String], code: &MicrobenchRecord) -> String {
    let bench = |name: &String| match explain::time(code, name) {
        Some(seconds) => format!("{name} {}", numbers::duration(seconds)),
        None => format!("{name} not kept"),
    };
    benches.iter().map(bench).collect::<Vec<_>>().join(" + ")
}

fn name<'a>(server: &ServerBreakdown<'a>) -> &'a str {
    &server.cell.server.name
}

/// `18 % unexplained`
fn rest(server: &ServerBreakdown) -> Option<String> {
    let share = server.share(server.unexplained()?);
    Some(format!("{} % unexplained", numbers::whole(share * 100.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::chart::{Chart, Plot};
    use crate::store::record::Record;
    use crate::store::results::Loaded;

    /// A run with this CPU time and one switch per request.
    fn run(workload: &str, server: &str, microseconds: f64) -> Record {
        let mut record = Record::example(server, 1);
        workload.clone_into(&mut record.workload.name);
        record.server.is_floor = server == "floor";
        let usage = record.cpu.as_mut().unwrap().server.as_mut().unwrap();
        usage.seconds = microseconds / 1e3;
        (usage.voluntary_switches, usage.involuntary_switches) = (Some(1000), Some(0));
        record
    }

    fn example(records: Vec<Record>) -> Loaded {
        Loaded { microbench: Some(MicrobenchRecord::example()), ..Loaded::example(records) }
    }

    fn three(workload: &str) -> Vec<Record> {
        let servers = [("floor", 5.0), ("own", 6.1), ("framed", 10.2), ("attached", 30.0)];
        servers.map(|(server, microseconds)| run(workload, server, microseconds)).to_vec()
    }

    #[test]
    fn bars_end_where_parts_do() {
        let mut records = three("work");
        records.push(run("work", "filtered", 5.1));
        let section = example(records).section(section).unwrap();
        let [Chart { plot: Plot::Bars(stack), description, .. }] = section.charts.as_slice() else {
            panic!("{section:?}")
        };
        let rests: Vec<&str> =
            stack.parts.iter().filter(|part| part.is_rest).map(|part| part.label.as_str()).collect();
        assert_eq!(rests, [UNEXPLAINED]);
        let bars: Vec<(&str, &str, i32)> = stack
            .bars
            .iter()
            .map(|bar| {
                let off = bar.figure.unwrap().value - bar.pieces.iter().flatten().sum::<f64>();
                #[expect(clippy::cast_possible_truncation, reason = "some nanoseconds")]
                let off = (off * 1e9).round() as i32;
                (bar.label.as_str(), bar.note.as_str(), off)
            })
            .collect();
        // A negative part is a piece, too, although it cannot be drawn.
        let expected = [
            ("floor (not a server)", "", 0),
            ("filtered", "-3 % unexplained", 0),
            ("own", "14 % unexplained", 0),
            ("framed", "31 % unexplained", 0),
            ("attached", "", 0),
        ];
        assert_eq!(bars, expected);
        assert!(
            description.contains(
                "own 6.10 µs (floor 5.00 µs, switches 0.00 ns, our code 250 ns, unexplained 850 ns)"
            )
        );
    }

    #[test]
    fn the_plainest_workloads_are_explained() {
        let names = |records: Vec<Record>| -> Vec<String> {
            let charts = example(records).section(section).map_or_else(Vec::new, |section| section.charts);
            charts.into_iter().map(|chart| chart.id).collect()
        };
        let closing = || {
            three("modes-close").into_iter().map(|mut run| {
                run.workload.mode = Some("close".into());
                run
            })
        };
        let modes = || three("modes-keep-alive").into_iter().chain(closing());
        assert_eq!(names(modes().collect()), ["breakdown-modes-keep-alive"]);
        assert_eq!(names(modes().chain(three("quick-1")).collect()), ["breakdown-quick-1"]);
        assert!(names(closing().collect()).is_empty() && names(Vec::new()).is_empty());
        assert!(Loaded::example(three("quick-1")).section(section).is_none());
    }
}
