//! What came of it: what was measured in a run, or why nothing was.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What bound a run, and the figures that say so.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct VerdictRecord {
    /// What bound it.
    pub bound: Bound,
    /// Why, when it is `invalid` or `disturbed`.
    pub reason: Option<String>,
    /// The share of its cores' time that the server used; `null` where its process is not known.
    pub server_utilisation: Option<f64>,
    /// The share of its cores' time that the tool used.
    pub tool_utilisation: f64,
    /// The share of their cores' time that others took.
    #[serde(alias = "foreign_share")]
    pub external_share: Option<f64>,
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
    /// The load tool had time, and what the server used is not known, as of one that runs somewhere else.
    Unknown,
}

/// The word that every report, table and message uses for a verdict.
impl std::fmt::Display for Bound {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Invalid => "invalid",
            Self::Disturbed => "disturbed",
            Self::ClientBound => "client-bound",
            Self::ServerBound => "server-bound",
            Self::LatencyBound => "latency-bound",
            Self::Unknown => "unknown",
        })
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
    /// What the server used in it; `null` where its process is not known.
    pub server: Option<UsageRecord>,
    /// What the tool used from its start to its end.
    pub tool: UsageRecord,
    /// Time in it that the server's and the tool's cores spent on anything else: other processes, interrupts, other machines on
    /// the same hardware. The kernel counts it in hundredths of a second.
    #[serde(alias = "foreign_seconds")]
    pub external_seconds: Option<f64>,
    /// The part of it that other machines on the same hardware took.
    #[serde(alias = "stolen_seconds")]
    pub steal_seconds: Option<f64>,
    /// Time that the quota of our container withheld from us, summed over cores.
    #[serde(alias = "withheld_seconds")]
    pub throttled_seconds: Option<f64>,
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
