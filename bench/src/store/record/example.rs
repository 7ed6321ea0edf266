//! A run for tests.

use super::{
    ConnectionsRecord, CpuRecord, From, LatencyRecord, LoadRecord, Record, SCHEMA, Semantics, ServerRecord,
    TaskRecord, ToolRecord, UsageRecord, WorkloadRecord,
};

impl Record {
    /// A run of a second of 1,000 answers to 10 connections, with half a core on each side, for tests.
    pub(crate) fn example(server: &str, repetition: u32) -> Self {
        let text = String::new;
        let usage = UsageRecord {
            seconds: 0.5,
            user_seconds: 0.1,
            system_seconds: 0.4,
            voluntary_switches: None,
            involuntary_switches: None,
        };
        Self {
            schema: SCHEMA,
            started: text(),
            workload: WorkloadRecord {
                name: "work".into(),
                title: text(),
                path: "/abc".into(),
                task: TaskRecord::Load,
                connections: 10,
                mode: Some("keep-alive".into()),
                requests: None,
                seconds: Some(1.0),
                warm_up_seconds: Some(0.0),
                timeout_seconds: Some(1.0),
                rate: None,
                published: None,
            }
            .into(),
            server: ServerRecord {
                name: server.into(),
                duplicate_of: None,
                title: text(),
                language: text(),
                runtime: text(),
                model: text(),
                version: None,
                is_floor: false,
                is_attached: false,
                article: None,
                conformance: None,
            }
            .into(),
            tool: ToolRecord {
                name: "visit".into(),
                version: None,
                semantics: Some(Semantics {
                    from: From::Sent,
                    connect_included: false,
                    synthetic: false,
                    resolution_seconds: None,
                    meaning: text(),
                }),
                command: Vec::new(),
            }
            .into(),
            repetition: Some(repetition),
            attempt: 1,
            server_cores: vec![0],
            tool_cores: vec![1],
            verdict: None,
            load: Some(LoadRecord {
                elapsed_seconds: 1.0,
                answered: 1000,
                errors: [].into(),
                claimed_per_second: None,
                open_loop: None,
            }),
            latency: Some(LatencyRecord {
                mean_seconds: Some(0.01),
                percentiles: [].into(),
                max_seconds: None,
                p99_9_seconds: None,
                connect: None,
                histogram: None,
            }),
            connections: Some(ConnectionsRecord { asked: 10, seen: Some(10) }),
            cpu: Some(CpuRecord {
                wall_seconds: 1.0,
                server: Some(usage),
                tool: usage,
                external_seconds: Some(0.0),
                steal_seconds: Some(0.0),
                throttled_seconds: None,
            }),
            memory: None,
            start: None,
            error: None,
            raw: None,
        }
    }
}
