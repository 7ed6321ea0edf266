//! A shutdown while clients send requests as fast as they can.

use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::anyhow;

use super::context::{DrillContext, Drilled, terminate, wait_until};
use super::definition::{Drill, OVER_ALL};
use super::load::{CLIENT_MODES, LoadCount, LoadState, load};
use crate::text::numbers::{self, as_f64};

pub(super) const DRILL: Drill = Drill {
    name: "drain-under-load",
    about: "SIGTERM under load, from clients that keep their connections, close them, and ask several times at once: \
            the server answers every request that was sent, and exits with 0",
    protocols: OVER_ALL,
    run,
};

/// Answers after which all clients are running.
const UNDER_WAY: u64 = 500;

/// The drain limit of the process contract, and time for the scheduler.
const END_BOUND: Duration = Duration::from_secs(15);

fn run(context: &DrillContext) -> anyhow::Result<String> {
    let mut all = LoadCount::default();
    for _ in 0..context.pick(3, 20) {
        context.check_interrupted()?;
        all += trial(context)?;
    }
    let figure = format!("{}/{}", numbers::whole(as_f64(all.answered)), numbers::whole(as_f64(all.sent)));
    match all.first_loss {
        Some(why) => Err(anyhow!("{figure} answered; {why}")),
        None => Ok(figure),
    }
}

/// Runs one shutdown. Fails when the server does not end as it should; lost requests are in the
/// count.
fn trial(context: &DrillContext) -> anyhow::Result<LoadCount> {
    let running = context.start(&[])?;
    let endpoint = running.endpoint;
    let state = LoadState::default();
    let mut all = LoadCount::default();
    let ended = std::thread::scope(|scope| {
        let state = &state;
        let start = |(name, mode)| scope.spawn(move || load(name, endpoint, mode, state));
        let clients: Vec<_> = CLIENT_MODES.into_iter().enumerate().map(start).collect();
        let ended = end_under_load(running, state);
        state.stop.store(true, Ordering::Relaxed);
        for client in clients {
            // The client ends when the server refuses connections, as it should here.
            let (count, _refused) = client.join().map_err(|_| anyhow!("a client panicked"))?;
            all += count;
        }
        ended
    });
    ended?;
    Ok(all)
}

fn end_under_load(running: Drilled, state: &LoadState) -> anyhow::Result<Duration> {
    let are_running = || Ok(state.answered.load(Ordering::Relaxed) >= UNDER_WAY);
    wait_until(are_running, &format!("the server did not give {UNDER_WAY} right answers"))?;
    terminate(running, END_BOUND)
}
