//! The input of `github-action-benchmark` with `tool: customSmallerIsBetter`: an array of figures
//! for which smaller is better. The form is documented in the section on custom benchmarks of its
//! README, <https://github.com/benchmark-action/github-action-benchmark>, and is the type
//! `BenchmarkResult` of its `src/extract.ts`: `name`, `unit` and `value`, and the texts `range` and
//! `extra`, which it shows beside the value.
//!
//! The action identifies a figure by its name alone, so each name has its measure. Requests per
//! second and capacities are left out, since all figures of a file have the same direction.

use anyhow::Context;
use serde::Serialize;

use crate::report::tracked::Tracked;
use crate::text::numbers;

/// An entry of the array.
#[derive(Serialize)]
struct Entry {
    name: String,
    unit: &'static str,
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<String>,
    extra: String,
}

pub(super) fn render(figures: &[Tracked]) -> anyhow::Result<String> {
    let smaller_is_better = figures.iter().filter(|tracked| !tracked.measure.is_larger_better());
    let entries: Vec<Entry> = smaller_is_better.map(entry).collect();
    Ok(serde_json::to_string_pretty(&entries).context("cannot write the figures as JSON")? + "\n")
}

fn entry(tracked: &Tracked) -> Entry {
    let (value, interval) = tracked.in_unit();
    let (unit, _) = tracked.measure.unit();
    let repetitions = numbers::counted(tracked.repetitions, "repetition");
    let version = tracked.version.as_deref().unwrap_or("unknown version");
    Entry {
        name: format!("{}: {}", tracked.name(), tracked.measure.title()),
        unit,
        value,
        range: interval.map(|[low, high]| format!("{low}–{high}")),
        extra: format!("median of {repetitions}, {version}"),
    }
}
