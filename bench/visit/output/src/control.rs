//! The lines that `--control` prints before the report. `--start-at -` prints the first one too.

use std::collections::BTreeMap;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::errors::Errors;

/// The first line: the connections have been opened, and commands are read, or when to begin.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Ready {
    /// `visit` and its version.
    pub version: String,
    /// Connections that are open; `null` in modes close and close-after-N.
    pub connections_open: Option<u64>,
}

/// The line after each command: what was counted from its first request to its last answer.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Slice {
    /// From the start of the slice to its end or to the last answer, whichever is later.
    pub elapsed_seconds: f64,
    /// Each is counted in `statuses` or, from `reset` to `wrong` and in `cut_off`, in `errors`.
    pub sent: u64,
    /// Right answers with a 2xx status.
    pub answered: u64,
    /// Whole answers by status, 2xx among them.
    pub statuses: BTreeMap<u16, u64>,
    /// Requests and connections that failed, by kind, and connections that could not be reopened.
    pub errors: Errors,
    /// The first wrong answer, or bytes that arrived in the silence before. `null` without one.
    pub mismatch: Option<String>,
    /// Connections that are open at the end; `null` in modes close and close-after-N.
    pub connections_open: Option<u64>,
    /// Mean latency; `null` without an answer.
    pub mean_seconds: Option<f64>,
    /// CPU time of the threads that make the load, user and system.
    pub cpu_seconds: f64,
}

impl Ready {
    /// Reads the first line. Fails on another line, such as of another version.
    pub fn parse(line: &str) -> anyhow::Result<Self> {
        serde_json::from_str(line).context("this is not the first line of visit")
    }
}

impl Slice {
    /// Reads the line after a command. Fails on another line, such as of another version.
    pub fn parse(line: &str) -> anyhow::Result<Self> {
        serde_json::from_str(line).context("this is not a slice of visit --control")
    }
}
