//! Who was asked for what, by whom. Most runs of a measurement have it in common.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// Its folder's name; a duplicate's has something behind it.
    pub name: String,
    /// The server that this one is, measured a second time under another name: the A/A control.
    #[serde(alias = "twin_of")]
    pub duplicate_of: Option<String>,
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
    /// Whether it is not a server, but the line that servers are held against. Records of before there was one do not say it.
    #[serde(default)]
    pub is_floor: bool,
    /// Whether somebody else had started it. Records of before that could be do not say it.
    #[serde(default, alias = "is_foreign")]
    pub is_attached: bool,
    /// What the article calls it, when it is one of the article's two.
    pub article: Option<String>,
    /// How it keeps the rules of HTTP; `null` when it could not be asked.
    pub conformance: Option<ConformanceRecord>,
}

/// How many conformance cases a server passed before it was measured.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ConformanceRecord {
    /// Cases that were sent. Those that wait for a server's timeouts are not, where it has none.
    pub cases: u64,
    /// Cases that passed, without the flaky ones. In records that do not say how many are flaky, these
    /// are among them when they passed.
    pub passed: u64,
    /// Cases that the server's manifest lists as flaky; `null` in records of before they were counted.
    #[serde(default)]
    pub flaky: Option<u64>,
    /// Cases in which it answered a request that was never sent: one hidden within another.
    pub smuggled: u64,
}

impl ConformanceRecord {
    /// How many cases pass: `401`, or `400–404` where four cases are flaky.
    pub fn range(&self) -> String {
        match (self.passed, self.flaky.unwrap_or_default()) {
            (passed, 0) => passed.to_string(),
            (passed, flaky) => format!("{passed}–{}", passed + flaky),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flaky_cases_make_a_range_and_no_difference() {
        let record = |passed, flaky| ConformanceRecord { cases: 483, passed, flaky, smuggled: 0 };
        // Passed and flaky cases of one record, its form, and whether 400 and 4 flaky may be the same.
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
