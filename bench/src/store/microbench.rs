//! The stored form of microbenchmarks: `microbench.json`.
//!
//! Units are seconds, bytes and counts. An unknown value is `null`, never 0.

use serde::{Deserialize, Serialize};

use crate::text::numbers::as_f64;

/// The version of the form below.
pub const SCHEMA: u32 = 2;

/// The microbenchmarks of one run.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MicrobenchRecord {
    /// The version of this form.
    pub schema: u32,
    /// The start of the run: UTC, RFC 3339.
    pub started: String,
    /// The compiler's version; `null` when it could not be started.
    pub rustc: Option<String>,
    /// The path of criterion's pages on the machine of the run; `null` without pages.
    #[serde(default)]
    pub pages: Option<String>,
    /// The benchmarks, in the order in which they were run.
    pub benches: Vec<BenchRecord>,
    /// The benchmarks that make up one request, per server; absent in records of schema 1.
    #[serde(default)]
    pub costs: Vec<CostsRecord>,
}

/// The benchmarks whose times add up to a server's part of a request.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CostsRecord {
    /// The server's name.
    pub server: String,
    /// The full names of the benchmarks of its framework; empty without a framework.
    pub framework: Vec<String>,
    /// The full names of the benchmarks of our own code.
    pub own: Vec<String>,
}

/// One benchmark.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BenchRecord {
    /// Its group, such as `connection`.
    pub group: String,
    /// Its name in the group, such as `pipelined/16`.
    pub name: String,
    /// The mean time of an iteration.
    pub mean: TimeRecord,
    /// The median time of an iteration.
    pub median: TimeRecord,
    /// The operations per iteration, such as requests; `null` where they are not counted.
    pub elements: Option<u64>,
    /// The bytes that an iteration reads; `null` where they are not counted.
    pub bytes: Option<u64>,
}

/// A time with its interval.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TimeRecord {
    /// The time.
    pub seconds: f64,
    /// The lower end of its 95 % interval.
    pub low_seconds: f64,
    /// The upper end of its 95 % interval.
    pub high_seconds: f64,
}

impl BenchRecord {
    /// Returns `group/name`.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.group, self.name)
    }

    /// The median time per operation, or per iteration where operations are not counted.
    pub fn per_operation(&self) -> TimeRecord {
        let operations = as_f64(self.elements.unwrap_or(1).max(1));
        let TimeRecord { seconds, low_seconds, high_seconds } = self.median;
        let [seconds, low_seconds, high_seconds] =
            [seconds, low_seconds, high_seconds].map(|time| time / operations);
        TimeRecord { seconds, low_seconds, high_seconds }
    }

    /// Operations per second.
    pub fn per_second(&self) -> f64 {
        1.0 / self.per_operation().seconds
    }

    /// Bytes per second, where bytes are counted.
    pub fn bytes_per_second(&self) -> Option<f64> {
        Some(as_f64(self.bytes?) / self.median.seconds)
    }
}

#[cfg(test)]
impl MicrobenchRecord {
    /// Benchmarks of parsing, connections, a framework and the kernel, and the costs of three
    /// servers.
    pub(crate) fn example() -> Self {
        let bench = |group: &str, name: &str, nanoseconds: f64, elements, bytes| {
            let time = |factor: f64| TimeRecord {
                seconds: nanoseconds * factor * 1e-9,
                low_seconds: nanoseconds * factor * 0.9e-9,
                high_seconds: nanoseconds * factor * 1.2e-9,
            };
            let (group, name) = (group.into(), name.into());
            BenchRecord { group, name, mean: time(1.1), median: time(1.0), elements, bytes }
        };
        let costs = |server: &str, framework: &[&str], own: &[&str]| {
            let [framework, own] =
                [framework, own].map(|names| names.iter().map(|name| (*name).to_owned()).collect());
            CostsRecord { server: server.into(), framework, own }
        };
        Self {
            schema: SCHEMA,
            started: "2026-01-01T12:00:00Z".into(),
            rustc: Some("rustc 1.95.0".into()),
            pages: Some("/target/criterion/report/index.html".into()),
            benches: vec![
                bench("request", "parse/wrk", 100.0, None, Some(50)),
                bench("connection", "pipelined/1", 250.0, Some(1), None),
                bench("connection", "pipelined/16", 3200.0, Some(16), None),
                bench("runtimes", "example", 1700.0, Some(1), None),
                bench("kernel", "socket pair", 600.0, Some(1), None),
                bench("kernel", "thread hand-off", 3200.0, Some(2), None),
            ],
            costs: vec![
                costs("own", &[], &["connection/pipelined/1"]),
                costs("framed", &["runtimes/example"], &["connection/pipelined/1", "request/parse/wrk"]),
                costs("filtered", &["runtimes/not made"], &["connection/pipelined/1"]),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_per_operation() {
        let record = MicrobenchRecord::example();
        let row = |bench: &BenchRecord| {
            let TimeRecord { seconds, low_seconds, high_seconds } = bench.per_operation();
            let times = [seconds, low_seconds, high_seconds].map(|time| (time * 1e10).round() / 10.0);
            (bench.full_name(), times, bench.bytes_per_second().map(f64::round))
        };
        let rows: Vec<_> = record.benches.iter().map(row).collect();
        let expected = [
            ("request/parse/wrk", [100.0, 90.0, 120.0], Some(5e8)),
            ("connection/pipelined/1", [250.0, 225.0, 300.0], None),
            ("connection/pipelined/16", [200.0, 180.0, 240.0], None),
            ("runtimes/example", [1700.0, 1530.0, 2040.0], None),
            ("kernel/socket pair", [600.0, 540.0, 720.0], None),
            ("kernel/thread hand-off", [1600.0, 1440.0, 1920.0], None),
        ];
        assert_eq!(rows, expected.map(|(name, times, bytes)| (name.to_owned(), times, bytes)));
        assert!((record.benches[2].per_second() - 5e6).abs() < 1.0);
    }
}
