//! Microbenchmarks beside those of another run.

use super::document::{Column, Priority, Table};
use super::section::microbench_figure as code_figure;
use super::value::{Figure, Quantity, Value};
use crate::measure::microbench::{Difference, NOISE, Ratio};
use crate::store::microbench::{BenchRecord, CodeRecord};

/// A row a benchmark that this run has made, beside what was `saved` by a name.
pub(super) fn table(made: &CodeRecord, saved: &CodeRecord, name: &str) -> Table {
    let columns = [
        Column::new("Benchmark", Quantity::Text),
        Column::new("Time", Quantity::Time).with_intervals().with_priority(Priority::High),
        Column::new("Saved", Quantity::Time),
        Column::new("To saved", Quantity::Ratio).with_intervals().with_priority(Priority::High),
        Column::new("Difference", Quantity::Text).with_priority(Priority::High),
    ];
    let mut table = Table::new("code-comparison", format!("Beside `{name}`, by the piece"), columns);
    table.rows = made.benches.iter().map(|bench| row(bench, find(saved, bench))).collect();
    table.notes = notes(made, saved, name);
    table
}

fn row(bench: &BenchRecord, saved: Option<&BenchRecord>) -> Vec<Value> {
    let ratio = saved.map(|saved| Ratio::of(bench, saved));
    let of_ratio = |Ratio { value, low, high }| Value::Figure(Figure { value, interval: Some([low, high]) });
    let said = match ratio.map(Ratio::difference) {
        None => "new",
        Some(Difference::Faster) => "faster",
        Some(Difference::Slower) => "slower",
        Some(Difference::Same) => "the same",
    };
    vec![
        bench.full_name().into(),
        Value::Figure(code_figure(bench)),
        saved.map_or(Value::Absent, |saved| Value::Figure(code_figure(saved))),
        ratio.map_or(Value::Absent, of_ratio),
        said.into(),
    ]
}

fn notes(made: &CodeRecord, saved: &CodeRecord, name: &str) -> Vec<String> {
    let mut notes = vec![
        format!(
            "Times are medians. Faster or slower is what differs by more than {:.0} %, with intervals that part: smaller differences \
             come and go from one build to the next.",
            NOISE * 100.0
        ),
        format!("`{name}` was saved of a run at {}.", saved.started),
    ];
    if made.rustc != saved.rustc {
        let compiler =
            |code: &CodeRecord| code.rustc.clone().unwrap_or_else(|| "one that is not known".into());
        notes.push(format!("Compilers differ: now {}, then {}.", compiler(made), compiler(saved)));
    }
    let left = saved.benches.iter().filter(|bench| find(made, bench).is_none()).count();
    if left > 0 {
        notes.push(format!(
            "Of `{name}`, {left} more benchmark{} did not run now.",
            if left == 1 { "" } else { "s" }
        ));
    }
    notes
}

fn find<'a>(code: &'a CodeRecord, bench: &BenchRecord) -> Option<&'a BenchRecord> {
    code.benches.iter().find(|other| (&other.group, &other.name) == (&bench.group, &bench.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::microbench::TimeRecord;

    #[test]
    fn benchmarks_stand_beside_their_namesakes() {
        let (made, mut saved) = (CodeRecord::example(), CodeRecord::example());
        let TimeRecord { seconds, low_seconds, high_seconds } = &mut saved.benches[1].median;
        [seconds, low_seconds, high_seconds].into_iter().for_each(|end| *end /= 2.0);
        saved.benches[2].name = "pipelined/128".into();
        saved.rustc = None;

        let table = table(&made, &saved, "before");
        let rows: Vec<(&str, [Option<f64>; 3], &str)> = table
            .rows
            .iter()
            .map(|row| {
                let figure =
                    |value: &Value, factor: f64| Some((value.number()? * factor * 10.0).round() / 10.0);
                let figures = [figure(&row[1], 1e9), figure(&row[2], 1e9), figure(&row[3], 1.0)];
                (row[0].text().unwrap(), figures, row[4].text().unwrap())
            })
            .collect();
        assert_eq!(
            rows[..3],
            [
                ("request/parse/wrk", [Some(100.0), Some(100.0), Some(1.0)], "the same"),
                ("connection/pipelined/1", [Some(250.0), Some(125.0), Some(2.0)], "slower"),
                ("connection/pipelined/16", [Some(200.0), None, None], "new"),
            ]
        );
        assert!(rows[3..].iter().all(|(.., difference)| *difference == "the same"));
        assert_eq!(
            table.notes[1..],
            [
                "`before` was saved of a run at 2026-01-01T12:00:00Z.",
                "Compilers differ: now rustc 1.95.0, then one that is not known.",
                "Of `before`, 1 more benchmark did not run now.",
            ]
        );
        assert_eq!(super::table(&made, &made, "itself").notes.len(), 2);
    }
}
