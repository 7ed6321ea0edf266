//! What does a request cost in code? Microbenchmarks, and beside them the whole cost of a request.

use super::metric::COST;
use super::{Source, family, words};
use crate::analysis::summary::{Cell, WorkloadSummary};
use crate::report::chart::{Bar, Bars, Chart};
use crate::report::document::{Fact, Section, Table};
use crate::report::field::Field;
use crate::report::value::{Attribution, Figure, Quantity};
use crate::store::microbench::{BenchRecord, MicrobenchRecord, TimeRecord};
use crate::store::record::{TaskRecord, WorkloadRecord};
use crate::text::numbers;

/// The beginning of the names of the benchmarks of the whole loop, from the bytes of a request to
/// the bytes of its response. The number of requests that arrive at a time follows.
const WHOLE: &str = "connection/pipelined/";

/// The language of the servers that share the code.
const LANGUAGE: &str = "Rust";

pub(super) fn section(source: &Source) -> Option<Section> {
    let code = source.loaded.microbench.as_ref()?;
    let chart = chart(code, source);
    let mut section = Section::new(
        "microbench",
        "What does a request cost in code?",
        "Criterion timed the code that the Rust servers share, on bytes in memory, in one thread, without kernel \
         and runtime; and beside it frameworks without a socket (`runtimes`) and calls of the kernel (`kernel`). \
         Times are per request: a batch of pipelined requests counts once for each. Figures are medians; \
         intervals contain the true median 19 times out of 20.",
    );
    if chart.is_some() {
        section.about.push(
            "Beside them is the CPU time per request of each Rust server under load. The difference is the \
             kernel's and the runtime's, and the framework's if a server takes HTTP from one: such a server runs \
             little of this code."
                .into(),
        );
    }
    let mut facts = vec![Fact::new("Timed", code.started.clone())];
    facts.extend(code.rustc.iter().map(|rustc| Fact::new("Compiler", rustc.clone())));
    facts.extend(code.pages.iter().map(|pages| Fact::new("Criterion's pages", pages.clone())));
    Some(Section { charts: chart.into_iter().collect(), tables: vec![table(code)], facts, ..section })
}

pub(in crate::report) fn table(code: &MicrobenchRecord) -> Table {
    let fields = [
        Field::text("Benchmark", |bench: &BenchRecord| bench.full_name()),
        Field::new("Time", Quantity::Time, figure).with_intervals().essential(),
        Field::new("Operations/s", Quantity::Rate, |bench: &BenchRecord| bench.per_second()),
        Field::new("Bytes per second", Quantity::Memory, |bench: &BenchRecord| bench.bytes_per_second())
            .optional(),
    ];
    Table::from_fields("microbench", "Microbenchmarks, per operation", fields, &code.benches)
}

/// The cost of a request in the shared code beside the whole cost in each server that shares it.
fn chart(code: &MicrobenchRecord, source: &Source) -> Option<Chart> {
    let summary = closed_loop(source)?;
    let bench = request_bench(code, summary.workload)?;
    let alone = figure(bench);
    let reference = Bar::new("the code alone", Some(alone), Attribution::Reference, bench.full_name());
    let bar = |cell: &Cell| {
        let figure = COST.figure(cell)?;
        let note = format!("{} the code", numbers::ratio(figure.value / alone.value));
        Some(Bar::new(&cell.server.name, Some(figure), COST.attribution(cell), note))
    };
    let bars = std::iter::once(reference).chain(sharing(summary).filter_map(bar));
    let connections = words::connections(summary.workload.connections);
    Some(Chart::from_bars(
        "microbench".into(),
        format!("CPU time per request, in the shared code alone and in total with {connections}"),
        Bars::new(COST.header, COST.quantity, bars),
    ))
}

/// The leading workload, if it is a closed loop in which a server that shares the code has figures;
/// otherwise the first workload that is.
fn closed_loop<'a>(source: &Source<'a>) -> Option<&'a WorkloadSummary<'a>> {
    let members = source.families.iter().flat_map(|family| family.members.iter().copied());
    let mut candidates = family::leading(&source.families).into_iter().chain(members);
    candidates.find(|summary| {
        let is_closed = summary.workload.task == TaskRecord::Load && summary.workload.rate.is_none();
        is_closed && sharing(summary).any(|cell| cell.median(COST.source.per_run).is_some())
    })
}

/// The cells of the servers that share the code, the cheapest first.
fn sharing<'s, 'a>(summary: &'s WorkloadSummary<'a>) -> impl Iterator<Item = &'s Cell<'a>> {
    summary.cells.iter().filter(|cell| cell.server.language == LANGUAGE)
}

/// The benchmark of a whole request that pipelines about as many requests as the workload does.
fn request_bench<'a>(code: &'a MicrobenchRecord, workload: &WorkloadRecord) -> Option<&'a BenchRecord> {
    let mode = workload.mode.as_deref().unwrap_or_default();
    let depth: u64 = mode.strip_prefix("pipelined-").and_then(|depth| depth.parse().ok()).unwrap_or(1);
    let whole = code.benches.iter().filter(|bench| bench.full_name().starts_with(WHOLE));
    whole.min_by_key(|bench| bench.elements.unwrap_or(1).abs_diff(depth))
}

/// The time per operation.
fn figure(bench: &BenchRecord) -> Figure {
    let TimeRecord { seconds, low_seconds, high_seconds } = bench.per_operation();
    Figure { value: seconds, interval: Some([low_seconds, high_seconds]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::chart::Plot;
    use crate::store::record::Record;
    use crate::store::results::Loaded;

    /// A run of a server in Rust with this cost per request.
    fn run(server: &str, microseconds: f64) -> Record {
        let mut record = Record::example(server, 1);
        record.server.language = LANGUAGE.into();
        record.set_cpu_seconds(microseconds / 1e3);
        record
    }

    fn example(records: Vec<Record>) -> Loaded {
        Loaded { microbench: Some(MicrobenchRecord::example()), ..Loaded::example(records) }
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
        let of_keep_alive = loaded.section(section).unwrap();
        assert_eq!(
            bars(&of_keep_alive),
            expected("connection/pipelined/1", "80.0× the code", "40.0× the code")
        );
        assert_eq!(
            of_keep_alive.charts[0].description,
            "CPU time per request, in the shared code alone and in total with 10 connections: the code alone 250 ns \
             (connection/pipelined/1), cheap 10,000 ns (40.0× the code), dear 20,000 ns (80.0× the code)."
        );

        let mut records = loaded.records;
        records.iter_mut().for_each(|record| record.workload.mode = Some("pipelined-16".into()));
        assert_eq!(
            bars(&example(records).section(section).unwrap()),
            expected("connection/pipelined/16", "100× the code", "50.0× the code")
        );
    }

    #[test]
    fn the_table_is_per_operation_and_needs_no_server() {
        let alone = example(Vec::new()).section(section).unwrap();
        assert_eq!((alone.id, alone.charts.len(), alone.about.len()), ("microbench", 0, 1));
        assert_eq!(
            alone.tables[0].shown(&["Benchmark", "Time"]),
            [
                "request/parse/wrk | 100",
                "connection/pipelined/1 | 250",
                "connection/pipelined/16 | 200",
                "runtimes/example | 1,700",
                "kernel/socket pair | 600",
                "kernel/thread hand-off | 1,600",
            ]
        );
        assert_eq!(alone.tables[0].unit(1).symbol, "ns");
        assert_eq!(
            alone.facts,
            [
                Fact::new("Timed", "2026-01-01T12:00:00Z"),
                Fact::new("Compiler", "rustc 1.95.0"),
                Fact::new("Criterion's pages", "/target/criterion/report/index.html"),
            ]
        );
        assert!(Loaded::example(Vec::new()).section(section).is_none());
    }
}
