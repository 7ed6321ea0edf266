//! Bencher Metric Format, which `bencher run --adapter json` reads. The form is documented, with
//! its JSON schema, at <https://bencher.dev/docs/reference/bencher-metric-format>: benchmarks by
//! name, each with measures by slug, each with `value` and, if known, `lower_value` and
//! `upper_value`.
//!
//! The form has no units: the service stores the unit of each measure. `throughput` is its own
//! measure, in operations per second. The others are created at their first use: `capacity` is in
//! requests per second, times are in nanoseconds, as in the service's own measure `latency`, and
//! memory is in bytes.

use std::collections::BTreeMap;

use anyhow::Context;
use serde::Serialize;

use crate::report::tracked::{Measure, Tracked};

/// The figure of a measure with its interval.
#[derive(Serialize)]
struct Metric {
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    lower_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upper_value: Option<f64>,
}

pub(super) fn render(figures: &[Tracked]) -> anyhow::Result<String> {
    let mut benchmarks: BTreeMap<String, BTreeMap<&str, Metric>> = BTreeMap::new();
    for tracked in figures {
        let (value, interval) = tracked.in_unit();
        let [lower_value, upper_value] = interval.map_or([None; 2], |ends| ends.map(Some));
        let metric = Metric { value, lower_value, upper_value };
        benchmarks.entry(tracked.name()).or_default().insert(slug(tracked.measure), metric);
    }
    Ok(serde_json::to_string_pretty(&benchmarks).context("cannot write the figures as JSON")? + "\n")
}

/// The name of a measure in the service: lower-case letters, digits and hyphens, at most 64.
fn slug(measure: Measure) -> &'static str {
    match measure {
        Measure::Cost => "cpu-time-per-request",
        Measure::Throughput => "throughput",
        Measure::Capacity => "capacity",
        Measure::P99 => "latency-p99",
        Measure::FirstResponse => "first-response",
        Measure::Memory => "memory-per-connection",
        Measure::Idle => "idle-cpu-time-per-second",
    }
}
