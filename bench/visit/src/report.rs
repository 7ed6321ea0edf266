//! Builds the report of a run, and the lines of its slices, from the counts of all threads.

use std::time::{Duration, Instant};

use visit_output::{Arrived, Load, Queue, Rate, Ready, Report, Slice, TimesReport, VERSION, as_f64};

use super::amount::Amount;
use super::clock::Clock;
use super::details::Details;
use super::kind::RequestKind;
use super::plan::Plan;
use super::schedule::due_per_second;
use super::tally::Tally;

/// The result of a run with one slice or several.
pub(super) struct Measured {
    pub(super) warm_up: Duration,
    pub(super) amount: Amount,
    /// The counts of all measured slices; `open` is the number of connections when the run began.
    pub(super) tally: Tally,
    pub(super) ending: Ending,
}

/// The reason why a run ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Complete,
    Interrupted,
    /// A command was wrong, for this reason.
    WrongCommand(String),
}

/// Builds the report. Fails when the clock cannot be read, or counts cannot be added up.
pub(super) fn report(plan: &Plan, measured: &Measured, queue: Option<Queue>) -> anyhow::Result<Report> {
    let tally = &measured.tally;
    let clock = Clock::read()?;
    let schedule_lag = tally.lag.report();
    // A run that was interrupted before it began has no details.
    let nothing = if tally.details.is_none() { Details::new(plan) } else { None };
    let details = tally.details.as_ref().or(nothing.as_ref());
    Ok(Report {
        version: VERSION.into(),
        load: load(plan, measured),
        share: plan.share,
        began_nanoseconds: tally.began.map(|began| clock.nanoseconds(began)),
        late_seconds: tally.late.map(|late| late.as_secs_f64()),
        connections_open: open(plan, tally.open),
        elapsed_seconds: tally.elapsed.as_secs_f64(),
        sent: tally.sent,
        answered: tally.answers(),
        statuses: tally.statuses.clone(),
        errors: tally.errors,
        queue,
        mismatch: tally.mismatch.clone(),
        interrupted: measured.ending == Ending::Interrupted,
        bytes_read: tally.bytes_read,
        bytes_written: tally.bytes_written,
        latency: tally.latency.report(),
        connect: tally.connect.report(),
        handshake: tally.handshake.report(),
        handshake_failure: tally.handshake_failure.clone(),
        tls: tally.tls.clone(),
        http2: plan.http2.as_ref().map(|_| tally.http2),
        rate: plan.rate.map(|whole| rate(plan, whole, measured, schedule_lag.as_ref())),
        schedule_lag,
        cpu_seconds: tally.cpu.as_secs_f64(),
        kinds: details.and_then(|details| details.kinds(plan)),
        series: details.map(|details| details.series(tally.elapsed)).transpose()?.flatten(),
    })
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
    plan.close_after.is_none().then_some(connections)
}

fn load(plan: &Plan, measured: &Measured) -> Load {
    let (requests, seconds) = match measured.amount {
        Amount::Requests(requests) => (Some(requests), None),
        Amount::Time(time) => (None, Some(time.as_secs_f64())),
    };
    Load {
        url: plan.url.clone(),
        paths: plan.requests.paths().map(str::to_owned).collect(),
        protocol: plan.protocol().to_string(),
        streams: plan.http2.as_ref().map_or(1, |asks| asks.streams),
        headers: plan.headers.clone(),
        mix: plan.mix.iter().flat_map(|mix| &mix.kinds).map(RequestKind::to_string).collect(),
        mode: plan.mode.to_string(),
        connections: plan.connections,
        threads: plan.threads,
        rate_per_second: plan.rate,
        arrivals: plan.rate.map(|_| plan.spacing().to_string()),
        seed: plan.poisson.map(|poisson| poisson.seed),
        requests,
        seconds,
        warm_up_seconds: measured.warm_up.as_secs_f64(),
        timeout_seconds: plan.timeout.as_secs_f64(),
        series_seconds: plan.series.map(|interval| interval.as_secs_f64()),
    }
}

/// The time by which the number of answers is divided: it ends with the last measured answer or the
/// end of sending, whichever is later.
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

/// The rate of this process; `whole` is the rate of the whole load.
fn rate(plan: &Plan, whole: f64, measured: &Measured, lag: Option<&TimesReport>) -> Rate {
    let Measured { warm_up, amount, tally, .. } = measured;
    let share = plan.process();
    let arrived = Arrived {
        due_per_second: due_per_second(*amount, whole, *warm_up, share),
        answered: tally.expected(),
        elapsed_seconds: tally.elapsed.as_secs_f64(),
        lag,
        waited: tally.waited,
    };
    Rate::new(whole / f64::from(share.count()), &arrived)
}
