//! A shutdown while clients ask as fast as they can.

use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{anyhow, ensure};

use super::load::{HABITS, Tally, Watch, load};
use super::scene::wait_until;
use super::{Drill, Scene};
use crate::machine::host::Waited;
use crate::servers::launch::Running;
use crate::text::numbers;
use crate::text::numbers::as_f64;

pub(super) const DRILL: Drill = Drill {
    name: "drill/drain-under-load",
    about: "SIGTERM under load, of clients that keep their connections, close them, and pipeline: every request that \
            was sent is answered, and it ends with 0",
    run,
};

/// Answers after which all clients are under way.
const UNDER_WAY: u64 = 500;

/// The drain limit of the contract, and some more.
const END_BOUND: Duration = Duration::from_secs(15);

fn run(scene: &Scene) -> anyhow::Result<String> {
    let mut all = Tally::default();
    for _ in 0..scene.pick(3, 20) {
        scene.check_interrupted()?;
        all += trial(scene)?;
    }
    let figure = format!("{}/{}", numbers::whole(as_f64(all.answered)), numbers::whole(as_f64(all.sent)));
    match all.first_loss {
        Some(why) => Err(anyhow!("{figure} answered; {why}")),
        None => Ok(figure),
    }
}

/// One server's end. An error when that is not as it should be; what was lost stands in the count.
fn trial(scene: &Scene) -> anyhow::Result<Tally> {
    let mut running = scene.start(&[])?;
    let address = running.address;
    let watch = Watch::default();
    let mut all = Tally::default();
    let ended = std::thread::scope(|scope| {
        let watch = &watch;
        let start = |(name, habit)| scope.spawn(move || load(name, address, habit, watch));
        let clients: Vec<_> = HABITS.into_iter().enumerate().map(start).collect();
        let ended = end_under_load(&mut running, watch);
        watch.stop.store(true, Ordering::Relaxed);
        for client in clients {
            // That it got no more connections is the end that a client expects here.
            let (tally, _refused) = client.join().map_err(|_| anyhow!("a client died"))?;
            all += tally;
        }
        ended
    });
    ended?;
    let ended = running.kill()?;
    ensure!(ended.status.success(), "it ended with {}{}", ended.status, ended.last_words());
    Ok(all)
}

fn end_under_load(running: &mut Running, watch: &Watch) -> anyhow::Result<()> {
    let under_way = || Ok(watch.answered.load(Ordering::Relaxed) >= UNDER_WAY);
    wait_until(under_way, &format!("there were not even {UNDER_WAY} right answers"))?;
    running.terminate()?;
    ensure!(running.wait(END_BOUND) == Waited::Exited, "it runs {} s after SIGTERM", END_BOUND.as_secs());
    Ok(())
}
