//! What does a request cost in code? Microbenchmarks, and beside them what a request costs in all.

use super::Source;
use super::parts::{self, COST};
use crate::analysis::summary::{Cell, WorkloadSummary};
use crate::report::answer;
use crate::report::chart::{Bar, Bars, Chart, Mark};
use crate::report::document::{Column, Fact, Figure, Importance, Quantity, Section, Table, Value};
use crate::store::microbench::{BenchRecord, CodeRecord, TimeRecord};
use crate::store::record::{TaskRecord, WorkloadRecord};
use crate::text::numbers;

/// What the benchmarks of the whole loop, from a request's bytes to its answer's, have before the number of requests that come at a
/// time.
const WHOLE: &str = "connection/pipelined/";

/// The language of the servers that share the code.
const LANGUAGE: &str = "Rust";

pub(super) fn section(source: &Source) -> Option<Section> {
    let code = source.loaded.code.as_ref()?;
    let chart = chart(code, source);
    let mut about = vec![
        "Criterion timed the code that the Rust servers share, on bytes in memory: no kernel, no runtime, and one thread; and beside it \
         frameworks without a socket (`runtimes`) and what the kernel is asked for (`kernel`). A piece is what one request asks, so that \
         a batch of pipelined requests counts once for each. Figures are medians; intervals hold the true median 19 times in 20."
            .to_owned(),
    ];
    if chart.is_some() {
        about.push(
            "Beside them stands the CPU time that a request costs each Rust server under load. What that is more than the code is the \
             kernel's and the runtime's, and the framework's where a server has HTTP from one: such a server runs little of this code."
                .into(),
        );
    }
    let mut facts = vec![Fact::new("Timed", code.started.clone())];
    facts.extend(code.rustc.iter().map(|rustc| Fact::new("Compiler", rustc.clone())));
    facts.extend(code.pages.iter().map(|pages| Fact::new("Criterion's pages there", pages.clone())));
    Some(Section {
        id: "code",
        title: "What does a request cost in code?",
        about,
        charts: chart.into_iter().collect(),
        tables: vec![table(code)],
        facts,
    })
}

/// A row a benchmark.
pub(in crate::report) fn table(code: &CodeRecord) -> Table {
    let columns = [
        Column::new("Benchmark", Quantity::Words),
        Column::new("Time", Quantity::Time).with_intervals().of(Importance::High),
        Column::new("Throughput", Quantity::Rate),
        Column::new("Bytes a second", Quantity::Memory).of(Importance::Low),
    ];
    let mut table = Table::new("code", "Microbenchmarks, by the piece", columns);
    for bench in &code.benches {
        table.rows.push(vec![
            bench.full_name().into(),
            Value::Figure(figure(bench)),
            Some(bench.per_second()).into(),
            bench.bytes_per_second().into(),
        ]);
    }
    table
}

/// The code's cost of a request beside that of each server that shares it, under the workload that stands for all.
fn chart(code: &CodeRecord, source: &Source) -> Option<Chart> {
    let summary = closed_loop(source)?;
    let bench = of_a_request(code, summary.workload)?;
    let alone = figure(bench);
    let reference = Bar {
        label: "the code alone".into(),
        figure: Some(alone),
        mark: Mark::Reference,
        note: bench.full_name(),
    };
    let bar = |cell: &Cell| {
        let figure = COST.figure(cell)?;
        let note = format!("{} the code", numbers::ratio(figure.value / alone.value));
        Some(Bar { label: cell.server.name.clone(), figure: Some(figure), mark: COST.mark(cell), note })
    };
    let bars = std::iter::once(reference).chain(sharing(summary).filter_map(bar)).collect();
    let connections = parts::connections(summary.workload.connections);
    Some(parts::bars_chart(
        "code".into(),
        format!("CPU time a request, in the shared code alone and in all with {connections}"),
        Bars { label: COST.head.into(), quantity: COST.quantity, bars, noise: None },
    ))
}

/// The workload that stands for all, or else the first, of those closed loops that measured a server which shares the code.
fn closed_loop<'a>(source: &Source<'a>) -> Option<&'a WorkloadSummary<'a>> {
    let members = source.families.iter().flat_map(|family| family.members.iter().copied());
    let mut candidates = answer::leading(&source.families).into_iter().chain(members);
    candidates.find(|summary| {
        let is_closed = summary.workload.task == TaskRecord::Load && summary.workload.rate.is_none();
        is_closed && sharing(summary).any(|cell| cell.median(COST.of).is_some())
    })
}

/// The cells of the servers that share the code, the cheapest first.
fn sharing<'s, 'a>(summary: &'s WorkloadSummary<'a>) -> impl Iterator<Item = &'s Cell<'a>> {
    summary.cells.iter().filter(|cell| cell.server.language == LANGUAGE)
}

/// The benchmark of a whole request whose requests come most as the workload's do: so many in one piece.
fn of_a_request<'a>(code: &'a CodeRecord, workload: &WorkloadRecord) -> Option<&'a BenchRecord> {
    let mode = workload.mode.as_deref().unwrap_or_default();
    let depth: u64 = mode.strip_prefix("pipelined-").and_then(|depth| depth.parse().ok()).unwrap_or(1);
    let whole = code.benches.iter().filter(|bench| bench.full_name().starts_with(WHOLE));
    whole.min_by_key(|bench| bench.elements.unwrap_or(1).abs_diff(depth))
}

/// The time of a piece.
pub(in crate::report) fn figure(bench: &BenchRecord) -> Figure {
    let TimeRecord { seconds, low_seconds, high_seconds } = bench.piece();
    Figure { value: seconds, interval: Some([low_seconds, high_seconds]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::summary::summarise;
    use crate::report::chart::Plot;
    use crate::store::record::Record;
    use crate::store::results::Loaded;

    /// A run of a server in Rust whose requests cost so many microseconds.
    fn run(server: &str, microseconds: f64) -> Record {
        let mut record = Record::example(server, 1);
        record.server.language = LANGUAGE.into();
        record.cpu.as_mut().unwrap().server.as_mut().unwrap().seconds = microseconds / 1e3;
        record
    }

    fn example(records: Vec<Record>) -> Loaded {
        Loaded { code: Some(CodeRecord::example()), ..Loaded::example(records) }
    }

    fn section(loaded: &Loaded) -> Option<Section> {
        super::section(&Source::new(loaded, &summarise(&loaded.records)))
    }

    /// Labels and notes of the only chart's bars.
    fn bars(section: &Section) -> Vec<(String, String)> {
        let [Chart { plot: Plot::Bars(bars), .. }] = section.charts.as_slice() else { panic!("{section:?}") };
        bars.bars.iter().map(|bar| (bar.label.clone(), bar.note.clone())).collect()
    }

    #[test]
    fn the_code_stands_beside_the_servers_that_share_it() {
        let mut other = run("other", 1.0);
        other.server.language = "Go".into();
        let loaded = example(vec![run("dear", 20.0), run("cheap", 10.0), other]);
        let expected = |code: &str, dear: &str, cheap: &str| {
            [("the code alone", code), ("cheap", cheap), ("dear", dear)]
                .map(|(label, note)| (label.to_owned(), note.to_owned()))
        };
        let of_keep_alive = section(&loaded).unwrap();
        assert_eq!(
            bars(&of_keep_alive),
            expected("connection/pipelined/1", "80.0× the code", "40.0× the code")
        );
        assert_eq!(
            of_keep_alive.charts[0].description,
            "CPU time a request, in the shared code alone and in all with 10 connections: the code alone 250 ns \
             (connection/pipelined/1), cheap 10,000 ns (40.0× the code), dear 20,000 ns (80.0× the code)."
        );

        let mut records = loaded.records;
        records.iter_mut().for_each(|record| record.workload.mode = Some("pipelined-16".into()));
        assert_eq!(
            bars(&section(&example(records)).unwrap()),
            expected("connection/pipelined/16", "100× the code", "50.0× the code")
        );
    }

    #[test]
    fn the_table_is_by_the_piece_and_needs_no_server() {
        let alone = section(&example(Vec::new())).unwrap();
        assert_eq!((alone.id, alone.charts.len(), alone.about.len()), ("code", 0, 1));
        let rows: Vec<(Value, f64)> = alone.tables[0]
            .rows
            .iter()
            .map(|row| (row[0].clone(), (row[1].number().unwrap() * 1e9).round()))
            .collect();
        let expected = [
            ("request/parse/wrk", 100.0),
            ("connection/pipelined/1", 250.0),
            ("connection/pipelined/16", 200.0),
            ("runtimes/example", 1700.0),
            ("kernel/socket pair", 600.0),
            ("kernel/thread hand-off", 1600.0),
        ];
        assert_eq!(rows, expected.map(|(name, time)| (name.into(), time)));
        assert_eq!(alone.tables[0].unit(1).symbol, "ns");
        assert_eq!(
            alone.facts,
            [
                Fact::new("Timed", "2026-01-01T12:00:00Z"),
                Fact::new("Compiler", "rustc 1.95.0"),
                Fact::new("Criterion's pages there", "/target/criterion/report/index.html"),
            ]
        );
        assert!(section(&Loaded::example(Vec::new())).is_none());
    }
}
