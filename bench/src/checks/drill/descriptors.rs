//! A server without free descriptors, and one at its limit of connections.

use std::time::Duration;

use anyhow::{Context, ensure};

use super::connection::Connection;
use super::context::{DrillContext, Drilled, check_quiet, check_recovered, connect, wait_until};
use super::definition::{Drill, OVER_ALL};

pub(super) const DRILL: Drill = Drill {
    name: "descriptors",
    about: "more connections than descriptors, or than --max-connections: the server does not spin, answers open \
            connections, and answers waiting ones once there is room",
    protocols: OVER_ALL,
    run,
};

/// Connections that each of the server's processes has room for.
const ROOM: usize = 20;

/// Connections that are certainly accepted, whatever other descriptors the server opens.
const CERTAIN: usize = 10;

const BEYOND: usize = 20;

fn run(context: &DrillContext) -> anyhow::Result<String> {
    let mut running = context.start(&[])?;
    let before = running.process.descriptors()?;
    let processes = running.process.limit_descriptors(ROOM)?;
    let share = exhaust(context, &running, CERTAIN, ROOM * processes).context("out of descriptors")?;
    check_recovered(&mut running, before)?;

    if context.server.honours("max-connections") {
        let mut running = context.start(&[("max-connections", &ROOM.to_string())])?;
        let before = running.process.descriptors()?;
        exhaust(context, &running, ROOM, ROOM).context("over --max-connections")?;
        check_recovered(&mut running, before)?;
    }
    Ok(format!("{:.1} % CPU", share * 100.0))
}

/// Opens `open` connections, which the server answers, and then more than it has `room` for.
/// Returns the share of a core that the server uses meanwhile.
fn exhaust(context: &DrillContext, running: &Drilled, open: usize, room: usize) -> anyhow::Result<f64> {
    let mut clients = connect(running, open)?;
    for client in &mut clients {
        client.ask("/open")?;
        client.expect("/open").context("a first answer")?;
    }
    // The server may not accept these connections yet, so the client does not wait for a handshake.
    let start = |number| running.endpoint.start_from(number);
    let mut waiting = (0..room + BEYOND - open).map(start).collect::<anyhow::Result<Vec<Connection>>>()?;
    for client in &mut waiting {
        client.ask("/in/time")?;
    }
    let share = check_quiet(running, context.pick(Duration::from_millis(500), Duration::from_secs(2)))?;
    context.check_interrupted()?;
    let served = waiting.iter().filter(|client| client.is_readable()).count();
    let free = room - open;
    ensure!(served <= free, "{served} waiting connections were answered or closed, with room for {free}");
    for client in &mut clients {
        client.ask("/still/open")?;
        client.expect("/still/open").context("an open connection")?;
    }
    drop(clients);
    // Each connection that closes makes room for another one, in any order.
    let all_answered = || {
        for mut client in waiting.extract_if(.., |client| client.is_readable()) {
            client.expect("/in/time").context("a waiting connection")?;
        }
        Ok(waiting.is_empty())
    };
    wait_until(all_answered, "some waiting connections were not answered")?;
    running.endpoint.check_answers().context("after all have closed")?;
    Ok(share)
}
