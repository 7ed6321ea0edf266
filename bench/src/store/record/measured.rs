//! What was measured in a run, or why there are no figures.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What limited a run, and the figures that the verdict is based on.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct VerdictRecord {
    /// What limited it.
    pub bound: Bound,
    /// Why, where it is `invalid`, `disturbed`, `thread-bound` or `network-bound`, and where the tool of
    /// one of several hosts was at its limit.
    pub reason: Option<String>,
    /// The share of its cores' time that the server used; `null` where its process is not known.
    pub server_utilisation: Option<f64>,
    /// The share of a core's time that the server's busiest thread used; `null` where the server has
    /// a single core, where that is not known, and in old records.
    #[serde(default)]
    pub thread_utilisation: Option<f64>,
    /// The share of its cores' time that the tool used.
    pub tool_utilisation: f64,
    /// The share of the used cores' time that other processes and machines took.
    #[serde(alias = "foreign_share")]
    pub external_share: Option<f64>,
    /// Requests in flight by Little's law, throughput times mean latency, as a share of those asked
    /// for; where the tool's latency is one that the law applies to.
    pub concurrency: Option<f64>,
}

/// What limited a run, or all runs of a server under a workload.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bound {
    /// The figures say nothing: requests failed, or the load was not the one asked for.
    Invalid,
    /// Other processes or machines took cores' time that may have been needed.
    Disturbed,
    /// The load tool used all of its cores' time: the throughput is its limit, or both sides'.
    ClientBound,
    /// The server used all of its cores' time: the throughput is the server's limit.
    ServerBound,
    /// A thread of the server was busy all the time, while the server's cores had time left: it cannot
    /// use all of them, and the throughput is its limit.
    ThreadBound,
    /// The link of the server's host carried nearly what it can.
    NetworkBound,
    /// Neither was busy: the round trip limits the throughput; or an open loop held its rate.
    LatencyBound,
    /// The load tool had time left, and the server's usage is not known.
    Unknown,
}

impl Bound {
    /// Whether the throughput is the server's own limit.
    pub fn is_of_server(self) -> bool {
        matches!(self, Self::ServerBound | Self::ThreadBound)
    }
}

/// The word that every report, table and message uses for a verdict.
impl std::fmt::Display for Bound {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.serialize(out)
    }
}

/// The answers to a load.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LoadRecord {
    /// How long the load took, by the tool's clock.
    pub elapsed_seconds: f64,
    /// Answers with a 2xx status, or of a mix with the status that their kind expects.
    pub answered: u64,
    /// Requests without such an answer, and connections that failed, by what happened instead.
    pub errors: BTreeMap<String, u64>,
    /// How many of the errors are those of connections, which say nothing about a request.
    #[serde(default)]
    pub failed_connections: u64,
    /// Requests per second as the tool claims them: compare `answered / elapsed_seconds`.
    pub claimed_per_second: Option<f64>,
    /// The rate of an open loop.
    pub open_loop: Option<OpenLoopRecord>,
    /// What the tool and the server agreed on. Absent without TLS, and where the tool does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsRecord>,
    /// The kinds of requests of a mix. Absent where all are of one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<KindRecord>,
}

/// The TLS of a load's connections: the same of all, or the run has no figures.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TlsRecord {
    /// `TLSv1.3`.
    pub version: String,
    /// The cipher suite, such as `TLS13_AES_128_GCM_SHA256`.
    pub suite: String,
    /// The group of the key exchange, such as `X25519`.
    pub group: String,
    /// The protocol by ALPN; `null` where none was agreed on.
    pub alpn: Option<String>,
    /// Full handshakes.
    pub full: u64,
    /// Handshakes that resumed a session.
    pub resumed: u64,
}

/// One kind of request of a mix.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct KindRecord {
    /// Its name; `plain` of the requests of no other kind.
    pub name: String,
    /// Its part of all requests, from 0 to 1.
    pub share: f64,
    /// The status that its answers have to have.
    pub status: u16,
    /// Requests that were sent.
    pub sent: u64,
    /// Answers of that status.
    pub expected: u64,
    /// Mean latency of its answers.
    pub mean_seconds: Option<f64>,
    /// Half of its answers took at most this long.
    pub p50_seconds: Option<f64>,
    /// 99 % of its answers took at most this long.
    pub p99_seconds: Option<f64>,
}

/// The rate of an open loop, and whether it was held.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OpenLoopRecord {
    /// Requests per second that were due.
    pub rate_per_second: f64,
    /// The server's peak that the rate is a share of.
    pub peak_per_second: Option<f64>,
    /// Whether the tool says that it held the rate; `null` where it does not say.
    pub held: Option<bool>,
    /// 99 % of the requests were begun at most this much later than they were due.
    pub lag_p99_seconds: Option<f64>,
}

/// Latency as the tool defines it: see `tool.semantics`.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LatencyRecord {
    /// Arithmetic mean.
    pub mean_seconds: Option<f64>,
    /// Seconds by percentile, `50` to `99`.
    pub percentiles: BTreeMap<u8, f64>,
    /// The slowest.
    pub max_seconds: Option<f64>,
    /// The 99.9th percentile.
    pub p99_9_seconds: Option<f64>,
    /// How long connections took to open, where the tool reports it.
    pub connect: Option<OpeningRecord>,
    /// How long handshakes of TLS took after that. Absent where the tool reports none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handshake: Option<OpeningRecord>,
    /// All latencies, where the tool reports them: an HdrHistogram of nanoseconds with three
    /// digits, in its format of version 2, compressed, in base64. Histograms can be merged exactly.
    pub histogram: Option<String>,
}

/// How long a step of opening connections took, those of the warm-up included.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OpeningRecord {
    /// How many there were.
    pub count: u64,
    /// Arithmetic mean; `null` in old records.
    #[serde(default)]
    pub mean_seconds: Option<f64>,
    /// Half took at most this long.
    pub p50_seconds: f64,
    /// 99 % took at most this long.
    pub p99_seconds: f64,
    /// The slowest.
    pub max_seconds: f64,
}

/// Connections that were asked for, and that were seen.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionsRecord {
    /// Asked for.
    pub asked: u32,
    /// The most connections of the server's socket, of several counts during the run.
    pub seen: Option<u64>,
    /// How many this machine accepted during the run, on any port; `null` where it does not say.
    pub accepted: Option<u64>,
}

/// CPU time of a run.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CpuRecord {
    /// Time from the tool's start to its end, by the harness's clock.
    pub wall_seconds: f64,
    /// What the server used in that time; `null` where its process is not known.
    pub server: Option<UsageRecord>,
    /// CPU time of the server's busiest threads in that time, at most one per core of the server, the
    /// busiest first. A thread that ended meanwhile is not among them. `null` where the server has a
    /// single core, where the kernel does not say, and in old records.
    #[serde(default)]
    pub thread_seconds: Option<Vec<f64>>,
    /// What the tool used from its start to its end.
    pub tool: UsageRecord,
    /// Time that the server's and the tool's cores spent on other processes, interrupts and other
    /// machines. The kernel counts it in hundredths of a second.
    #[serde(alias = "foreign_seconds")]
    pub external_seconds: Option<f64>,
    /// The part of it that other machines on the same hardware took (steal).
    #[serde(alias = "stolen_seconds")]
    pub steal_seconds: Option<f64>,
    /// Time for which the container's quota throttled its processes, summed over cores.
    #[serde(alias = "withheld_seconds")]
    pub throttled_seconds: Option<f64>,
    /// Time for which the machine was suspended meanwhile. No other time contains it. Absent in old
    /// records.
    #[serde(default)]
    pub suspended_seconds: Option<f64>,
    /// The share of a core that the server used while no request was sent to it, between slices;
    /// `null` where there was no such time, as in old records.
    #[serde(default)]
    pub idle_share: Option<f64>,
    /// How fast the cores ran. Absent where the kernel does not say, and in old records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency: Option<FrequencyRecord>,
}

/// Clock frequencies of cores, as the kernel said them once in the run: 50 ms after the load tool was
/// started, or where the run was made in slices at the end of the warm-up before them.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FrequencyRecord {
    /// Of each of the server's cores, in hertz; `null` where they are not known.
    pub server_hertz: Option<Vec<u64>>,
    /// The same of the tool's; `null` on other hosts.
    pub tool_hertz: Option<Vec<u64>>,
}

/// What the processes of one side used: all threads, also those that ended, and children.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct UsageRecord {
    /// CPU time in all.
    pub seconds: f64,
    /// The part of it in user mode.
    pub user_seconds: f64,
    /// The part of it in the kernel.
    pub system_seconds: f64,
    /// How often a thread gave up its core to wait.
    pub voluntary_switches: Option<u64>,
    /// How often a thread was preempted.
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
    /// The peak until the end of the run.
    pub peak_bytes: Option<u64>,
}

/// How long a server took to start.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StartRecord {
    /// From just before the process is created to the line by which it says that it is ready.
    pub ready_seconds: f64,
    /// From the same moment to the last byte of its first answer.
    pub first_answer_seconds: f64,
}

/// Why there are no figures.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorRecord {
    /// The class of the error.
    pub kind: ErrorKind,
    /// What went wrong, in a sentence.
    pub message: String,
}

/// The classes of errors.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// This machine lacks what the server or the tool needs, or the tool cannot make that load.
    Unavailable,
    /// The server did not build, or did not print its version.
    Build,
    /// The server did not become ready.
    Start,
    /// The server gave a wrong answer.
    WrongAnswer,
    /// The server ended during the run.
    Died,
    /// The tool failed, did not end, or printed something else than its summary.
    Tool,
    /// Connections could not be opened, or did not stay open.
    Connections,
    /// A host could not be reached any more.
    HostLost,
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
            Self::HostLost => "host lost",
            Self::NoPeak => "no peak",
        })
    }
}
