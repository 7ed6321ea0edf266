//! Misbehaving clients of all kinds at once, beside well-behaved ones.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail, ensure};

use super::context::{DrillContext, Drilled, check_recovered, resident};
use super::definition::{Drill, OVER_ALL};
use super::load::{CLIENT_MODES, LoadCount, LoadState, load};
use super::misbehaving;
use crate::text::numbers::{self, as_f64};

pub(super) const DRILL: Drill = Drill {
    name: "mixed",
    about: "a minute of all misbehaving clients at once, beside well-behaved ones: these get right answers, and \
            memory and descriptors return to what they were",
    protocols: OVER_ALL,
    run,
};

const MISBEHAVING: u64 = 4;

/// The first rounds show how much memory the server needs, and the last whether it needs more.
const ROUNDS: u32 = 4;

/// The bytes by which resident memory may grow in the last round: allocators and garbage collectors
/// keep varying amounts. A leak of a kilobyte per connection is more than this.
const MAX_GROWTH: u64 = 8 * 1024 * 1024;

fn run(context: &DrillContext) -> anyhow::Result<String> {
    let mut running = context.start(&[])?;
    let descriptors = running.process.descriptors()?;
    let mut answered = 0;
    let mut residents = Vec::new();
    for _ in 0..ROUNDS {
        answered +=
            round(context, &running, context.pick(Duration::from_millis(700), Duration::from_secs(15)))?;
        check_recovered(&mut running, descriptors)?;
        residents.push(resident(&running)?);
    }
    let ended = running.process.kill()?;
    ensure!(!ended.complaint.contains("panicked"), "the server panicked{}", ended.last_words());

    let last = residents.pop().unwrap_or_default();
    let before = residents.into_iter().max().unwrap_or_default();
    let sign = if last < before { "-" } else { "+" };
    let growth = format!("{sign}{} KiB", numbers::whole(as_f64(last.abs_diff(before) / 1024)));
    ensure!(last < before + MAX_GROWTH, "{growth} of memory in the last round");
    Ok(format!("{} right, {growth}", numbers::whole(as_f64(answered))))
}

/// Runs misbehaving clients beside well-behaved ones. Returns the number of right answers. Fails on
/// a wrong or missing answer.
fn round(context: &DrillContext, running: &Drilled, time: Duration) -> anyhow::Result<u64> {
    let endpoint = running.endpoint;
    let state = &LoadState::default();
    let mut all = LoadCount::default();
    std::thread::scope(|scope| {
        for seed in 0..MISBEHAVING {
            scope.spawn(move || misbehaving::run(endpoint, seed, state));
        }
        let start = |(name, mode)| scope.spawn(move || load(name, endpoint, mode, state));
        let clients: Vec<_> = CLIENT_MODES.into_iter().enumerate().map(start).collect();

        let began = Instant::now();
        // A client that ends early has failed.
        let all_run = || !clients.iter().any(std::thread::ScopedJoinHandle::is_finished);
        while began.elapsed() < time && all_run() && !context.host.interrupted() {
            std::thread::sleep(Duration::from_millis(20));
        }
        state.stop.store(true, Ordering::Relaxed);
        for client in clients {
            let (count, end) = client.join().map_err(|_| anyhow!("a client panicked"))?;
            end.context("beside misbehaving clients")?;
            all += count;
        }
        anyhow::Ok(())
    })?;
    context.check_interrupted()?;
    match all.first_loss {
        Some(why) => bail!("{} of {} requests were not answered: {why}", all.sent - all.answered, all.sent),
        None => Ok(all.answered),
    }
}
