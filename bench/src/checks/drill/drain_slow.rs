//! A shutdown while clients are slow or silent.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, ensure};

use super::context::{DrillContext, terminate};
use super::definition::Drill;
use super::non_reading::{self, NonReadingClient};
use crate::machine::host::Waited;
use crate::servers::client::Client;
use crate::text::numbers;

pub(super) const DRILL: Drill = Drill {
    name: "drill/drain-slow",
    about: "SIGTERM with clients that are silent, in the middle of a request, or read nothing: the server exits with \
            0 within the drain limit, and at once on a second signal",
    run,
};

/// The drain limit in seconds, where the server has a flag for it.
const SHORT: u64 = 2;

/// The drain limit of the process contract in seconds.
const CONTRACT: u64 = 10;

/// Time beyond the limit for the scheduler, and to close connections.
const SLACK: Duration = Duration::from_secs(2);

fn run(context: &DrillContext) -> anyhow::Result<String> {
    let limit = if context.server.honours("drain-timeout") { SHORT } else { CONTRACT };
    let running = context.start(&[("drain-timeout", &limit.to_string())])?;
    let clients = slow_clients(running.address)?;
    let elapsed = terminate(running, Duration::from_secs(limit) + SLACK)
        .with_context(|| format!("with a drain limit of {limit} s"))?;
    drop(clients);

    let mut running = context.start(&[("drain-timeout", "30")])?;
    let _clients = slow_clients(running.address)?;
    running.process.terminate()?;
    // The kernel may merge two signals that are sent at once.
    std::thread::sleep(Duration::from_millis(300));
    running.process.terminate()?;
    ensure!(running.process.wait(SLACK) == Waited::Exited, "a second signal did not end it at once");
    running.process.kill()?;
    Ok(numbers::seconds(elapsed.as_secs_f64()))
}

fn slow_clients(address: SocketAddr) -> anyhow::Result<(Vec<Client>, Vec<NonReadingClient>)> {
    let sent: [&[u8]; 4] = [
        b"",
        b"GET /half HTTP/1.1\r\nHo",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nand so on",
        b"GET /pipelined HTTP/1.1\r\nHost: h\r\n\r\nGET /half HTTP/1.1\r\n",
    ];
    let mut clients = Vec::new();
    for bytes in sent {
        let mut client = Client::connect(address)?;
        client.send(bytes)?;
        clients.push(client);
    }
    Ok((clients, non_reading::fill(address, 2)?))
}
