//! The stored form of a run: one line of `measurements.jsonl` (`measurements.schema.json`).
//!
//! A record says what was run (`setup.rs`) and what was measured (`measured.rs`). `derived.rs`
//! calculates further figures from these, such as CPU time per request. Units are seconds, bytes
//! and counts. An unknown value is `null`, never 0. Other programs, and later versions of this one,
//! read stored records: a change of a field needs another [`SCHEMA`], and a test that old lines can
//! still be read.

mod derived;
mod hosts;
mod measured;
mod protocol;
mod series;
mod setup;
mod slices;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use hosts::{HostsRecord, LoadHostRecord, NetworkRecord};
pub use measured::{
    Bound, ConnectionsRecord, CpuRecord, ErrorKind, ErrorRecord, FrequencyRecord, KindRecord, LatencyRecord,
    LoadRecord, MemoryRecord, OpenLoopRecord, OpeningRecord, StartRecord, TlsRecord, UsageRecord,
    VerdictRecord,
};
pub use protocol::Protocol;
pub use series::SeriesRecord;
pub use setup::{
    ConformanceRecord, From, LimitRecord, PublishedRecord, RateRecord, Semantics, ServerRecord, TaskRecord,
    ToolRecord, UntilRecord, WorkloadRecord,
};
pub use slices::SlicesRecord;

/// The version of the form below, which is in every line.
pub const SCHEMA: u32 = 11;

/// The oldest version whose lines can be read as this one.
pub const OLDEST_SCHEMA: u32 = 3;

/// One run: one server under one workload, once. Which parts it has depends on the task.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The version of this form.
    pub schema: u32,
    /// When the run began: UTC, RFC 3339.
    pub started: String,
    /// The workload as it was run.
    pub workload: WorkloadRecord,
    /// The server as it was run.
    pub server: ServerRecord,
    /// The load tool as it was run.
    pub tool: ToolRecord,
    /// The number of the repetition, from 1; `null` for a failure of all repetitions.
    pub repetition: Option<u32>,
    /// The number of the attempt, from 1: a disturbed run is repeated, and every attempt is kept.
    pub attempt: u32,
    /// The condition under which the repetitions end; `null` where their number was fixed, as in
    /// old records.
    #[serde(default)]
    pub until: Option<UntilRecord>,
    /// Cores that the server could use.
    pub server_cores: Vec<usize>,
    /// Cores that the tool could use; with several load hosts, the cores on the first.
    pub tool_cores: Vec<usize>,
    /// What each host did; `null` where everything ran on the harness's machine, as in old records.
    #[serde(default)]
    pub hosts: Option<HostsRecord>,
    /// What limited the run; only for a load.
    pub verdict: Option<VerdictRecord>,
    /// The answers; only for a load.
    pub load: Option<LoadRecord>,
    /// How long answers took; only for a load.
    pub latency: Option<LatencyRecord>,
    /// Connections that were open; for a load and for connections that are held.
    pub connections: Option<ConnectionsRecord>,
    /// CPU time; for a load and for connections that are idle.
    pub cpu: Option<CpuRecord>,
    /// The slices of a load that was measured in slices; `null` where it was measured as a whole,
    /// as in old records.
    #[serde(default)]
    pub slices: Option<SlicesRecord>,
    /// The same load over time. Absent where that was not asked for, and in old records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<SeriesRecord>,
    /// The server's memory.
    pub memory: Option<MemoryRecord>,
    /// How long the server took to start; only for a start.
    pub start: Option<StartRecord>,
    /// Why there are no figures.
    pub error: Option<ErrorRecord>,
    /// The name of the file in `raw/` that has the tool's output.
    pub raw: Option<String>,
}

#[cfg(test)]
impl Record {
    /// A run of one second with 1,000 answers over 10 connections, in which each side used half a
    /// core.
    pub(crate) fn example(server: &str, repetition: u32) -> Self {
        let stored = include_str!("../../tests/folder/record.json");
        let mut record: Self = serde_json::from_str(stored).unwrap();
        (record.workload.name, record.workload.connections) = ("work".into(), 10);
        (record.server.name, record.repetition) = (server.into(), Some(repetition));
        (record.server.version, record.server.conformance) = (None, None);
        record.load.as_mut().unwrap().answered = 1000;
        record.latency.as_mut().unwrap().mean_seconds = Some(0.01);
        record.connections = Some(ConnectionsRecord { asked: 10, seen: Some(10), accepted: Some(11) });
        let cpu = record.cpu.as_mut().unwrap();
        cpu.server = Some(cpu.tool);
        record
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The committed JSON schema equals the schema of the types. `INSTA_UPDATE=always cargo test
    /// --package bench schema` writes it; a change of the form also needs another [`SCHEMA`].
    #[test]
    fn the_schema_is_that_of_the_types() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/measurements.schema.json");
        let schema = schemars::schema_for!(Record);
        let expected = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
            std::fs::write(path, &expected).unwrap();
        }
        assert!(std::fs::read_to_string(path).unwrap() == expected, "{path} is not that of the types");
    }
}
