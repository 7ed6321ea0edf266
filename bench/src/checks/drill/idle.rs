//! Many connections that do nothing.

use anyhow::Context;

use super::client::{Client, check_answers};
use super::scene::{FIRST, resident, wait_until};
use super::{Drill, Scene};
use crate::servers::launch::Running;
use crate::text::numbers;

pub(super) const DRILL: Drill = Drill {
    name: "drill/idle",
    about: "10,000 idle connections: what one costs in memory, and whether others are answered meanwhile",
    run,
};

/// Connections in the full form, where the machine allows them.
const WANTED: usize = 10_000;

/// Of so many idle connections one asks for something in the end.
const ASKING: usize = 50;

fn run(scene: &Scene) -> anyhow::Result<String> {
    let count = scene.connections(500, WANTED);
    let mut running = scene.start(&[("idle-timeout", "600")])?;
    // One process may hand connections to another, and then both have them for a moment: this is counted at rest.
    let at_rest = running.descriptors()?;
    let _first = connect(scene, &running, FIRST, at_rest)?;
    let before = resident(&running)?;
    let mut clients = connect(scene, &running, count, at_rest + FIRST)?;
    let growth = resident(&running)?.saturating_sub(before);

    check_answers(running.address)?;
    for client in clients.iter_mut().step_by(ASKING) {
        client.ask("/at/last")?;
        client.expect("/at/last")?;
    }
    running.check_running()?;
    let each = numbers::whole(numbers::as_f64(growth / u64::try_from(count)?));
    Ok(if count < WANTED { format!("{each} B each of {count}") } else { format!("{each} B each") })
}

/// So many connections, which the server has all accepted, beside the descriptors that it had open.
fn connect(scene: &Scene, running: &Running, count: usize, open: usize) -> anyhow::Result<Vec<Client>> {
    let mut clients = Vec::with_capacity(count);
    for number in 0..count {
        scene.check_interrupted()?;
        let client = Client::connect_from(number, running.address);
        clients.push(client.with_context(|| format!("connection {} of {count}", number + 1))?);
    }
    let complaint = format!("it has not accepted all of {count} connections");
    wait_until(|| Ok(running.descriptors()? >= open + count), &complaint)?;
    Ok(clients)
}
