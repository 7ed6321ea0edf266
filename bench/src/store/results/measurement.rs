//! A line of `measurements.jsonl`. What many have in common is parsed once, and kept once: who was asked for what, by whom,
//! makes up half of a line, and nearly all lines have it from earlier ones.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::lines;
use crate::store::record::{
    ConnectionsRecord, CpuRecord, ErrorRecord, LatencyRecord, LoadRecord, MemoryRecord, OLDEST_SCHEMA,
    Record, SCHEMA, ServerRecord, Shared, StartRecord, ToolRecord, VerdictRecord, WorkloadRecord,
};

/// The parts that lines had so far, by their text.
#[derive(Default)]
pub(super) struct Known {
    workloads: Parts<WorkloadRecord>,
    servers: Parts<ServerRecord>,
    tools: Parts<ToolRecord>,
}

/// Threads that parse share them, and hardly ever wait: to look takes far less time than to parse a line.
type Parts<T> = Mutex<HashMap<String, Shared<T>>>;

/// A [`Record`] with parts that are still text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    schema: u32,
    started: String,
    #[serde(borrow)]
    workload: &'a RawValue,
    #[serde(borrow)]
    server: &'a RawValue,
    #[serde(borrow)]
    tool: &'a RawValue,
    repetition: Option<u32>,
    attempt: u32,
    server_cores: Vec<usize>,
    tool_cores: Vec<usize>,
    verdict: Option<VerdictRecord>,
    load: Option<LoadRecord>,
    latency: Option<LatencyRecord>,
    connections: Option<ConnectionsRecord>,
    cpu: Option<CpuRecord>,
    memory: Option<MemoryRecord>,
    start: Option<StartRecord>,
    error: Option<ErrorRecord>,
    raw: Option<String>,
}

/// The record that a line holds, as [`Loaded`](super::Loaded) has it.
pub(super) fn parse(line: &[u8], known: &Known) -> anyhow::Result<Record> {
    // Looked at as a whole, which is faster than string by string.
    let quick = std::str::from_utf8(line).ok().and_then(|text| {
        let line: Line = serde_json::from_str(text).ok()?;
        if (OLDEST_SCHEMA..=SCHEMA).contains(&line.schema) { line.record(known).ok() } else { None }
    });
    // The plain way knows what is wrong.
    quick.map_or_else(|| lines::parse_since(line, OLDEST_SCHEMA, SCHEMA), Ok)
}

impl Line<'_> {
    fn record(self, known: &Known) -> serde_json::Result<Record> {
        let workload = share(&known.workloads, self.workload.get())?;
        let mut latency = self.latency;
        if workload.rate.is_none()
            && let Some(latency) = &mut latency
        {
            latency.histogram = None;
        }
        Ok(Record {
            schema: self.schema,
            started: self.started,
            workload,
            server: share(&known.servers, self.server.get())?,
            tool: share(&known.tools, &without_port(self.tool.get()))?,
            repetition: self.repetition,
            attempt: self.attempt,
            server_cores: self.server_cores,
            tool_cores: self.tool_cores,
            verdict: self.verdict,
            load: self.load,
            latency,
            connections: self.connections,
            cpu: self.cpu,
            memory: self.memory,
            start: self.start,
            error: self.error,
            raw: self.raw,
        })
    }
}

/// The part that has this text.
fn share<T: DeserializeOwned>(known: &Parts<T>, text: &str) -> serde_json::Result<Shared<T>> {
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(part) = known.get(text) {
        return Ok(part.clone());
    }
    let part: Shared<T> = serde_json::from_str(text)?;
    known.insert(text.to_owned(), part.clone());
    Ok(part)
}

/// A tool's text with `PORT` for that of the server that it asked, which is another in each run.
fn without_port(tool: &str) -> Cow<'_, str> {
    let cut = || {
        let (before, url) = tool.rsplit_once("\"http://")?;
        let (host, rest) = url.split_once(':')?;
        let path = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
        Some(format!("{before}\"http://{host}:PORT{path}"))
    };
    cut().map_or(Cow::Borrowed(tool), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::store::record::RateRecord;

    /// A run of a server under a workload, whose tool asked a port of its own.
    fn run(workload: &str, server: &str, repetition: u32) -> Record {
        let mut record = Record::example(server, repetition);
        record.workload.name = workload.into();
        record.tool.command = vec!["visit".into(), format!("http://127.0.0.1:{}/abc", 30_000 + repetition)];
        record.latency.as_mut().unwrap().histogram = Some("packed".into());
        record
    }

    fn line(record: &Record) -> String {
        serde_json::to_string(record).unwrap() + "\n"
    }

    /// How many there are in memory.
    fn distinct<'a, T: 'a>(parts: impl Iterator<Item = &'a Shared<T>>) -> usize {
        parts.map(|part| std::ptr::from_ref::<T>(part)).collect::<HashSet<_>>().len()
    }

    /// What a hundred thousand records take in memory hangs on it.
    #[test]
    fn what_records_have_in_common_is_there_once() {
        let mut runs = Vec::new();
        for repetition in 1..=20 {
            for (workload, server) in [("work", "one"), ("work", "two"), ("rest", "one"), ("rest", "two")] {
                runs.push(run(workload, server, repetition));
            }
        }
        // Two that are not like the others.
        runs[7].server.version = Some("another".into());
        runs[8].tool.command[0] = "another".into();
        let known = Known::default();
        let records: Vec<Record> =
            runs.iter().map(|run| parse(line(run).as_bytes(), &known).unwrap()).collect();
        let workloads = distinct(records.iter().map(|record| &record.workload));
        let servers = distinct(records.iter().map(|record| &record.server));
        let tools = distinct(records.iter().map(|record| &record.tool));
        assert_eq!((workloads, servers, tools), (2, 3, 2));
    }

    #[test]
    fn what_is_loaded_is_what_was_stored_but_for_ports_and_histograms() {
        let closed = run("work", "one", 1);
        let mut open = run("open", "one", 2);
        open.workload.rate = Some(RateRecord { per_second: Some(1.0), share: None, peak: None });
        let mut none = run("work", "two", 3);
        none.tool.command = Vec::new();
        for record in [closed, open, none] {
            let stored = line(&record);
            let mut expected = record;
            if let Some(url) = expected.tool.command.last_mut() {
                *url = "http://127.0.0.1:PORT/abc".into();
            }
            if expected.workload.rate.is_none() {
                expected.latency.as_mut().unwrap().histogram = None;
            }
            assert_eq!(line(&parse(stored.as_bytes(), &Known::default()).unwrap()), line(&expected));
        }
    }

    /// As they were before a server could be one that somebody else had started.
    #[test]
    fn lines_of_the_schema_before_are_read() {
        let now = line(&run("work", "one", 1));
        let then = now.replacen("\"schema\":5", "\"schema\":3", 1).replacen("\"is_attached\":false,", "", 1);
        assert!(then.len() < now.len());
        let read = parse(then.as_bytes(), &Known::default()).unwrap();
        assert!(read.schema == 3 && !read.server.is_attached && read.cpu.unwrap().server.is_some());
    }

    #[test]
    fn damage_is_told() {
        let whole = line(&run("work", "one", 1));
        let cases = [
            (
                "a field that is not known",
                whole.replacen("attempt", "attempts", 1),
                "unknown field `attempts`",
            ),
            ("such a field in a part", whole.replacen("title", "titles", 1), "unknown field `titles`"),
            ("a field that is missing", whole.replacen("\"attempt\":1,", "", 1), "missing field `attempt`"),
            ("an early end", whole.replacen("}\n", "\n", 1), "EOF"),
            ("another schema", whole.replacen("\"schema\":5", "\"schema\":99", 1), "written with schema 99"),
        ];
        for (name, text, expected) in cases {
            let error = format!("{:#}", parse(text.as_bytes(), &Known::default()).unwrap_err());
            assert!(error.contains(expected), "{name}: {error}");
        }
        assert!(parse(b"{\"started\":\"\xff\"}\n", &Known::default()).is_err());
    }
}
