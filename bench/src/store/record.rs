//! What is stored of a run: one line of `measurements.jsonl`. `bench/measurements.schema.json` describes it to others.
//!
//! These types are the stored form and nothing else. Units are seconds, bytes and counts. What is not known is
//! `null`, never 0.

mod asked;
#[cfg(test)]
mod example;
mod figures;
mod found;
mod shared;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use asked::{
    ConformanceRecord, From, PublishedRecord, RateRecord, Semantics, ServerRecord, TaskRecord, ToolRecord,
    WorkloadRecord,
};
pub use found::{
    Bound, ConnectRecord, ConnectionsRecord, CpuRecord, ErrorKind, ErrorRecord, LatencyRecord, LoadRecord,
    MemoryRecord, OpenLoopRecord, StartRecord, UsageRecord, VerdictRecord,
};
pub use shared::Shared;

/// The version of the form below; it stands in every line.
pub const SCHEMA: u32 = 5;

/// The oldest version whose lines can be read as this one: what the server used was always known in it.
pub const OLDEST_SCHEMA: u32 = 3;

/// One run: one server under one workload, once. Which of its parts are there depends on the workload's task; of a run that
/// failed there is `error`.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The version of this form.
    pub schema: u32,
    /// When the run began: UTC, RFC 3339.
    pub started: String,
    /// What was asked.
    #[schemars(with = "WorkloadRecord")]
    pub workload: Shared<WorkloadRecord>,
    /// Who was asked.
    #[schemars(with = "ServerRecord")]
    pub server: Shared<ServerRecord>,
    /// Who asked.
    #[schemars(with = "ToolRecord")]
    pub tool: Shared<ToolRecord>,
    /// From 1; `null` in a failure that stands for all repetitions.
    pub repetition: Option<u32>,
    /// From 1: a run that others disturbed is done again, and every attempt is kept.
    pub attempt: u32,
    /// Cores that the server could use.
    pub server_cores: Vec<usize>,
    /// Cores that the tool could use.
    pub tool_cores: Vec<usize>,
    /// What bound it; of a load.
    pub verdict: Option<VerdictRecord>,
    /// What was answered; of a load.
    pub load: Option<LoadRecord>,
    /// How long answers took; of a load.
    pub latency: Option<LatencyRecord>,
    /// Connections that were open; of a load and of connections that are only held.
    pub connections: Option<ConnectionsRecord>,
    /// CPU time that was used; of a load.
    pub cpu: Option<CpuRecord>,
    /// The server's memory.
    pub memory: Option<MemoryRecord>,
    /// How long the server took to come up; of a start.
    pub start: Option<StartRecord>,
    /// Why there are no figures.
    pub error: Option<ErrorRecord>,
    /// What the tool printed: a file's name in `raw/`.
    pub raw: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The committed description of a record is that of the types. `UPDATE_SCHEMA=1 cargo test --package bench schema`
    /// writes it anew; a form that differs needs another [`SCHEMA`] too.
    #[test]
    fn the_schema_is_that_of_the_types() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/measurements.schema.json");
        let schema = schemars::schema_for!(Record);
        let expected = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            std::fs::write(path, &expected).unwrap();
        }
        assert!(std::fs::read_to_string(path).unwrap() == expected, "{path} is not that of the types");
    }
}
