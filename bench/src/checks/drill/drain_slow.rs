//! A shutdown while clients are slow or silent.

use std::time::Duration;

use anyhow::{Context, ensure};

use super::connection::Connection;
use super::context::{DrillContext, terminate};
use super::definition::{Drill, OVER_ALL};
use super::endpoint::Endpoint;
use super::non_reading::{self, NonReadingClient, Unread};
use crate::machine::host::Waited;
use crate::text::numbers;

pub(super) const DRILL: Drill = Drill {
    name: "drain-slow",
    about: "SIGTERM with clients that are silent, in the middle of a request, or read nothing: the server exits with \
            0 within the drain limit, and at once on a second signal",
    protocols: OVER_ALL,
    run,
};

/// The drain limit in seconds, if the server has a flag for it.
const SHORT: u64 = 2;

/// The drain limit of the process contract in seconds.
const CONTRACT: u64 = 10;

/// Time beyond the limit for the scheduler, and to close connections.
const SLACK: Duration = Duration::from_secs(2);

/// The pause between two signals: the kernel merges a signal with one that is still pending.
const SIGNAL_PAUSE: Duration = Duration::from_millis(300);

/// The number of signals after the first. On a busy machine, the second may still be merged with
/// the first.
const FURTHER_SIGNALS: usize = 2;

fn run(context: &DrillContext) -> anyhow::Result<String> {
    let limit = if context.server.honours("drain-timeout") { SHORT } else { CONTRACT };
    let running = context.start(&[("drain-timeout", &limit.to_string())])?;
    let clients = slow_clients(running.endpoint)?;
    let elapsed = terminate(running, Duration::from_secs(limit) + SLACK)
        .with_context(|| format!("with a drain limit of {limit} s"))?;
    drop(clients);

    let mut running = context.start(&[("drain-timeout", "30")])?;
    let _clients = slow_clients(running.endpoint)?;
    running.process.terminate()?;
    let mut waited = Waited::TimedOut;
    for _ in 0..FURTHER_SIGNALS {
        if waited == Waited::TimedOut {
            std::thread::sleep(SIGNAL_PAUSE);
            running.process.terminate()?;
            waited = running.process.wait(SLACK);
        }
    }
    ensure!(waited == Waited::Exited, "a second signal did not end it at once");
    running.process.kill()?;
    Ok(numbers::seconds(elapsed.as_secs_f64()))
}

fn slow_clients(endpoint: Endpoint) -> anyhow::Result<(Vec<Connection>, Vec<NonReadingClient>)> {
    let slow: [fn(&mut Connection) -> anyhow::Result<()>; 4] = [
        |_| Ok(()),
        Connection::start_head,
        Connection::start_body,
        |client| {
            client.ask("/before")?;
            client.start_head()
        },
    ];
    let mut clients = Vec::new();
    for begin in slow {
        let mut client = endpoint.connect()?;
        begin(&mut client)?;
        clients.push(client);
    }
    // Over TLS, the server waits for the handshake of this connection.
    clients.push(endpoint.start_from(0)?);
    Ok((clients, non_reading::fill(endpoint, Unread::Bytes, 2)?))
}
