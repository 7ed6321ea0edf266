//! What does a request cost in code? Microbenchmarks.

use super::Source;
use crate::report::document::{Fact, Section, Table};
use crate::report::field::Field;
use crate::report::value::{Figure, Quantity};
use crate::store::microbench::{BenchRecord, MicrobenchRecord, TimeRecord};

pub(super) fn section(source: &Source) -> Option<Section> {
    let code = source.loaded.microbench.as_ref()?;
    let section = Section::new(
        "microbench",
        "What does a request cost in code?",
        "Criterion timed the code that the Rust servers share, on bytes in memory, in one thread, without kernel \
         and runtime; and beside it frameworks without a socket (`runtimes`) and calls of the kernel (`kernel`). \
         Times are per request: a batch of pipelined requests counts once for each. Figures are medians; \
         intervals contain the true median 19 times out of 20.",
    );
    let mut facts = vec![Fact::new("Timed", code.started.clone())];
    facts.extend(code.rustc.iter().map(|rustc| Fact::new("Compiler", rustc.clone())));
    facts.extend(code.pages.iter().map(|pages| Fact::new("Criterion's pages", pages.clone())));
    Section { facts, ..section }.with([], [table(code)])
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

/// The time per operation.
fn figure(bench: &BenchRecord) -> Figure {
    let TimeRecord { seconds, low_seconds, high_seconds } = bench.per_operation();
    Figure { value: seconds, interval: Some([low_seconds, high_seconds]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::results::Loaded;

    #[test]
    fn the_table_is_per_operation_and_needs_no_server() {
        let alone = Loaded { microbench: Some(MicrobenchRecord::example()), ..Loaded::example(Vec::new()) }
            .section(section)
            .unwrap();
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
