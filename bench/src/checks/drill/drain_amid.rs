//! A shutdown while request bodies arrive, the rest of which the clients send later.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::connection::Connection;
use super::context::{DrillContext, await_end, connect};
use super::definition::{Drill, OVER_ALL};

pub(super) const DRILL: Drill = Drill {
    name: "drain-amid",
    about: "SIGTERM while bodies of requests arrive: the rest of each comes a second later, and the server answers \
            all and exits with 0",
    protocols: OVER_ALL,
    run,
};

/// The number of requests under way. Their connections fit into every server's accept queue.
const REQUESTS: usize = 4;

/// The time from SIGTERM to the rest of the bodies: longer than a server waits for idle
/// connections, and well within the drain limit of the process contract.
const LATER: Duration = Duration::from_secs(1);

/// The drain limit of the process contract, and time for the scheduler.
const END_BOUND: Duration = Duration::from_secs(15);

fn run(context: &DrillContext) -> anyhow::Result<String> {
    let running = context.start(&[])?;
    let mut clients = connect(&running, REQUESTS)?;
    for client in &mut clients {
        client.start_body()?;
    }
    // Time for the server to read what was sent.
    wait(&mut clients, LATER / 4)?;
    running.process.terminate()?;
    wait(&mut clients, LATER)?;
    let unanswered: Vec<String> = clients
        .iter_mut()
        .filter_map(|client| finish(client).err())
        .map(|error| format!("{error:#}"))
        .collect();
    if let Some(first) = unanswered.first() {
        bail!("{} of {REQUESTS} requests were not answered: {first}", unanswered.len());
    }
    drop(clients);
    await_end(running, END_BOUND)?;
    Ok(format!("{REQUESTS}/{REQUESTS}"))
}

/// Waits, and reads meanwhile: an HTTP/2 server may send PING to check that the client is alive.
fn wait(clients: &mut [Connection], time: Duration) -> anyhow::Result<()> {
    let began = Instant::now();
    while began.elapsed() < time {
        clients.iter_mut().try_for_each(Connection::receive_now)?;
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// Sends the rest of the request, and reads the answer, which may have any status.
fn finish(client: &mut Connection) -> anyhow::Result<()> {
    // Fails when the server has answered without the rest, and has closed.
    let sent = client.finish_body();
    let answer = client.response();
    match (answer, sent) {
        (Ok(Some(_)), _) => Ok(()),
        (Ok(None), _) => bail!("the server says that it has not seen it"),
        (Err(error), Ok(())) => Err(error),
        (Err(error), Err(_)) => Err(error).context("before the rest of it"),
    }
}
