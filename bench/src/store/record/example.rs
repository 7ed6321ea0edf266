//! A run for tests.

use super::{ConnectionsRecord, Record};

impl Record {
    /// A run of a second of 1,000 answers to 10 connections, with half a core on each side.
    pub(crate) fn example(server: &str, repetition: u32) -> Self {
        let stored = include_str!("../../../tests/folder/record.json");
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
