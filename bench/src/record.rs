//! What is stored of a run: one line of `measurements.jsonl`.
//!
//! These types are the stored form and nothing else. Units are seconds, bytes and counts. What is not known is
//! `null`, never 0.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The version of the form below; it stands in every line.
pub const SCHEMA: u32 = 2;

/// One run: one server under one workload, once. Either `measured` or `failure` is there.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// [`SCHEMA`] of the program that wrote it.
    pub schema: u32,
    /// When the run began: UTC, RFC 3339.
    pub started: String,
    /// What was asked.
    pub workload: WorkloadRecord,
    /// Who was asked.
    pub server: ServerRecord,
    /// Who asked.
    pub tool: ToolRecord,
    /// From 1; `null` in a failure that stands for all repetitions.
    pub repetition: Option<u32>,
    /// Cores that the server could use.
    pub server_cores: Vec<usize>,
    /// Cores that the tool could use.
    pub tool_cores: Vec<usize>,
    /// The figures.
    pub measured: Option<Measured>,
    /// Why there are none.
    pub failure: Option<Failure>,
    /// What the tool printed: a file's name in `raw/`.
    pub raw: Option<String>,
}

/// A workload as it was run.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WorkloadRecord {
    /// Its name.
    pub name: String,
    /// What it is, for people.
    pub title: String,
    /// The request target.
    pub path: String,
    /// Connections asked for.
    pub connections: u32,
    /// `keep-alive`, `close` or `pipelined-N`.
    pub mode: String,
    /// Requests asked for; `null` when it went by time.
    pub requests: Option<u64>,
    /// Seconds asked for; `null` when it went by count.
    pub seconds: Option<f64>,
    /// What somebody else published for it.
    pub published: Option<PublishedRecord>,
}

/// A ratio that somebody else published.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedRecord {
    /// The slower program, as `server.article` names it.
    pub baseline: String,
    /// The faster program, as `server.article` names it.
    pub contender: String,
    /// How many times faster it was said to be.
    pub ratio: f64,
}

/// A server as it was run.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ServerRecord {
    /// Its folder's name.
    pub name: String,
    /// What reports call it.
    pub title: String,
    /// The language it is written in.
    pub language: String,
    /// The runtime it stands for.
    pub runtime: String,
    /// How it serves many connections at once.
    pub model: String,
    /// What it says to `--version`; `null` when it could not be asked.
    pub version: Option<String>,
    /// What the article calls it, when it is one of the article's two.
    pub article: Option<String>,
    /// How it keeps the rules of HTTP; `null` when it could not be asked.
    pub conformance: Option<ConformanceRecord>,
}

/// What the conformance cases came to that were sent to a server before it was measured.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ConformanceRecord {
    /// Cases that were sent. Those that wait for a server's timeouts are not, where it has none.
    pub cases: u64,
    /// Cases that passed.
    pub passed: u64,
    /// Cases in which it answered a request that was never sent: one hidden within another.
    pub smuggled: u64,
}

/// A load tool as it was run.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ToolRecord {
    /// Its name.
    pub name: String,
    /// Its version; `null` when it could not be asked.
    pub version: Option<String>,
    /// The program and its arguments; empty when it was not run.
    pub command: Vec<String>,
}

/// The figures of a run.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Time that the tool took, by its own clock.
    pub elapsed_seconds: f64,
    /// Answers with a 2xx status.
    pub answered: u64,
    /// Requests that came to anything else, by what they came to.
    pub errors: BTreeMap<String, u64>,
    /// Requests a second as the tool claims, to be held against `answered / elapsed_seconds`.
    pub claimed_per_second: Option<f64>,
    /// How long answers took.
    pub latency: LatencyRecord,
    /// CPU time of the server's threads during the run.
    pub server_cpu_seconds: f64,
    /// CPU time of the tool from its start to its end.
    pub tool_cpu_seconds: f64,
    /// Time from the tool's start to its end, by our clock.
    pub wall_seconds: f64,
    /// Time in it that the server's and the tool's cores spent on anything else: other processes, interrupts, other machines on the
    /// same hardware. The kernel counts it in hundredths of a second.
    pub foreign_cpu_seconds: Option<f64>,
    /// The server's resident memory before the first request.
    pub memory_at_rest_bytes: Option<u64>,
    /// The server's resident memory at the end of the run.
    pub memory_after_bytes: Option<u64>,
    /// The server's largest resident memory until the end of the run.
    pub memory_peak_bytes: Option<u64>,
}

/// Latency as one tool understands it. Never compared with another tool's.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LatencyRecord {
    /// What the tool measures: from where to where, corrected or not, with which resolution.
    pub meaning: String,
    /// Arithmetic mean.
    pub mean_seconds: Option<f64>,
    /// Seconds by percentile, `50` to `99`.
    pub percentiles: BTreeMap<u8, f64>,
    /// The slowest.
    pub max_seconds: Option<f64>,
}

/// Why there are no figures.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// What went wrong, as a class.
    pub kind: FailureKind,
    /// What went wrong, in a sentence.
    pub message: String,
}

/// The classes of failures.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The server or the tool needs something that this machine lacks.
    Unavailable,
    /// The server did not build or did not say its version.
    Build,
    /// The server did not get ready.
    Start,
    /// The server gave a wrong answer before the run.
    WrongAnswer,
    /// The server ended during the run.
    Died,
    /// The tool failed, did not end, or printed something that is not its summary.
    Tool,
}

impl Record {
    /// How many cores server and tool had together.
    pub fn cores(&self) -> usize {
        let is_own = |core: &&usize| !self.server_cores.contains(core);
        self.server_cores.len() + self.tool_cores.iter().filter(is_own).count()
    }
}

impl Measured {
    /// 2xx answers a second.
    pub fn per_second(&self) -> f64 {
        count(self.answered) / self.elapsed_seconds
    }

    /// The server's CPU time a 2xx answer, in seconds; `None` without an answer.
    pub fn cpu_per_request(&self) -> Option<f64> {
        (self.answered > 0).then(|| self.server_cpu_seconds / count(self.answered))
    }

    /// How many requests came to something else than a 2xx answer.
    pub fn error_count(&self) -> u64 {
        self.errors.values().sum()
    }

    /// The share of their `cores` cores' time that server and tool did not get, though they may have wanted it, from 0 to 1.
    pub fn foreign_share(&self, cores: usize) -> Option<f64> {
        Some(self.foreign_cpu_seconds? / (self.wall_seconds * count(cores as u64)))
    }

    /// The share of its cores' time that the server used, from 0 to 1.
    pub fn server_utilisation(&self, cores: usize) -> f64 {
        self.server_cpu_seconds / (self.elapsed_seconds * count(cores as u64))
    }

    /// The share of its cores' time that the tool used, from 0 to 1.
    pub fn tool_utilisation(&self, cores: usize) -> f64 {
        self.tool_cpu_seconds / (self.elapsed_seconds * count(cores as u64))
    }
}

/// A count as a number to calculate with. Exact up to 2^53, which no run comes near.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub fn count(count: u64) -> f64 {
    count as f64
}
