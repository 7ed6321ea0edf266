//! The figures that were measured in a run, or the error of a run without figures.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What limited a run, and the figures that the verdict is based on.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct VerdictRecord {
    /// What limited the run.
    pub bound: Bound,
    /// The reason, where the run is `invalid`, `disturbed`, `thread-bound` or `network-bound`, and
    /// where the tool on one of several hosts was at its limit.
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
    /// for; `null` where the law does not apply to the tool's latency.
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
    /// The link of the server's host carried nearly its capacity.
    NetworkBound,
    /// Neither side was busy, so that the round trip limits the throughput; or an open loop held
    /// its rate.
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
    /// Answers with a 2xx status; in a mix, answers with the status that their kind expects.
    pub answered: u64,
    /// The number of requests without an expected answer and of failed connections, by error.
    pub errors: BTreeMap<String, u64>,
    /// The number of errors that are failed connections, which say nothing about a request.
    #[serde(default)]
    pub failed_connections: u64,
    /// Requests per second as the tool claims them: compare `answered / elapsed_seconds`.
    pub claimed_per_second: Option<f64>,
    /// The rate of an open loop.
    pub open_loop: Option<OpenLoopRecord>,
    /// The TLS parameters that the tool and the server agreed on. Absent without TLS, and where the
    /// tool does not report them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsRecord>,
    /// The kinds of requests of a mix. Absent where all requests are of one kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<KindRecord>,
}

/// The TLS parameters of a load's connections. A run whose connections differ has no figures.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TlsRecord {
    /// The version: `TLSv1.3`.
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
    /// Its name; `plain` for requests of no other kind.
    pub name: String,
    /// Its part of all requests, from 0 to 1.
    pub share: f64,
    /// The status that its answers have to have.
    pub status: u16,
    /// Requests that were sent.
    pub sent: u64,
    /// Answers with that status.
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
    /// The highest latency.
    pub max_seconds: Option<f64>,
    /// The 99.9th percentile.
    pub p99_9_seconds: Option<f64>,
    /// How long connections took to open, where the tool reports it.
    pub connect: Option<OpeningRecord>,
    /// How long TLS handshakes took after the connect. Absent where the tool reports none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handshake: Option<OpeningRecord>,
    /// All latencies, where the tool reports them: an HdrHistogram of nanoseconds with three
    /// digits, in its format of version 2, compressed, in base64. Histograms can be merged exactly.
    pub histogram: Option<String>,
}

/// How long a step of opening connections took, including connections of the warm-up.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OpeningRecord {
    /// The number of times that the step was made.
    pub count: u64,
    /// Arithmetic mean; `null` in old records.
    #[serde(default)]
    pub mean_seconds: Option<f64>,
    /// Half of them took at most this long.
    pub p50_seconds: f64,
    /// 99 % of them took at most this long.
    pub p99_seconds: f64,
    /// The longest time.
    pub max_seconds: f64,
}

/// Connections that were asked for, and that were seen.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionsRecord {
    /// Connections that were asked for.
    pub asked: u32,
    /// The highest of several counts of the connections of the server's socket during the run.
    pub seen: Option<u64>,
    /// Connections that the server's machine accepted during the run, on any port; `null` where that
    /// is not known.
    pub accepted: Option<u64>,
}

/// CPU time of a run.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CpuRecord {
    /// Time from the tool's start to its end, by the harness's clock.
    pub wall_seconds: f64,
    /// The server's usage in that time; `null` where its process is not known.
    pub server: Option<UsageRecord>,
    /// CPU time of the server's busiest threads in that time, at most one per core of the server, the
    /// busiest first. A thread that ended meanwhile is not among them. `null` where the server has a
    /// single core, where the kernel does not say, and in old records.
    #[serde(default)]
    pub thread_seconds: Option<Vec<f64>>,
    /// The tool's usage from its start to its end.
    pub tool: UsageRecord,
    /// Time that the server's and the tool's cores spent on other processes, interrupts and other
    /// machines. The kernel counts it in hundredths of a second.
    #[serde(alias = "foreign_seconds")]
    pub external_seconds: Option<f64>,
    /// The part of `external_seconds` that other machines on the same hardware took (steal).
    #[serde(alias = "stolen_seconds")]
    pub steal_seconds: Option<f64>,
    /// Time for which the container's quota throttled its processes, summed over cores.
    #[serde(alias = "withheld_seconds")]
    pub throttled_seconds: Option<f64>,
    /// Time for which the machine was suspended during the run. No other time contains it. Absent
    /// in old records.
    #[serde(default)]
    pub suspended_seconds: Option<f64>,
    /// The share of a core that the server used while no request was sent to it, between slices;
    /// `null` where there was no such time, as in old records.
    #[serde(default)]
    pub idle_share: Option<f64>,
    /// Clock frequencies of the cores. Absent where the kernel does not report them, and in old
    /// records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency: Option<FrequencyRecord>,
}

/// Clock frequencies of cores, as the kernel reported them once in the run: 50 ms after the load
/// tool was started, or, in a run in slices, at the end of the warm-up before the slices.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FrequencyRecord {
    /// The frequency of each of the server's cores, in hertz; `null` where they are not known.
    pub server_hertz: Option<Vec<u64>>,
    /// The frequency of each of the tool's cores, in hertz; `null` where the tool ran on other
    /// hosts.
    pub tool_hertz: Option<Vec<u64>>,
}

/// CPU time and context switches of the processes of one side: of all threads, including those that
/// ended, and of children.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct UsageRecord {
    /// CPU time in total.
    pub seconds: f64,
    /// CPU time in user mode.
    pub user_seconds: f64,
    /// CPU time in the kernel.
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
    /// Memory before the first request.
    pub at_rest_bytes: Option<u64>,
    /// Memory at the end of the run; for held connections, while they are held.
    pub after_bytes: Option<u64>,
    /// The peak of the memory until the end of the run.
    pub peak_bytes: Option<u64>,
}

/// How long a server took to start.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StartRecord {
    /// The time from just before the process is created to the line by which it says that it is
    /// ready.
    pub ready_seconds: f64,
    /// The time from the same moment to the last byte of its first answer.
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
