//! Many idle connections.

use super::connection::Connection;
use super::context::{DrillContext, Drilled, FIRST, connect, resident, wait_until};
use super::definition::{Drill, OVER_ALL};
use crate::text::numbers;

pub(super) const DRILL: Drill = Drill {
    name: "idle",
    about: "10,000 idle connections: the server answers other ones meanwhile; the figure is memory per connection",
    protocols: OVER_ALL,
    run,
};

/// The number of connections in the full size, if the machine allows it.
const WANTED: usize = 10_000;

/// One in this number of idle connections sends a request in the end.
const ASKING: usize = 50;

fn run(context: &DrillContext) -> anyhow::Result<String> {
    let count = context.connections(500, WANTED);
    let mut running = context.start(&[("idle-timeout", "600")])?;
    // The server has to be at rest: a process that hands a connection to another also has it open
    // for a moment.
    let at_rest = running.process.descriptors()?;
    let _first = open(&running, FIRST, at_rest)?;
    context.check_interrupted()?;
    let before = resident(&running)?;
    let mut clients = open(&running, count, at_rest + FIRST)?;
    let growth = resident(&running)?.saturating_sub(before);

    running.endpoint.check_answers()?;
    for client in clients.iter_mut().step_by(ASKING) {
        client.ask("/at/last")?;
        client.expect("/at/last")?;
    }
    running.process.check_running()?;
    let each = numbers::whole(numbers::as_f64(growth / u64::try_from(count)?));
    Ok(if count < WANTED { format!("{each} B each of {count}") } else { format!("{each} B each") })
}

/// Opens `count` connections, and waits until the server, which had `before` descriptors, has
/// accepted all of them.
fn open(running: &Drilled, count: usize, before: usize) -> anyhow::Result<Vec<Connection>> {
    let clients = connect(running, count)?;
    let complaint = format!("the server has not accepted all of {count} connections");
    wait_until(|| Ok(running.process.descriptors()? >= before + count), &complaint)?;
    Ok(clients)
}
