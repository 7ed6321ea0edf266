//! What is stored of a run: one line of `measurements.jsonl`. `bench/measurements.schema.json` describes it to others.
//!
//! These types are the stored form and nothing else. Units are seconds, bytes and counts. What is not known is
//! `null`, never 0.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version of the form below; it stands in every line.
pub const SCHEMA: u32 = 3;

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
    pub workload: WorkloadRecord,
    /// Who was asked.
    pub server: ServerRecord,
    /// Who asked.
    pub tool: ToolRecord,
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

/// A workload as it was run.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WorkloadRecord {
    /// Its name.
    pub name: String,
    /// What it is, for people.
    pub title: String,
    /// The request target.
    pub path: String,
    /// What is done.
    pub task: TaskRecord,
    /// Connections asked for; 1 of a start.
    pub connections: u32,
    /// `keep-alive`, `close` or `pipelined-N`; `null` where no load is made.
    pub mode: Option<String>,
    /// Requests asked for; `null` when it went by time.
    pub requests: Option<u64>,
    /// Seconds asked for; `null` when it went by count.
    pub seconds: Option<f64>,
    /// Seconds of the same load that came first and were thrown away.
    pub warm_up_seconds: Option<f64>,
    /// Seconds after which a request was given up, where the tool can do that.
    pub timeout_seconds: Option<f64>,
    /// The rate of an open loop; `null` in a closed one.
    pub rate: Option<RateRecord>,
    /// What somebody else published for it.
    pub published: Option<PublishedRecord>,
}

/// What is done to a server.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskRecord {
    /// A tool loads it.
    Load,
    /// It is started, and asked once.
    Start,
    /// Connections are opened, used once, and held.
    Hold,
}

/// Which rate an open loop is asked to have.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RateRecord {
    /// Requests a second, when they are the same for all servers.
    pub per_second: Option<f64>,
    /// Otherwise so much of the server's own peak, from 0 to 1.
    pub share: Option<f64>,
    /// The workload whose throughput is that peak.
    pub peak: Option<String>,
}

/// A ratio that somebody else published.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
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
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ServerRecord {
    /// Its folder's name; a twin's has something behind it.
    pub name: String,
    /// The server that this one is, measured a second time under another name: the A/A control.
    pub twin_of: Option<String>,
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
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
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
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ToolRecord {
    /// Its name; `bench` where the harness asks by itself.
    pub name: String,
    /// Its version; `null` when it could not be asked.
    pub version: Option<String>,
    /// What its latency means; `null` where it has none.
    pub semantics: Option<Semantics>,
    /// The program and its arguments; empty when it was not run.
    pub command: Vec<String>,
}

/// What a tool's latency means. It is never compared with that of another meaning.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Semantics {
    /// From when it counts.
    pub from: From,
    /// Whether the connect is in it, of a request for which a connection was opened.
    pub connect_included: bool,
    /// Whether the tool adds answers that it never had, or moves those that it had, so that its figures are not those of
    /// the answers.
    pub synthetic: bool,
    /// Times are told apart from so many seconds on; `null` where they are told to a thousandth of themselves.
    pub resolution_seconds: Option<f64>,
    /// The same in words, and what else has to be known.
    pub meaning: String,
}

/// From when latency counts.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum From {
    /// When the request was due, sent or not: corrected for coordinated omission. Only an open loop knows it.
    Due,
    /// When the request was sent. While a server stops it is asked less, and what visitors would have met is left out.
    Sent,
}

/// What bound a run, and the figures that say so.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct VerdictRecord {
    /// What bound it.
    pub bound: Bound,
    /// Why, when it is `invalid` or `disturbed`.
    pub reason: Option<String>,
    /// The share of its cores' time that the server used.
    pub server_utilisation: f64,
    /// The share of its cores' time that the tool used.
    pub tool_utilisation: f64,
    /// The share of their cores' time that others took.
    pub foreign_share: Option<f64>,
    /// Requests under way at a time by Little's law, throughput times mean latency, as a share of those asked for; where the
    /// tool's latency is one that the law holds for.
    pub concurrency: Option<f64>,
}

/// What bound a run, or all runs of a server under a workload.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bound {
    /// Nothing can be said.
    Invalid,
    /// Others took the cores' time: server and tool may have wanted it. CPU time a request is still a fact about the server,
    /// if a less exact one.
    Disturbed,
    /// The load tool used its cores up: its throughput is a fact about the tool. Also where both did, since the tool may have
    /// been first.
    ClientBound,
    /// The server used its cores up: its throughput is a fact about the server.
    ServerBound,
    /// Neither was busy: the round trip is the fact. Or an open loop held its rate: its latency is.
    LatencyBound,
}

impl Bound {
    /// The word that reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Disturbed => "disturbed",
            Self::ClientBound => "client-bound",
            Self::ServerBound => "server-bound",
            Self::LatencyBound => "latency-bound",
        }
    }
}

/// What a load came to.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LoadRecord {
    /// Time that the tool took, by its own clock.
    pub elapsed_seconds: f64,
    /// Answers with a 2xx status.
    pub answered: u64,
    /// Requests that came to anything else, by what they came to.
    pub errors: BTreeMap<String, u64>,
    /// Requests a second as the tool claims, to be held against `answered / elapsed_seconds`.
    pub claimed_per_second: Option<f64>,
    /// What became of the rate of an open loop.
    pub open_loop: Option<OpenLoopRecord>,
}

/// What became of the rate of an open loop.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OpenLoopRecord {
    /// Requests a second that were due.
    pub rate_per_second: f64,
    /// The server's peak that the rate is a share of.
    pub peak_per_second: Option<f64>,
    /// Whether it was held, by the tool's own judgement; `null` where the tool does not judge.
    pub held: Option<bool>,
    /// How much later than due 99 % of the requests were begun at most.
    pub lag_p99_seconds: Option<f64>,
}

/// Latency as one tool understands it: see `tool.semantics`.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LatencyRecord {
    /// Arithmetic mean.
    pub mean_seconds: Option<f64>,
    /// Seconds by percentile, `50` to `99`.
    pub percentiles: BTreeMap<u8, f64>,
    /// The slowest.
    pub max_seconds: Option<f64>,
    /// Seconds that 99.9 % did not exceed.
    pub p99_9_seconds: Option<f64>,
    /// How long connections took to open, where the tool tells it apart.
    pub connect: Option<ConnectRecord>,
    /// All latencies, where the tool tells them: an HdrHistogram of nanoseconds with three digits, in its own format of version 2,
    /// compressed, in base64. Runs merge exactly by it.
    pub histogram: Option<String>,
}

/// How long connections took to open.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectRecord {
    /// How many there were.
    pub count: u64,
    /// Half took at most this long.
    pub p50_seconds: f64,
    /// 99 % took at most this long.
    pub p99_seconds: f64,
    /// The slowest.
    pub max_seconds: f64,
}

/// Connections, as asked for and as seen.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionsRecord {
    /// Asked for.
    pub asked: u32,
    /// The most that the server's socket had, of several looks during the run.
    pub seen: Option<u64>,
}

/// CPU time of a run.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CpuRecord {
    /// Time from the tool's start to its end, by our clock.
    pub wall_seconds: f64,
    /// What the server used in it.
    pub server: UsageRecord,
    /// What the tool used from its start to its end.
    pub tool: UsageRecord,
    /// Time in it that the server's and the tool's cores spent on anything else: other processes, interrupts, other machines on
    /// the same hardware. The kernel counts it in hundredths of a second.
    pub foreign_seconds: Option<f64>,
    /// The part of it that other machines on the same hardware took.
    pub stolen_seconds: Option<f64>,
    /// Time that the quota of our container withheld from us, summed over cores.
    pub withheld_seconds: Option<f64>,
}

/// What the processes of one side used: all threads, also those that ended, and children.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct UsageRecord {
    /// CPU time in all.
    pub seconds: f64,
    /// The part of it in its own code.
    pub user_seconds: f64,
    /// The part of it in the kernel.
    pub system_seconds: f64,
    /// How often a thread waited.
    pub voluntary_switches: Option<u64>,
    /// How often a thread had to make room for another.
    pub involuntary_switches: Option<u64>,
}

/// The server's resident memory.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MemoryRecord {
    /// Before the first request.
    pub at_rest_bytes: Option<u64>,
    /// At the end of the run; of connections that are held, while they are.
    pub after_bytes: Option<u64>,
    /// The most until the end of the run.
    pub peak_bytes: Option<u64>,
}

/// How long a server took to come up.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StartRecord {
    /// From just before the process was made to its line that says it is ready.
    pub ready_seconds: f64,
    /// From the same moment to the last byte of its first answer.
    pub first_answer_seconds: f64,
}

/// Why there are no figures.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorRecord {
    /// What went wrong, as a class.
    pub kind: ErrorKind,
    /// What went wrong, in a sentence.
    pub message: String,
}

/// The classes of what can go wrong.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// The server or the tool needs something that this machine lacks, or the tool cannot make that load.
    Unavailable,
    /// The server did not build or did not say its version.
    Build,
    /// The server did not get ready.
    Start,
    /// The server gave a wrong answer.
    WrongAnswer,
    /// The server ended during the run.
    Died,
    /// The tool failed, did not end, or printed something that is not its summary.
    Tool,
    /// Connections could not be opened, or did not stay open.
    Connections,
    /// The rate is a share of a peak that is not known.
    NoPeak,
}

impl std::fmt::Display for ErrorKind {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Unavailable => "unavailable",
            Self::Build => "build",
            Self::Start => "start",
            Self::WrongAnswer => "wrong answer",
            Self::Died => "died",
            Self::Tool => "tool",
            Self::Connections => "connections",
            Self::NoPeak => "no peak",
        })
    }
}

/// Figures of a run. Each is `None` where the run has no such figure.
impl Record {
    /// Whether it has figures of any kind.
    pub fn is_measured(&self) -> bool {
        self.error.is_none()
    }

    /// 2xx answers a second.
    pub fn per_second(&self) -> Option<f64> {
        let load = self.load.as_ref()?;
        Some(count(load.answered) / load.elapsed_seconds)
    }

    /// The server's CPU time a 2xx answer, in seconds.
    pub fn cpu_per_request(&self) -> Option<f64> {
        let answered = self.load.as_ref()?.answered;
        (answered > 0).then_some(self.cpu.as_ref()?.server.seconds / count(answered))
    }

    /// How many requests came to something else than a 2xx answer.
    pub fn error_count(&self) -> u64 {
        self.load.as_ref().map_or(0, |load| load.errors.values().sum())
    }

    /// Seconds that so many percent of the answers did not exceed.
    pub fn percentile(&self, percent: u8) -> Option<f64> {
        self.latency.as_ref()?.percentiles.get(&percent).copied()
    }

    /// The server's memory a connection that is held, in bytes; nothing when not all of them stayed open.
    pub fn memory_per_connection(&self) -> Option<f64> {
        let memory = self.memory.filter(|_| self.workload.task == TaskRecord::Hold)?;
        let ConnectionsRecord { asked, seen } = self.connections?;
        if seen? < u64::from(asked) {
            return None;
        }
        let grown = memory.after_bytes?.saturating_sub(memory.at_rest_bytes?);
        Some(count(grown) / f64::from(self.workload.connections))
    }

    /// How many cores server and tool had together.
    pub fn cores(&self) -> usize {
        let is_own = |core: &&usize| !self.server_cores.contains(core);
        self.server_cores.len() + self.tool_cores.iter().filter(is_own).count()
    }
}

/// A count as a number to calculate with. Exact up to 2^53, which no run comes near.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub fn count(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
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
            },
            server: ServerRecord {
                name: server.into(),
                twin_of: None,
                title: text(),
                language: text(),
                runtime: text(),
                model: text(),
                version: None,
                article: None,
                conformance: None,
            },
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
            },
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
                server: usage,
                tool: usage,
                foreign_seconds: Some(0.0),
                stolen_seconds: Some(0.0),
                withheld_seconds: None,
            }),
            memory: None,
            start: None,
            error: None,
            raw: None,
        }
    }
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

    #[test]
    fn figures_come_from_a_records_parts() {
        let mut record = Record::example("one", 1);
        assert_eq!((record.per_second(), record.cpu_per_request()), (Some(1000.0), Some(0.000_5)));
        assert_eq!((record.cores(), record.error_count(), record.memory_per_connection()), (2, 0, None));
        record.load.as_mut().unwrap().answered = 0;
        assert_eq!((record.per_second(), record.cpu_per_request()), (Some(0.0), None));
        record.workload.task = TaskRecord::Hold;
        let bytes =
            |at_rest, after| MemoryRecord { at_rest_bytes: at_rest, after_bytes: after, peak_bytes: None };
        for (memory, expected) in [
            (bytes(Some(1000), Some(3000)), Some(200.0)),
            (bytes(Some(9), Some(1)), Some(0.0)),
            (bytes(None, Some(1)), None),
        ] {
            record.memory = Some(memory);
            assert_eq!(record.memory_per_connection(), expected, "{memory:?}");
        }
    }
}
