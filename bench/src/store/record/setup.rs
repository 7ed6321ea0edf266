//! The setup of a run: the workload, the server and the load tool.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::protocol::Protocol;

/// A workload as it was run.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WorkloadRecord {
    /// Its name.
    pub name: String,
    /// A description of it for readers.
    pub title: String,
    /// The request target.
    pub path: String,
    /// What is done with the server.
    pub task: TaskRecord,
    /// Connections asked for; 1 for a start.
    pub connections: u32,
    /// `keep-alive`, `close`, `close-after-N` or `pipelined-N`; `null` where no load is made.
    pub mode: Option<String>,
    /// The protocol. Absent where it is HTTP/1.1 without TLS, as in old records.
    #[serde(default, skip_serializing_if = "Protocol::is_plain")]
    pub protocol: Protocol,
    /// HTTP/2 streams that are open at once on a connection. Absent for HTTP/1.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub streams: Option<u32>,
    /// Whether a new connection resumes a TLS session. Absent where it does not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resumes: bool,
    /// Requests asked for; `null` where the load was bounded by time.
    pub requests: Option<u64>,
    /// Seconds asked for; `null` where the load was bounded by a number of requests.
    pub seconds: Option<f64>,
    /// Seconds of the same load before the measured one, whose answers are discarded.
    pub warm_up_seconds: Option<f64>,
    /// Seconds after which a request times out, where the tool has timeouts.
    pub timeout_seconds: Option<f64>,
    /// The rate of an open loop; `null` in a closed one.
    pub rate: Option<RateRecord>,
    /// Fields of every request after `Host`. Absent where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<String>,
    /// Further kinds of requests with their shares, as `visit --mix` takes them. Absent where there are
    /// none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mix: Vec<String>,
    /// The seed of an open loop whose requests arrived at random. Absent where they were evenly spaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poisson_seed: Option<u64>,
    /// The number of its cores that the server ran on; `null` for all of them, as in old records.
    #[serde(default)]
    pub server_cores: Option<usize>,
    /// The planned length of a slice; `null` where servers were measured one after another, as in
    /// old records.
    #[serde(default)]
    pub slice_seconds: Option<f64>,
    /// A ratio that was published for this workload.
    pub published: Option<PublishedRecord>,
}

/// What is done with a server.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskRecord {
    /// A load tool sends requests.
    Load,
    /// The server is started, and answers one request.
    Start,
    /// Connections are opened, used once, and held.
    Hold,
    /// Connections are held, and the server's CPU time is counted for a time in which nothing is
    /// sent.
    Idle,
}

/// The most that a percentile of the latency may be.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LimitRecord {
    /// The percentile: 50, 75, 90, 95, 99 or 99.9.
    pub percentile: f64,
    /// The limit in seconds.
    pub seconds: f64,
}

/// The rate of an open loop.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RateRecord {
    /// Requests per second, where they are the same for all servers.
    pub per_second: Option<f64>,
    /// The rate as a share, from 0 to 1, of the server's own peak or of the rate that a search
    /// found.
    pub share: Option<f64>,
    /// The workload whose throughput is that peak.
    pub peak: Option<String>,
    /// The limit of a search for the highest rate that keeps it. `null` without a search, and in
    /// old records.
    #[serde(default)]
    pub limit: Option<LimitRecord>,
    /// The workload whose search found that rate.
    #[serde(default)]
    pub search: Option<String>,
}

/// Repetitions that continue until intervals are narrow enough.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct UntilRecord {
    /// The greatest width of the interval of the leading figure, as a share of its median.
    pub width: f64,
    /// The number of planned looks, at each of which the repetitions could end. The probability of
    /// 5 % for a miss is divided by this number.
    pub looks: usize,
}

/// A published ratio.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedRecord {
    /// The slower program, as `server.article` names it.
    pub baseline: String,
    /// The faster program, as `server.article` names it.
    pub contender: String,
    /// How many times faster the faster program is, as published.
    pub ratio: f64,
}

/// A server as it was run.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ServerRecord {
    /// The name of its folder; with a suffix for a duplicate.
    pub name: String,
    /// The server that this one duplicates, for the A/A control, under another name.
    #[serde(alias = "twin_of")]
    pub duplicate_of: Option<String>,
    /// The name in reports.
    pub title: String,
    /// The language it is written in.
    pub language: String,
    /// The runtime it stands for.
    pub runtime: String,
    /// Its concurrency model.
    pub model: String,
    /// What it prints for `--version`; `null` where it could not be run.
    pub version: Option<String>,
    /// Whether it is the floor, with which servers are compared. Absent in old records.
    #[serde(default)]
    pub is_floor: bool,
    /// Whether it was running already, started by the user. Absent in old records.
    #[serde(default, alias = "is_foreign")]
    pub is_attached: bool,
    /// Its name in the article, where it is one of the article's two programs.
    pub article: Option<String>,
    /// The result of the conformance cases; `null` where that is not known.
    pub conformance: Option<ConformanceRecord>,
    /// The least number of seconds of load before a run is measured, where the workload has a
    /// warm-up, for a runtime that compiles code while it runs. Absent for other runtimes, and in
    /// old records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_up_seconds: Option<f64>,
    /// The size of its binary. Absent for a server that an interpreter runs or that was installed
    /// and not built, and in old records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binary_bytes: Option<u64>,
}

/// The result of the conformance cases that were sent to a server before it was measured.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ConformanceRecord {
    /// Cases that were sent. Cases that wait for a timeout are left out where the server has none.
    pub cases: u64,
    /// Cases that passed, without the flaky ones. Records without the number of flaky cases include
    /// those that passed.
    pub passed: u64,
    /// Cases that the manifest lists as flaky; `null` in old records.
    #[serde(default)]
    pub flaky: Option<u64>,
    /// Cases in which it answered a smuggled request, which was hidden within another request.
    pub smuggled: u64,
    /// Sentences about deviations in the header fields of its answers. Absent in old records.
    #[serde(default)]
    pub odd: Vec<String>,
}

impl ConformanceRecord {
    /// How many cases pass: `401`, or `400–404` where four cases are flaky.
    pub fn range(&self) -> String {
        match (self.passed, self.flaky.unwrap_or_default()) {
            (passed, 0) => passed.to_string(),
            (passed, flaky) => format!("{passed}–{}", passed + flaky),
        }
    }

    /// Whether it passes every case that it was sent, on every run.
    pub fn is_perfect(&self) -> bool {
        self.cases > 0 && self.passed == self.cases
    }

    /// Whether both may describe the same server: they differ at most in which flaky cases passed.
    pub fn is_consistent_with(&self, other: &Self) -> bool {
        let most = |found: &Self| found.passed + found.flaky.unwrap_or_default();
        (self.cases, self.smuggled) == (other.cases, other.smuggled)
            && self.passed <= most(other)
            && other.passed <= most(self)
    }
}

impl std::fmt::Display for ConformanceRecord {
    /// `401/483`, or `400–404/483`.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}/{}", self.range(), self.cases)
    }
}

/// A load tool as it was run.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ToolRecord {
    /// Its name; `bench` where the harness sends the requests.
    pub name: String,
    /// Its version; `null` where it could not be run.
    pub version: Option<String>,
    /// The meaning of its latency; `null` where it reports none.
    pub semantics: Option<Semantics>,
    /// The program and its arguments; empty where it was not run.
    pub command: Vec<String>,
}

/// The meaning of a tool's latency. Latencies of different meanings are never compared.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Semantics {
    /// The moment from which it counts.
    pub from: From,
    /// Whether it includes the connect, where a connection was opened for the request.
    pub connect_included: bool,
    /// Whether the tool adds or changes samples.
    pub synthetic: bool,
    /// The smallest difference in seconds that the tool reports; `null` where it reports three
    /// digits.
    pub resolution_seconds: Option<f64>,
    /// The meaning in words, with everything else that a reader should know.
    pub meaning: String,
}

/// The moment from which latency counts.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum From {
    /// When the request was due, sent or not, in an open loop: without coordinated omission.
    Due,
    /// When the request was sent. While a server stalls, fewer requests are sent, and the latency
    /// of the requests that were not sent is missing.
    Sent,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flaky_cases_make_a_range_and_no_difference() {
        let record =
            |passed, flaky| ConformanceRecord { cases: 483, passed, flaky, smuggled: 0, odd: Vec::new() };
        // Passed and flaky cases of a record, its text, and whether it is consistent with 400
        // passed and 4 flaky cases.
        let cases = [
            (401, None, "401/483", true),
            (400, Some(4), "400–404/483", true),
            (404, Some(0), "404/483", true),
            (405, Some(0), "405/483", false),
            (398, Some(1), "398–399/483", false),
        ];
        for (passed, flaky, form, is_consistent) in cases {
            let found = record(passed, flaky);
            assert_eq!(found.to_string(), form);
            assert_eq!(found.is_consistent_with(&record(400, Some(4))), is_consistent, "{form}");
        }
    }
}
