//! All kinds of trouble at once, beside clients that do nothing wrong.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail, ensure};

use super::load::{HABITS, Tally, Watch, load};
use super::scene::{check_recovered, resident};
use super::{Drill, Scene, trouble};
use crate::servers::launch::Running;
use crate::text::numbers;
use crate::text::numbers::as_f64;

pub(super) const DRILL: Drill = Drill {
    name: "drill/mixed",
    about: "a minute of all that at once, beside clients that do nothing wrong: each of their answers is right, and \
            memory and descriptors are as before",
    run,
};

/// Clients that make trouble.
const TROUBLEMAKERS: u64 = 4;

/// Rounds of trouble, each the same but for time. The first ones say how much memory the server needs for that, the last
/// one whether it stays at it.
const ROUNDS: u32 = 4;

/// What resident memory may be above its most after any earlier round: allocators and collectors keep now more, now less
/// of what was once in use. A leak of a kilobyte a connection is more than that in a round.
const MOST_GROWTH: u64 = 8 * 1024 * 1024;

fn run(scene: &Scene) -> anyhow::Result<String> {
    let mut running = scene.start(&[])?;
    let descriptors = running.descriptors()?;
    let mut answered = 0;
    let mut residents = Vec::new();
    for _ in 0..ROUNDS {
        answered += round(scene, &running, scene.pick(Duration::from_millis(700), Duration::from_secs(15)))?;
        check_recovered(&mut running, descriptors)?;
        residents.push(resident(&running)?);
    }
    let ended = running.kill()?;
    ensure!(!ended.complaint.contains("panicked"), "it panicked{}", ended.last_words());

    let last = residents.pop().unwrap_or_default();
    let before = residents.into_iter().max().unwrap_or_default();
    let sign = if last < before { "-" } else { "+" };
    let growth = format!("{sign}{} KiB", numbers::whole(as_f64(last.abs_diff(before) / 1024)));
    ensure!(last < before + MOST_GROWTH, "{growth} of memory in the last round");
    Ok(format!("{} right, {growth}", numbers::whole(as_f64(answered))))
}

/// Trouble beside load for so long; the number of right answers. An error when one is wrong, or does not come.
fn round(scene: &Scene, running: &Running, time: Duration) -> anyhow::Result<u64> {
    let address = running.address;
    let watch = &Watch::default();
    let mut all = Tally::default();
    std::thread::scope(|scope| {
        for seed in 0..TROUBLEMAKERS {
            scope.spawn(move || trouble::make(address, seed, watch));
        }
        let start = |(name, habit)| scope.spawn(move || load(name, address, habit, watch));
        let clients: Vec<_> = HABITS.into_iter().enumerate().map(start).collect();

        let began = Instant::now();
        // A client that has come to its end before the time is one that has failed.
        let all_run = || !clients.iter().any(std::thread::ScopedJoinHandle::is_finished);
        while began.elapsed() < time && all_run() && !scene.host.interrupted() {
            std::thread::sleep(Duration::from_millis(20));
        }
        watch.stop.store(true, Ordering::Relaxed);
        for client in clients {
            let (tally, end) = client.join().map_err(|_| anyhow!("a client died"))?;
            end.context("beside trouble")?;
            all += tally;
        }
        anyhow::Ok(())
    })?;
    scene.check_interrupted()?;
    match all.first_loss {
        Some(why) => bail!("{} of {} requests were not answered: {why}", all.sent - all.answered, all.sent),
        None => Ok(all.answered),
    }
}
