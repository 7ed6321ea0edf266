//! What the load tool `visit` prints: one JSON object on standard output, as types. With `--control` a
//! line for each slice comes before it. The reports of several processes that made one load together
//! are added up by [`Report::merge`].
//!
//! Another program runs `visit`, reads its standard output with [`Report::parse`] and gets the
//! figures of the run. Units are seconds, bytes and counts. What is unknown is `null`, never 0.
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

/// What `visit --version` prints, and what [`Report::version`] holds: the version, and a digest of the
/// sources. A program that was built with this crate runs a `visit` that understands it only where both
/// have the same.
pub const VERSION: &str = concat!("visit ", env!("CARGO_PKG_VERSION"), " (", env!("VISIT_SOURCES"), ")");

/// [`VERSION`] without the name of the program.
pub const BUILD: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("VISIT_SOURCES"), ")");

/// The result of one run.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// [`VERSION`].
    pub version: String,
    /// The load that was asked for: all of it, also where this process made a share.
    pub load: Load,
    /// The share of the load that this process made, as `2/5`: the counts are those of this share.
    /// `null` when it made all of it.
    #[serde(default)]
    pub share: Option<Share>,
    /// What `CLOCK_MONOTONIC` of the machine had when the measured time began, after the warm-up;
    /// with `--control` that of the first `run`. `null` when it did not begin.
    #[serde(default)]
    pub began_nanoseconds: Option<u64>,
    /// How much later than the instant of `--start-at` the load began: the thread that was last.
    /// `null` without such an instant, or when the load did not begin.
    #[serde(default)]
    pub late_seconds: Option<f64>,
    /// Connections that were open when the clock started; `null` in modes close and
    /// close-after-N, which open them as needed.
    pub connections_open: Option<u64>,
    /// From the start of the measured time to its end or to the last answer, whichever is later.
    /// Of a number of requests in a closed loop: to the last answer or error.
    pub elapsed_seconds: f64,
    /// Each is counted in `statuses` or, from `reset` to `wrong` and in `cut_off`, in `errors`.
    pub sent: u64,
    /// Right answers with a 2xx status.
    pub answered: u64,
    /// Whole answers by status, 2xx among them.
    pub statuses: BTreeMap<u16, u64>,
    /// Requests and connections that failed, by kind.
    pub errors: Errors,
    /// Queues of connections that were full meanwhile; `null` where the kernel does not say.
    #[serde(default)]
    pub queue: Option<Queue>,
    /// The first wrong answer, also in the warm-up: the run is invalid. `null` without one.
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
    /// The time of a handshake of TLS, which follows the connect; `null` without TLS.
    #[serde(default)]
    pub handshake: Option<TimesReport>,
    /// Why the first handshake that failed did so, also before the clock started. `null` where none
    /// failed.
    #[serde(default)]
    pub handshake_failure: Option<String>,
    /// What the handshakes agreed on, and their number; `null` without TLS, or where none succeeded.
    #[serde(default)]
    pub tls: Option<Tls>,
    /// What servers did to connections and streams of HTTP/2; `null` without it.
    #[serde(default)]
    pub http2: Option<Http2>,
    /// Open loop: from the time at which a request was due to its write, or its connect.
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

/// The load of a run, as it was understood from the arguments. All but `threads` is of the whole
/// load where a process made a share of it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// The URL as it was given.
    pub url: String,
    /// The paths in their order, that of the URL first.
    pub paths: Vec<String>,
    /// What was spoken: `http/1.1`, `https`, `h2` or `h2c`.
    #[serde(default = "http1")]
    pub protocol: String,
    /// The most streams per connection, which the server may have lowered; 1 without HTTP/2.
    #[serde(default = "one")]
    pub streams: u32,
    /// Fields that every request had besides those that `visit` sets, as `Name: value`.
    #[serde(default)]
    pub headers: Vec<String>,
    /// Kinds of requests besides the plain one, as `--mix` has them.
    #[serde(default)]
    pub mix: Vec<String>,
    /// `keep-alive`, `close`, `close-after-N` or `pipelined-N`.
    pub mode: String,
    /// Connections.
    pub connections: u32,
    /// Threads of this process.
    pub threads: u32,
    /// Arrivals per second; `null` in a closed loop.
    pub rate_per_second: Option<f64>,
    /// How arrivals are spaced, `even` or `poisson`; `null` in a closed loop.
    #[serde(default)]
    pub arrivals: Option<String>,
    /// The seed from which the times of the arrivals follow; `null` where they are evenly spaced.
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

/// What the kernel counted during the run, of all connections of this machine, or of its container.
/// Where the server is on another machine these are not its queues.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// Connections that found the queue of their listener full.
    pub overflows: u64,
    /// Connections that a listener dropped, for this or another reason.
    pub drops: u64,
    /// Times at which something was sent again, since nothing had come back.
    pub timeouts: u64,
}

impl Queue {
    /// What has been counted since `before`.
    pub fn since(self, before: Self) -> Self {
        Self {
            overflows: self.overflows.saturating_sub(before.overflows),
            drops: self.drops.saturating_sub(before.drops),
            timeouts: self.timeouts.saturating_sub(before.timeouts),
        }
    }
}

impl Report {
    /// Reads what `visit` has printed. Fails on other output, such as of another version.
    pub fn parse(output: &str) -> anyhow::Result<Self> {
        serde_json::from_str(output).context("this is not the output of visit")
    }

    /// Answers as they are expected: with a mix those of the status that is expected of their kind,
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

/// The number of streams where a report does not say it.
fn one() -> u32 {
    1
}

/// What was spoken where a report does not say it.
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
