//! The report of a run and the lines of its slices, from what all threads counted.

use std::time::{Duration, Instant};

use super::mode::Mode;
use super::output::{Load, Queue, Rate, Ready, Report, Slice, VERSION, as_f64, per_second};
use super::plan::{Amount, Plan};
use super::tally::Tally;

/// The share of the rate that has to be achieved for it to count as held.
const HELD_SHARE: f64 = 0.99;

/// The lag that 99 % of the requests have to stay below for the rate to count as held.
const HELD_LAG: Duration = Duration::from_millis(1);

/// A run, of one slice or of several.
pub(super) struct Measured {
    pub(super) warm_up: Duration,
    pub(super) amount: Amount,
    /// All measured slices; `open` is the number of connections when the run began.
    pub(super) tally: Tally,
    pub(super) ending: Ending,
}

/// Why a run ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Complete,
    Interrupted,
    /// A command was wrong, for this reason.
    WrongCommand(String),
}

pub(super) fn report(plan: &Plan, measured: &Measured, queue: Option<Queue>) -> Report {
    let tally = &measured.tally;
    let elapsed_seconds = tally.elapsed.as_secs_f64();
    let answered = tally.answers();
    Report {
        version: VERSION.into(),
        load: load(plan, measured),
        connections_open: open(plan, tally.open),
        elapsed_seconds,
        sent: tally.sent,
        answered,
        statuses: tally.statuses.clone(),
        errors: tally.errors,
        queue,
        mismatch: tally.mismatch.clone(),
        interrupted: measured.ending == Ending::Interrupted,
        bytes_read: tally.bytes_read,
        bytes_written: tally.bytes_written,
        latency: tally.latency.report(),
        connect: tally.connect.report(),
        schedule_lag: tally.lag.report(),
        rate: plan.rate.map(|target| rate(target, answered, elapsed_seconds, tally)),
        cpu_seconds: tally.cpu.as_secs_f64(),
    }
}

pub(super) fn ready(plan: &Plan, connections: u64) -> Ready {
    Ready { version: VERSION.into(), connections_open: open(plan, connections) }
}

pub(super) fn slice(plan: &Plan, tally: &Tally) -> Slice {
    Slice {
        elapsed_seconds: tally.elapsed.as_secs_f64(),
        sent: tally.sent,
        answered: tally.answers(),
        statuses: tally.statuses.clone(),
        errors: tally.errors,
        mismatch: tally.mismatch.clone(),
        connections_open: open(plan, tally.open),
        mean_seconds: tally.latency.mean_seconds(),
        cpu_seconds: tally.cpu.as_secs_f64(),
    }
}

fn open(plan: &Plan, connections: u64) -> Option<u64> {
    (plan.mode != Mode::Close).then_some(connections)
}

fn load(plan: &Plan, measured: &Measured) -> Load {
    let (requests, seconds) = match measured.amount {
        Amount::Requests(requests) => (Some(requests), None),
        Amount::Time(time) => (None, Some(time.as_secs_f64())),
    };
    Load {
        url: plan.url.clone(),
        paths: plan.requests.targets.iter().map(|target| target.path.clone()).collect(),
        mode: plan.mode.to_string(),
        connections: plan.connections,
        threads: plan.threads,
        rate_per_second: plan.rate,
        requests,
        seconds,
        warm_up_seconds: measured.warm_up.as_secs_f64(),
        timeout_seconds: plan.timeout.as_secs_f64(),
    }
}

/// The time by which answers are divided: to the last measured answer or the end of sending.
pub(super) fn elapsed(amount: Amount, rate: Option<f64>, start: Instant, tally: &Tally) -> Duration {
    let sent_until = match (tally.stopped, amount, rate) {
        (Some(stopped), ..) => Some(stopped),
        (None, Amount::Time(time), _) => Some(start + time),
        (None, Amount::Requests(requests), Some(rate)) => {
            Some(start + Duration::from_secs_f64(as_f64(requests) / rate))
        }
        (None, Amount::Requests(_), None) => tally.last_outcome,
    };
    sent_until.max(tally.last_answer).unwrap_or(start).saturating_duration_since(start)
}

fn rate(target: f64, answered: u64, elapsed_seconds: f64, tally: &Tally) -> Rate {
    let achieved = per_second(answered, elapsed_seconds);
    let on_time = tally.lag.p99().is_some_and(|lag| lag < HELD_LAG);
    let held = on_time && achieved.is_some_and(|achieved| achieved >= target * HELD_SHARE);
    Rate { target_per_second: target, achieved_per_second: achieved, held, waited: tally.waited }
}
