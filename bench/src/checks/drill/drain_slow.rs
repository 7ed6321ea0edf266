//! A shutdown while clients are slow, or do nothing.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};

use super::client::Client;
use super::deaf::{self, Deaf};
use super::{Drill, Scene};
use crate::machine::host::Waited;
use crate::text::numbers;

pub(super) const DRILL: Drill = Drill {
    name: "drill/drain-slow",
    about: "SIGTERM with clients that are silent, half through a request, or read nothing: it ends within the drain \
            limit with 0, and at once on a second signal",
    run,
};

/// The drain limit that is asked for.
const ASKED: u64 = 2;

/// The one of the contract, of servers that have no flag for it.
const CONTRACT: u64 = 10;

/// Time beyond the limit to be scheduled in, and to close what is open.
const SLACK: Duration = Duration::from_secs(2);

fn run(scene: &Scene) -> anyhow::Result<String> {
    let limit = if scene.server.honours("drain-timeout") { ASKED } else { CONTRACT };
    let mut running = scene.start(&[("drain-timeout", &limit.to_string())])?;
    let clients = slow_clients(running.address)?;
    let signalled = Instant::now();
    running.terminate()?;
    if running.wait(Duration::from_secs(limit) + SLACK) == Waited::TimedOut {
        bail!(
            "it still runs {:.1} s after SIGTERM; its limit is {limit} s",
            signalled.elapsed().as_secs_f64()
        );
    }
    let elapsed = signalled.elapsed();
    let ended = running.kill()?;
    ensure!(ended.status.success(), "it ended with {}{}", ended.status, ended.last_words());
    drop(clients);

    let mut running = scene.start(&[("drain-timeout", "30")])?;
    let _clients = slow_clients(running.address)?;
    running.terminate()?;
    // Two signals at once may count as one.
    std::thread::sleep(Duration::from_millis(300));
    running.terminate()?;
    ensure!(running.wait(SLACK) == Waited::Exited, "a second signal did not end it at once");
    running.kill()?;
    Ok(numbers::seconds(elapsed.as_secs_f64()))
}

/// Those that may hold a shutdown up.
fn slow_clients(address: SocketAddr) -> anyhow::Result<(Vec<Client>, Vec<Deaf>)> {
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
    Ok((clients, deaf::fill(address, 2)?))
}
