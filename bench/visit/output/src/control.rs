//! The lines that `--control` prints before the report. `--start-at -` prints the first one too.

use std::collections::BTreeMap;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::errors::Errors;

/// The first line, printed once the connections have been opened. After it `visit` reads commands
/// (`--control`), or the instant to begin at (`--start-at -`).
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Ready {
    /// `visit` and its version.
    pub version: String,
    /// Connections that are open; `null` in modes close and close-after-N.
    pub connections_open: Option<u64>,
}

/// The line after each command: the counts from the first request of the slice to its last answer.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Slice {
    /// Time from the start of the slice to its end or to the last answer, whichever is later.
    pub elapsed_seconds: f64,
    /// Requests that were sent. Each is counted in `statuses`, or as `reset`, `closed`, `timeout`,
    /// `wrong` or `cut_off` in `errors`.
    pub sent: u64,
    /// Right answers with a 2xx status.
    pub answered: u64,
    /// Whole answers by status, including 2xx.
    pub statuses: BTreeMap<u16, u64>,
    /// Requests and connections that failed, by kind, and connections that could not be reopened.
    pub errors: Errors,
    /// The first wrong answer, or the first bytes that arrived between the last slice and this one.
    /// `null` without either.
    pub mismatch: Option<String>,
    /// Connections that are open at the end; `null` in modes close and close-after-N.
    pub connections_open: Option<u64>,
    /// Mean latency; `null` without an answer.
    pub mean_seconds: Option<f64>,
    /// CPU time of the threads that make the load, user and system.
    pub cpu_seconds: f64,
}

impl Ready {
    /// Parses the first line. Fails on any other line, such as that of another version.
    pub fn parse(line: &str) -> anyhow::Result<Self> {
        serde_json::from_str(line).context("this is not the first line of visit")
    }
}

impl Slice {
    /// Parses the line after a command. Fails on any other line, such as that of another
    /// version.
    pub fn parse(line: &str) -> anyhow::Result<Self> {
        serde_json::from_str(line).context("this is not a slice of visit --control")
    }
}
