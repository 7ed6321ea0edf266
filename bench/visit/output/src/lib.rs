//! Types for the output of the load tool `visit`. It prints one JSON object, the [`Report`], on
//! standard output. With `--control` it prints a line for each slice before the report.
//! [`Report::merge`] adds up the reports of several processes that made one load together.
//!
//! A program that runs `visit` reads its standard output with [`Report::parse`]. Units are seconds,
//! bytes and counts. An unknown value is `null`, never 0.
//!
//! ```no_run
//! use std::process::Command;
//!
//! use visit_output::Report;
//!
//! # fn main() -> anyhow::Result<()> {
//! let output = Command::new("visit").args(["http://127.0.0.1:8080/abc", "--quiet"]).output()?;
//! let report = Report::parse(std::str::from_utf8(&output.stdout)?)?;
//! println!("{:?} answers per second", report.per_second());
//! # Ok(())
//! # }
//! ```

mod control;
mod errors;
mod http2;
mod kind;
mod merge;
mod mode;
mod protocol;
mod rate;
mod series;
mod share;
mod times;
mod tls;

use std::collections::BTreeMap;

use anyhow::Context;
use serde::{Deserialize, Serialize};

pub use control::{Ready, Slice};
pub use errors::Errors;
pub use http2::Http2;
pub use kind::Kind;
pub use mode::Mode;
pub use protocol::Protocol;
pub use rate::{Arrived, Rate};
pub use series::Interval;
pub use share::Share;
pub use times::{Times, TimesReport};
pub use tls::Tls;

/// The version and a digest of the sources, as `visit --version` prints them and
/// [`Report::version`] holds them. A program that was built with this crate understands the output
/// of a `visit` for certain only when both have the same value.
pub const VERSION: &str = concat!("visit ", env!("CARGO_PKG_VERSION"), " (", env!("VISIT_SOURCES"), ")");

/// [`VERSION`] without the name of the program.
pub const BUILD: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("VISIT_SOURCES"), ")");

/// The result of one run.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// [`VERSION`] of the `visit` that made the report.
    pub version: String,
    /// The load that was requested: the whole load, even when this process made only a share of it.
    pub load: Load,
    /// The share of the load that this process made, such as `2/5`; all counts are of this share.
    /// `null` when the process made the whole load.
    #[serde(default)]
    pub share: Option<Share>,
    /// The value of `CLOCK_MONOTONIC` of the machine when the measured time began, after the
    /// warm-up. With `--control` it is the start of the first `run`. `null` when the measured time
    /// did not begin.
    #[serde(default)]
    pub began_nanoseconds: Option<u64>,
    /// The delay of the thread that began last after the instant of `--start-at`. `null` without
    /// `--start-at`, or when the load did not begin.
    #[serde(default)]
    pub late_seconds: Option<f64>,
    /// Connections that were open when the clock started; `null` in modes close and
    /// close-after-N, which open them as needed.
    pub connections_open: Option<u64>,
    /// Time from the start of the measured time to its end or to the last answer, whichever is
    /// later. With a number of requests in a closed loop: to the last answer or error.
    pub elapsed_seconds: f64,
    /// Requests that were sent. Each is counted in `statuses`, or as `reset`, `closed`, `timeout`,
    /// `wrong` or `cut_off` in `errors`.
    pub sent: u64,
    /// Right answers with a 2xx status.
    pub answered: u64,
    /// Whole answers by status, including 2xx.
    pub statuses: BTreeMap<u16, u64>,
    /// Requests and connections that failed, by kind.
    pub errors: Errors,
    /// The kernel's counts of full connection queues during the run; `null` when unavailable.
    #[serde(default)]
    pub queue: Option<Queue>,
    /// The first wrong answer, including the warm-up. It makes the run invalid. `null` without one.
    pub mismatch: Option<String>,
    /// Whether a signal ended the run early.
    pub interrupted: bool,
    /// Bytes of answers, including their heads.
    pub bytes_read: u64,
    /// Bytes of requests.
    pub bytes_written: u64,
    /// The time to a whole answer of any status. Closed loop: from the sending of the request, or
    /// its batch, to the last byte. Open loop: from the time at which the request was due.
    pub latency: Option<TimesReport>,
    /// The time to open a connection, including those opened before the clock started.
    pub connect: Option<TimesReport>,
    /// The time of a TLS handshake, which begins after the connect; `null` without TLS.
    #[serde(default)]
    pub handshake: Option<TimesReport>,
    /// The reason of the first failed handshake, including handshakes before the clock started.
    /// `null` when none failed.
    #[serde(default)]
    pub handshake_failure: Option<String>,
    /// The parameters that the handshakes agreed on, and the number of handshakes. `null` without
    /// TLS, or when no handshake succeeded.
    #[serde(default)]
    pub tls: Option<Tls>,
    /// Counts of GOAWAY and RST_STREAM frames from servers; `null` without HTTP/2.
    #[serde(default)]
    pub http2: Option<Http2>,
    /// Open loop: the time from when a request was due to its write, or to the connect for it.
    pub schedule_lag: Option<TimesReport>,
    /// Open loop: whether the rate was held.
    pub rate: Option<Rate>,
    /// CPU time of the threads that make the load, user and system, in the measured time.
    pub cpu_seconds: f64,
    /// The kinds of a mix, the plain one first; `null` without a mix.
    #[serde(default)]
    pub kinds: Option<Vec<Kind>>,
    /// Answers and latency over the measured time; `null` without `--series`.
    #[serde(default)]
    pub series: Option<Vec<Interval>>,
}

/// The load of a run, as read from the arguments. When a process made a share, all fields except
/// `threads` describe the whole load.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// The URL as it was given.
    pub url: String,
    /// All paths in order, beginning with the path of the URL.
    pub paths: Vec<String>,
    /// The protocol: `http/1.1`, `https`, `h2` or `h2c`.
    #[serde(default = "http1")]
    pub protocol: String,
    /// The maximum number of streams per connection, as requested; the server may have allowed
    /// fewer. 1 without HTTP/2.
    #[serde(default = "one")]
    pub streams: u32,
    /// Fields that every request had besides those that `visit` sets, as `Name: value`.
    #[serde(default)]
    pub headers: Vec<String>,
    /// Kinds of requests besides the plain one, in the syntax of `--mix`.
    #[serde(default)]
    pub mix: Vec<String>,
    /// The mode: `keep-alive`, `close`, `close-after-N` or `pipelined-N`.
    pub mode: String,
    /// The number of connections.
    pub connections: u32,
    /// The number of threads of this process.
    pub threads: u32,
    /// Arrivals per second; `null` in a closed loop.
    pub rate_per_second: Option<f64>,
    /// How arrivals are spaced, `even` or `poisson`; `null` in a closed loop.
    #[serde(default)]
    pub arrivals: Option<String>,
    /// The seed of the arrival times; `null` unless the arrivals are `poisson`.
    #[serde(default)]
    pub seed: Option<u64>,
    /// The number of requests; `null` when a time was given.
    pub requests: Option<u64>,
    /// The measured time; `null` when a number of requests was given.
    pub seconds: Option<f64>,
    /// The time of the warm-up, which is not measured.
    pub warm_up_seconds: f64,
    /// The time after which a request is given up.
    pub timeout_seconds: f64,
    /// The length of the intervals of the series; `null` without one.
    #[serde(default)]
    pub series_seconds: Option<f64>,
}

/// TCP counters of the kernel during the run. They cover all connections of the machine, or
/// container, of `visit`: when the server is on another machine, they do not describe its queues.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// Connections that found the queue of their listener full.
    pub overflows: u64,
    /// Connections that a listener dropped, because its queue was full or for another reason.
    pub drops: u64,
    /// Timeouts after which the kernel sent a segment again, because nothing had come back.
    pub timeouts: u64,
}

impl Queue {
    /// The counts since `before`.
    pub fn since(self, before: Self) -> Self {
        Self {
            overflows: self.overflows.saturating_sub(before.overflows),
            drops: self.drops.saturating_sub(before.drops),
            timeouts: self.timeouts.saturating_sub(before.timeouts),
        }
    }
}

impl Report {
    /// Parses the output of `visit`. Fails on any other text, such as that of another version.
    pub fn parse(output: &str) -> anyhow::Result<Self> {
        serde_json::from_str(output).context("this is not the output of visit")
    }

    /// The number of expected answers: with a mix, answers with the expected status of their kind;
    /// otherwise `answered`.
    pub fn expected(&self) -> u64 {
        let of_kinds = self.kinds.as_ref().map(|kinds| kinds.iter().map(|kind| kind.expected).sum());
        of_kinds.unwrap_or(self.answered)
    }

    /// Right answers per second; `None` when no time has passed.
    pub fn per_second(&self) -> Option<f64> {
        per_second(self.answered, self.elapsed_seconds)
    }
}

/// The number of streams in a report without this field.
fn one() -> u32 {
    1
}

/// The protocol in a report without this field.
fn http1() -> String {
    Protocol::default().to_string()
}

/// A count as a floating-point number. Exact up to 2^53, which no run comes near.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub fn as_f64(count: u64) -> f64 {
    count as f64
}

/// Answers per second; `None` when no time has passed.
pub fn per_second(answered: u64, elapsed_seconds: f64) -> Option<f64> {
    (elapsed_seconds > 0.0).then(|| as_f64(answered) / elapsed_seconds)
}
