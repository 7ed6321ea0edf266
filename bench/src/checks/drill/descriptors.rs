//! A server that has no more descriptors, or as many connections as it may have.

use std::time::Duration;

use anyhow::{Context, ensure};

use super::client::{Client, check_answers};
use super::scene::{check_quiet, check_recovered, wait_until};
use super::{Drill, Scene};
use crate::servers::launch::Running;

pub(super) const DRILL: Drill = Drill {
    name: "drill/descriptors",
    about: "more connections than descriptors, or than --max-connections: the processor is quiet, open connections \
            are answered, waiting ones once there is room",
    run,
};

/// Connections that the server has room for; of several processes, each.
const ROOM: usize = 20;

/// Of those, as many as are certain to be taken when it is out of descriptors, whatever else it opens.
const CERTAIN: usize = 10;

/// Connections that are opened beyond that.
const BEYOND: usize = 20;

fn run(scene: &Scene) -> anyhow::Result<String> {
    let mut running = scene.start(&[])?;
    let before = running.descriptors()?;
    let processes = running.limit_descriptors(ROOM)?;
    let share = exhaust(scene, &running, CERTAIN, ROOM * processes).context("out of descriptors")?;
    check_recovered(&mut running, before)?;

    if scene.server.honours("max-connections") {
        let mut running = scene.start(&[("max-connections", &ROOM.to_string())])?;
        let before = running.descriptors()?;
        exhaust(scene, &running, ROOM, ROOM).context("over --max-connections")?;
        check_recovered(&mut running, before)?;
    }
    Ok(format!("{:.1} % CPU", share * 100.0))
}

/// Opens `open` connections and has them answered, and then more than there is `room` for. The share of a core that the
/// server uses meanwhile.
fn exhaust(scene: &Scene, running: &Running, open: usize, room: usize) -> anyhow::Result<f64> {
    let mut clients = connect(running, open)?;
    for client in &mut clients {
        client.ask("/open")?;
        client.expect("/open").context("a first answer")?;
    }
    let mut waiting = connect(running, room + BEYOND - open)?;
    for client in &mut waiting {
        client.ask("/in/time")?;
    }
    let share = check_quiet(running, scene.pick(Duration::from_millis(500), Duration::from_secs(2)))?;
    scene.check_interrupted()?;
    let served = waiting.iter().filter(|client| client.has_news()).count();
    ensure!(served <= room - open, "{served} more were answered or closed, with room for {}", room - open);
    for client in &mut clients {
        client.ask("/still/open")?;
        client.expect("/still/open").context("a connection that was open")?;
    }
    drop(clients);
    // Each that is served and goes makes room for another, in whatever order the server takes them.
    let complaint = "connections that had waited were not all answered";
    wait_until(
        || {
            for mut client in waiting.extract_if(.., |client| client.has_news()) {
                client.expect("/in/time").context("a connection that had waited")?;
            }
            Ok(waiting.is_empty())
        },
        complaint,
    )?;
    check_answers(running.address).context("when all have gone")?;
    Ok(share)
}

fn connect(running: &Running, count: usize) -> anyhow::Result<Vec<Client>> {
    let connect = |number| {
        let client = Client::connect(running.address);
        client.with_context(|| format!("connection {} of {count}", number + 1))
    };
    (0..count).map(connect).collect()
}
