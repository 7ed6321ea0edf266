//! Clients that pipeline requests without end and read no answer.

use std::time::Duration;

use anyhow::{Context, bail, ensure};

use super::client::check_answers;
use super::deaf::{self, Deaf};
use super::scene::{FIRST, check_quiet, check_recovered, resident};
use super::{Drill, Scene};
use crate::servers::launch::Running;

pub(super) const DRILL: Drill = Drill {
    name: "drill/never-read",
    about: "400 clients that ask without end and read nothing: less than 64 KiB each, others answered, the processor \
            quiet, and dropped in their time",
    run,
};

/// What a client that reads nothing may cost the server, beside the kernel's buffers: a head, a piece of a body, and
/// some answers.
const MOST_EACH: u64 = 64 * 1024;

fn run(scene: &Scene) -> anyhow::Result<String> {
    let figure = weigh(scene, scene.connections(300, 400))?;
    if scene.server.honours("write-timeout") {
        check_dropped(scene)?;
    }
    Ok(figure)
}

/// What each of `count` clients costs beside those that are there already. They are several times the threads of a pool,
/// not all of which have had the first clients, and a large buffer for them.
fn weigh(scene: &Scene, count: usize) -> anyhow::Result<String> {
    let running = scene.start(&[])?;
    let first = fill(&running, FIRST)?;
    let before = resident(&running)?;
    let more = fill(&running, count)?;
    let each = resident(&running)?.saturating_sub(before) / u64::try_from(count)?;
    let figure = format!("{} KiB each", each / 1024);
    ensure!(each < MOST_EACH, "{figure}");
    scene.check_interrupted()?;
    check_answers(running.address)?;
    check_quiet(&running, scene.pick(Duration::from_millis(500), Duration::from_secs(2)))?;
    drop((first, more));
    Ok(figure)
}

/// So many clients of whom the server takes no more; an error when there is no end to what it takes.
fn fill(running: &Running, count: usize) -> anyhow::Result<Vec<Deaf>> {
    let before = resident(running)?;
    let clients = deaf::fill(running.address, count)?;
    let endless = clients.iter().filter(|client| client.has_no_end()).count();
    if endless > 0 {
        let each = resident(running)?.saturating_sub(before) / u64::try_from(count)?;
        bail!(
            "it takes requests without end: {endless} of {count} clients have sent {} KiB, which cost {} KiB each",
            deaf::MOST / 1024,
            each / 1024
        );
    }
    Ok(clients)
}

fn check_dropped(scene: &Scene) -> anyhow::Result<()> {
    let timeout = scene.pick("1", "2");
    let mut running = scene.start(&[("write-timeout", timeout)])?;
    let before = running.descriptors()?;
    let _clients: Vec<Deaf> = deaf::fill(running.address, 10)?;
    check_recovered(&mut running, before)
        .with_context(|| format!("with --write-timeout {timeout}, beside clients that never read"))
}
