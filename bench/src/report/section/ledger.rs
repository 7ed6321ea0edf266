//! Where does a request's time go? Its CPU time in parts, down to what none of them explains.

use super::Source;
use super::family::Question;
use super::parts::{self, COST};
use crate::analysis::explain::{
    self, Account, Benches, Costs, HAND_OFF, Ledger, OPEN_FROM, ROUND_TRIP, Taken,
};
use crate::analysis::summary::WorkloadSummary;
use crate::analysis::verdict;
use crate::report::chart::{Chart, Mark, Part, Plot, Stack, StackedBar};
use crate::report::document::{Column, Fact, Figure, Importance, Quantity, Section, Table, Value};
use crate::store::microbench::CodeRecord;
use crate::text::numbers;

/// A part of a request's CPU time, in seconds.
type PartOf = fn(&Account) -> Option<f64>;

/// The parts in the order in which they are added up, the last of which is what the others leave.
const PARTS: [(&str, PartOf); 6] = [
    ("Floor", |account| Some(account.floor)),
    ("Switches", |account| account.switches),
    ("Framework", |account| account.framework),
    ("Our code", |account| account.own),
    (NOT_TOLD_APART, |account| account.not_told_apart()),
    (UNEXPLAINED, |account| account.unexplained()),
];

const UNEXPLAINED: &str = "Unexplained";
const NOT_TOLD_APART: &str = "Runtime and code";

pub(super) fn section(source: &Source) -> Option<Section> {
    explanation(source).map(|(_, section)| section)
}

/// A sentence or two a workload, and the section.
pub(in crate::report) fn explanation(source: &Source) -> Option<(Vec<String>, Section)> {
    let code = source.loaded.code.as_ref()?;
    let ledgers = ledgers(source, code);
    let section = Section {
        id: "ledger",
        title: "Where does a request's time go?",
        about: vec![
            "A request's CPU time is told in parts that were measured by themselves: what the kernel takes at least, as the floor shows; \
             the switches between threads that are more than the floor's; the framework and our own code, as microbenchmarks time them. \
             What is left is unexplained: in it are the caches that a benchmark keeps warm and a server shares, and whatever else was \
             not thought of."
                .into(),
        ],
        charts: ledgers.iter().map(chart).collect(),
        tables: ledgers.iter().flat_map(|ledger| [times(ledger, code), shares(ledger), check(ledger)]).collect(),
        facts: facts(&ledgers, code),
    };
    (!ledgers.is_empty()).then(|| (ledgers.iter().map(answer).collect(), section))
}

/// Of the workloads that ask how cheap servers are, or else of all.
fn ledgers<'a>(source: &Source<'a>, code: &CodeRecord) -> Vec<Ledger<'a>> {
    let of = |members: Vec<&'a WorkloadSummary<'a>>| -> Vec<Ledger<'a>> {
        members.into_iter().filter_map(|summary| explain::ledger(summary, code)).collect()
    };
    let plain = of(source.loads(Question::Load));
    if !plain.is_empty() {
        return plain;
    }
    of(source.families.iter().flat_map(|family| family.members.iter().copied()).collect())
}

/// What the kernel takes, which servers are explained, and which are not.
fn answer(ledger: &Ledger) -> String {
    let names = |wanted: bool| -> Vec<String> {
        let accounts = ledger.accounts.iter().filter(|account| account.is_explained() == Some(wanted));
        accounts.map(|account| format!("{} ({})", name(account), left(account).unwrap_or_default())).collect()
    };
    let sentence = |begin: &str, names: &[String]| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        if names.is_empty() { String::new() } else { format!(" {begin} {}.", parts::list(&names)) }
    };
    format!(
        "With {} the kernel takes {} of CPU time a request at least.{}{}",
        parts::connections(ledger.summary.workload.connections),
        numbers::duration(ledger.floor.seconds),
        sentence("The parts explain", &names(true)),
        sentence("They do not explain", &names(false)),
    )
}

/// A bar a server in its parts, and a stroke at what was measured.
fn chart(ledger: &Ledger) -> Chart {
    let summary = ledger.summary;
    let title =
        format!("CPU time a request with {}, in parts", parts::connections(summary.workload.connections));
    let bar = |taken: &Taken, label: String, pieces: Vec<Option<f64>>, left: Option<String>| {
        let verdict = verdict::of_cell(taken.cell).filter(|_| COST.mark(taken.cell) != Mark::Own);
        let notes = verdict.map(|verdict| parts::bound_in_words(verdict.bound)).into_iter().chain(left);
        let alone = Figure { value: taken.seconds, interval: None };
        let whole = COST.figure(taken.cell).unwrap_or(alone);
        StackedBar { label, whole, pieces, note: notes.collect::<Vec<_>>().join(", ") }
    };
    let floor =
        bar(&ledger.floor, parts::label(ledger.floor.cell.server), vec![Some(ledger.floor.seconds)], None);
    let of_server = |account: &Account| {
        let pieces = PARTS.iter().map(|(_, part)| part(account)).collect();
        bar(&account.taken, name(account).to_owned(), pieces, left(account))
    };
    let part = |(label, _): &(&str, PartOf)| Part { label: (*label).into(), is_rest: *label == UNEXPLAINED };
    Chart {
        id: format!("ledger-{}", summary.workload.name),
        description: description(&title, ledger),
        title,
        plot: Plot::Stack(Stack {
            label: COST.head.into(),
            quantity: COST.quantity,
            parts: PARTS.iter().map(part).collect(),
            bars: std::iter::once(floor).chain(ledger.accounts.iter().map(of_server)).collect(),
        }),
    }
}

/// Every figure of the chart in words.
fn description(title: &str, ledger: &Ledger) -> String {
    let of_server = |account: &Account| {
        let known = PARTS.iter().filter_map(|(label, part)| {
            Some(format!("{} {}", label.to_lowercase(), numbers::duration(part(account)?)))
        });
        let all = numbers::duration(account.taken.seconds);
        format!("{} {all} ({})", name(account), known.collect::<Vec<_>>().join(", "))
    };
    let servers: Vec<String> = ledger.accounts.iter().map(of_server).collect();
    let floor = numbers::duration(ledger.floor.seconds);
    format!("{title}: {} {floor}, {}.", parts::label(ledger.floor.cell.server), servers.join(", "))
}

/// The parts as times, the floor first.
fn times(ledger: &Ledger, code: &CodeRecord) -> Table {
    let part = |(head, _): &(&str, PartOf)| Column::new(*head, Quantity::Time).of(importance(head));
    let whole = COST.column().of(Importance::High);
    let mut table =
        table(ledger, "ledger", "A request's CPU time", [whole].into_iter().chain(PARTS.iter().map(part)));
    table.has_one_unit = true;
    let floor = [
        parts::label(ledger.floor.cell.server).into(),
        COST.value(ledger.floor.cell),
        Some(ledger.floor.seconds).into(),
    ];
    let absent = std::iter::repeat_n(Value::Absent, PARTS.len() - 1);
    table.rows.push(floor.into_iter().chain(absent).collect());
    for account in &ledger.accounts {
        let begin = [name(account).into(), COST.value(account.taken.cell)];
        table
            .rows
            .push(begin.into_iter().chain(PARTS.iter().map(|(_, part)| part(account).into())).collect());
    }
    table.notes.push(format!(
        "Floor: what {} takes under the same load, which is not a server: what it asks of the kernel, any has to. CPU/request is the \
         median of the repetitions, and in each server's row the floor is as much less as it took in the same repetitions.",
        ledger.floor.cell.server.name
    ));
    table.notes.push(match explain::switch(code) {
        Some(time) => format!(
            "Switches: those between threads that are more than the floor's, at {} each: `{HAND_OFF}` less the write and the read in \
             it, half of `{ROUND_TRIP}`.",
            numbers::duration(time)
        ),
        None => format!("Switches are not known: `{HAND_OFF}` and `{ROUND_TRIP}` were not both kept."),
    });
    table.notes.push(
        "Runtime and code: all that is left of a server whose manifest names no benchmarks, not told apart."
            .into(),
    );
    table.notes.extend(parts::legend(&table));
    table
}

/// The parts as shares of the whole, and whether they explain it.
fn shares(ledger: &Ledger) -> Table {
    let part = |(head, _): &(&str, PartOf)| Column::new(*head, Quantity::Share).of(importance(head));
    let explained = Column::new("Explained", Quantity::Words).of(Importance::High);
    let columns = PARTS.iter().map(part).chain([explained]);
    let mut table = table(ledger, "ledger-shares", "The same as shares", columns);
    for account in &ledger.accounts {
        let share = |(_, part): &(&str, PartOf)| part(account).map(|seconds| account.share(seconds)).into();
        let explained =
            account.is_explained().map_or(Value::Absent, |is| if is { "yes" } else { "no" }.into());
        let row = std::iter::once(name(account).into()).chain(PARTS.iter().map(share)).chain([explained]);
        table.rows.push(row.collect());
    }
    table.notes.push(format!(
        "Explained: less than {:.0} % is unexplained, on either side of 0. Below 0 the parts come to more than was measured.",
        OPEN_FROM * 100.0
    ));
    table
}

/// What the records say by themselves, beside what the parts say.
fn check(ledger: &Ledger) -> Table {
    let time = |head: &str| Column::new(head, Quantity::Time);
    let columns = [
        Column::new("Switches a request", Quantity::Words),
        time("In user mode").of(Importance::High),
        time("Beyond the floor").of(Importance::High),
        time("Framework and our code").of(Importance::High),
    ];
    let mut table = table(ledger, "ledger-check", "User mode, and what should be in it", columns);
    table.has_one_unit = true;
    let row = |label: String, taken: &Taken, beyond: Option<f64>, code: Option<f64>| {
        let switches = taken.switches.map_or(Value::Absent, |switches| numbers::significant(switches).into());
        vec![label.into(), switches, taken.user_seconds.into(), beyond.into(), code.into()]
    };
    table.rows.push(row(parts::label(ledger.floor.cell.server), &ledger.floor, None, None));
    for account in &ledger.accounts {
        let taken = &account.taken;
        let beyond = taken.user_seconds.zip(ledger.floor.user_seconds).map(|(own, floor)| own - floor);
        table.rows.push(row(name(account).to_owned(), taken, beyond, account.of_code()));
    }
    table.notes.push(
        "A check: frameworks and our own code run in user mode, so that the last two columns should be near each other. The kernel tells \
         user mode in hundredths of a second a run."
            .into(),
    );
    table
}

/// A table without rows, of servers under the ledger's workload.
fn table(ledger: &Ledger, name: &str, what: &str, columns: impl IntoIterator<Item = Column>) -> Table {
    Table::new(
        format!("{name}-{}", ledger.summary.workload.name),
        format!("{what}: {}", parts::title(ledger.summary)),
        std::iter::once(parts::server()).chain(columns),
    )
}

/// What is of the servers that are not explained goes first where there is no room, and what is unexplained never goes.
fn importance(head: &str) -> Importance {
    match head {
        UNEXPLAINED => Importance::High,
        NOT_TOLD_APART => Importance::Low,
        _ => Importance::Normal,
    }
}

/// Which benchmarks stand for which part of a server, with their times.
fn facts(ledgers: &[Ledger], code: &CodeRecord) -> Vec<Fact> {
    let is_shown = |costs: &Costs| {
        let mut accounts = ledgers.iter().flat_map(|ledger| &ledger.accounts);
        accounts.any(|account| name(account) == costs.server)
    };
    let shown = code.costs.iter().map(|costs| Costs::of(costs, code)).filter(is_shown);
    let fact = |costs: Costs| {
        let parts = [("framework", &costs.framework), ("our code", &costs.own)];
        let parts = parts.into_iter().filter(|(_, benches)| !benches.0.is_empty());
        let parts: Vec<String> =
            parts.map(|(part, benches)| format!("{part}: {}", in_words(benches))).collect();
        Fact::new(costs.server, parts.join("; "))
    };
    [Fact::new("Microbenchmarks", code.started.clone())].into_iter().chain(shown.map(fact)).collect()
}

/// `filter/pipelined/1 150 ns + answer/body/4 20.0 ns`
fn in_words(benches: &Benches) -> String {
    let bench = |(name, seconds): &(&str, Option<f64>)| {
        format!("{name} {}", seconds.map_or_else(|| "not kept".into(), numbers::duration))
    };
    benches.0.iter().map(bench).collect::<Vec<_>>().join(" + ")
}

fn name<'a>(account: &Account<'a>) -> &'a str {
    &account.taken.cell.server.name
}

/// `18 % unexplained`
fn left(account: &Account) -> Option<String> {
    account
        .unexplained()
        .map(|seconds| format!("{} % unexplained", numbers::whole(account.share(seconds) * 100.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::summary::summarise;
    use crate::store::record::Record;
    use crate::store::results::Loaded;

    /// A run whose requests take so many microseconds, and a switch each.
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
        Loaded { code: Some(CodeRecord::example()), ..Loaded::example(records) }
    }

    fn explanation(loaded: &Loaded) -> Option<(Vec<String>, Section)> {
        super::explanation(&Source::new(loaded, &summarise(&loaded.records)))
    }

    fn three(workload: &str) -> Vec<Record> {
        let servers = [("floor", 5.0), ("own", 6.1), ("framed", 10.2), ("attached", 30.0)];
        servers.map(|(server, microseconds)| run(workload, server, microseconds)).to_vec()
    }

    #[test]
    fn tables_have_the_parts_of_each_server() {
        let (answers, section) = explanation(&example(three("work"))).unwrap();
        assert_eq!(
            answers,
            [
                "With 10 connections the kernel takes 5.00 µs of CPU time a request at least. The parts explain own (14 % unexplained). \
              They do not explain framed (31 % unexplained)."
            ]
        );
        let shown = |table: &Table| -> Vec<String> {
            let cell = |value: &Value| match value.number() {
                Some(number) => format!("{number:.2e}"),
                None => value.words().unwrap_or("–").to_owned(),
            };
            table.rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join(" ")).collect()
        };
        let [times, shares, check] = section.tables.as_slice() else { panic!("{section:?}") };
        assert_eq!((times.unit(7).symbol, check.unit(4).symbol), ("ns", "ns"));
        assert_eq!(
            shown(times),
            [
                "floor (not a server) 5.00e-6 5.00e-6 – – – – –",
                "own 6.10e-6 5.00e-6 0.00e0 – 2.50e-7 – 8.50e-7",
                "framed 1.02e-5 5.00e-6 0.00e0 1.70e-6 3.50e-7 – 3.15e-6",
                "attached 3.00e-5 5.00e-6 0.00e0 – – 2.50e-5 –",
            ]
        );
        assert_eq!(
            shown(shares),
            [
                "own 8.20e-1 0.00e0 – 4.10e-2 – 1.39e-1 yes",
                "framed 4.90e-1 0.00e0 1.67e-1 3.43e-2 – 3.09e-1 no",
                "attached 1.67e-1 0.00e0 – – 8.33e-1 – –",
            ]
        );
        assert_eq!(
            section.facts[1..],
            [
                Fact::new("own", "our code: connection/pipelined/1 250 ns"),
                Fact::new(
                    "framed",
                    "framework: runtimes/example 1.70 µs; our code: connection/pipelined/1 250 ns + request/parse/wrk 100 ns"
                ),
            ]
        );
    }

    #[test]
    fn bars_end_where_parts_do() {
        let mut records = three("work");
        records.push(run("work", "filtered", 5.1));
        let (_, section) = explanation(&example(records)).unwrap();
        let [Chart { plot: Plot::Stack(stack), description, .. }] = section.charts.as_slice() else {
            panic!("{section:?}")
        };
        let rests: Vec<&str> =
            stack.parts.iter().filter(|part| part.is_rest).map(|part| part.label.as_str()).collect();
        assert_eq!(rests, [UNEXPLAINED]);
        let bars: Vec<(&str, &str, i32)> = stack
            .bars
            .iter()
            .map(|bar| {
                let off = bar.whole.value - bar.pieces.iter().flatten().sum::<f64>();
                #[expect(clippy::cast_possible_truncation, reason = "some nanoseconds")]
                let off = (off * 1e9).round() as i32;
                (bar.label.as_str(), bar.note.as_str(), off)
            })
            .collect();
        // What is below 0 is a piece too, though it cannot be drawn.
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
            let loaded = example(records);
            let section = explanation(&loaded).map(|(_, section)| section);
            section
                .map_or_else(Vec::new, |section| section.charts.into_iter().map(|chart| chart.id).collect())
        };
        let closing = || {
            three("modes-close").into_iter().map(|mut run| {
                run.workload.mode = Some("close".into());
                run
            })
        };
        let modes = || three("modes-keep-alive").into_iter().chain(closing());
        assert_eq!(names(modes().collect()), ["ledger-modes-keep-alive"]);
        assert_eq!(names(modes().chain(three("quick-1")).collect()), ["ledger-quick-1"]);
        assert!(names(closing().collect()).is_empty() && names(Vec::new()).is_empty());
        assert!(explanation(&Loaded::example(three("quick-1"))).is_none());
    }
}
