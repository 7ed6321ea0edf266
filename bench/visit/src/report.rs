//! What `visit` prints: one JSON object. Units are seconds, bytes and counts. What is not known is `null`, never 0.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::arguments::Arguments;
use super::plan::{Amount, Mode, Plan};
use super::tally::{Errors, Tally};
use super::times::TimesReport;

/// The share of the rate that has to be answered for it to count as held.
const HELD_SHARE: f64 = 0.99;

/// How late 99 % of the requests may be begun for the rate to count as held.
const HELD_LAG: Duration = Duration::from_millis(1);

/// What came of one run.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// `visit` and its version.
    pub version: String,
    /// What was asked.
    pub asked: Asked,
    /// Connections that were open when the clock started; `null` in mode close, which opens them as it goes.
    pub connections_open: Option<u64>,
    /// From the start of the measured time to its end or to the last answer, whichever is later. When it goes by count
    /// in a closed loop, to the last answer or error.
    pub elapsed_seconds: f64,
    /// Requests that were sent. Each of them is in `statuses` or, from `reset` to `wrong` and in `cut_off`, in `errors`.
    pub sent: u64,
    /// Right answers with a 2xx status.
    pub answered: u64,
    /// Whole answers by status, 2xx among them.
    pub statuses: BTreeMap<u16, u64>,
    /// What came of everything else.
    pub errors: Errors,
    /// The first answer that was wrong, also of the warm-up: the run is invalid. `null` when all were right.
    pub mismatch: Option<String>,
    /// Whether somebody ended the run before its time.
    pub interrupted: bool,
    /// Bytes of answers, their heads included.
    pub bytes_read: u64,
    /// Bytes of requests.
    pub bytes_written: u64,
    /// How long whole answers took, whatever their status. Closed loop: from the sending of the request, or of its batch,
    /// to the last byte of its answer. Open loop: from the time at which the request was due.
    pub latency: Option<TimesReport>,
    /// How long connections took to open, also those that were opened before the clock started.
    pub connect: Option<TimesReport>,
    /// Open loop: from when a request was due to when it was begun, with the write or, in mode close, with the connect.
    pub schedule_lag: Option<TimesReport>,
    /// Open loop: what became of the rate.
    pub rate: Option<Rate>,
    /// CPU time of the threads that asked, in user code and in the kernel, in the measured time.
    pub cpu_seconds: f64,
}

/// What a run was asked to do.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The URL as it was given.
    pub url: String,
    /// The paths in their order, that of the URL first.
    pub paths: Vec<String>,
    /// `keep-alive`, `close` or `pipelined-N`.
    pub mode: String,
    /// Connections.
    pub connections: u32,
    /// Threads.
    pub threads: u32,
    /// Arrivals a second; `null` in a closed loop.
    pub rate_per_second: Option<f64>,
    /// Requests; `null` when it goes by time.
    pub requests: Option<u64>,
    /// Time; `null` when it goes by count.
    pub seconds: Option<f64>,
    /// Time before that which does not count.
    pub warm_up_seconds: f64,
    /// Time after which a request is given up.
    pub timeout_seconds: f64,
}

/// What became of the rate of an open loop.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Arrivals a second.
    pub asked_per_second: f64,
    /// Right answers a second; `null` when no time has passed.
    pub achieved_per_second: Option<f64>,
    /// Whether at least 99 % of the rate was achieved and 99 % of the requests were begun within 1 ms. If not, this is
    /// not what the server does under that rate: it could not keep up, or `visit` could not.
    pub held: bool,
    /// Arrivals that found every connection busy. When the rate was not held and these are few, `visit` was at fault.
    pub waited: u64,
}

impl Report {
    /// The figures of a run that began to send at `began`.
    pub(super) fn new(arguments: &Arguments, plan: &Plan, began: Instant, tally: &Tally) -> Self {
        let elapsed_seconds = elapsed(plan, began + plan.warm_up, tally).as_secs_f64();
        let statuses = tally.statuses();
        let answered = statuses.range(200..300).map(|(_, count)| count).sum();
        let rate = plan.rate.map(|asked| rate(asked, answered, elapsed_seconds, tally));
        Self {
            version: version(),
            asked: Asked::new(arguments, plan),
            connections_open: (plan.mode != Mode::Close).then_some(tally.opened),
            elapsed_seconds,
            sent: tally.sent,
            answered,
            statuses,
            errors: tally.errors,
            mismatch: tally.mismatch.clone(),
            interrupted: tally.stopped.is_some(),
            bytes_read: tally.bytes_read,
            bytes_written: tally.bytes_written,
            latency: tally.latency.report(),
            connect: tally.connect.report(),
            schedule_lag: tally.lag.report(),
            rate,
            cpu_seconds: tally.cpu.as_secs_f64(),
        }
    }

    /// Reads what `visit` has printed.
    pub fn parse(output: &str) -> anyhow::Result<Self> {
        serde_json::from_str(output).context("this is not what visit prints")
    }

    /// Right answers a second; `None` when no time has passed.
    pub fn per_second(&self) -> Option<f64> {
        per_second(self.answered, self.elapsed_seconds)
    }
}

impl Asked {
    fn new(arguments: &Arguments, plan: &Plan) -> Self {
        let (requests, seconds) = match plan.amount {
            Amount::Requests(requests) => (Some(requests), None),
            Amount::Time(time) => (None, Some(time.as_secs_f64())),
        };
        Self {
            url: arguments.url.clone(),
            paths: plan.script.targets().iter().map(|target| target.path.clone()).collect(),
            mode: plan.mode.to_string(),
            connections: plan.connections,
            threads: plan.threads,
            rate_per_second: plan.rate,
            requests,
            seconds,
            warm_up_seconds: plan.warm_up.as_secs_f64(),
            timeout_seconds: plan.timeout.as_secs_f64(),
        }
    }
}

/// What `visit --version` prints.
pub fn version() -> String {
    format!("visit {}", env!("CARGO_PKG_VERSION"))
}

/// The time that answers are divided by. It ends with the last answer that is counted, or when the time to ask was over.
fn elapsed(plan: &Plan, start: Instant, tally: &Tally) -> Duration {
    let asked_until = match (tally.stopped, plan.amount, plan.rate) {
        (Some(stopped), ..) => Some(stopped),
        (None, Amount::Time(time), _) => Some(start + time),
        (None, Amount::Requests(requests), Some(rate)) => {
            Some(start + Duration::from_secs_f64(crate::numbers::as_f64(requests) / rate))
        }
        (None, Amount::Requests(_), None) => tally.last_outcome,
    };
    asked_until.max(tally.last_answer).unwrap_or(start).saturating_duration_since(start)
}

fn rate(asked: f64, answered: u64, elapsed_seconds: f64, tally: &Tally) -> Rate {
    let achieved = per_second(answered, elapsed_seconds);
    let was_on_time = tally.lag.p99().is_some_and(|lag| lag < HELD_LAG);
    let held = was_on_time && achieved.is_some_and(|achieved| achieved >= asked * HELD_SHARE);
    Rate { asked_per_second: asked, achieved_per_second: achieved, held, waited: tally.waited }
}

fn per_second(answered: u64, elapsed_seconds: f64) -> Option<f64> {
    (elapsed_seconds > 0.0).then(|| crate::numbers::as_f64(answered) / elapsed_seconds)
}
