//! The common parts of the drills: how they start a server, and how they observe it from outside.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use super::connection::Connection;
use super::endpoint::Endpoint;
use crate::machine::host::{Host, Memory, Process, Waited};
use crate::servers::client::TIMEOUT;
use crate::servers::identity::{Identity, ServerFlags};
use crate::servers::launch;
use crate::servers::server::Server;
use crate::store::drills::SizeRecord;
use crate::store::record::Protocol;

/// Connections that are served before a drill reads memory and descriptors, so that allocations for
/// a server's first connections do not count as a leak. They fit into every server's accept queue.
const WARM_UP: usize = 5;

/// Connections that are open before a drill measures the memory of further ones, so that one-time
/// allocations of a server, such as the buffers of a pool's threads, are not counted.
pub(super) const FIRST: usize = 150;

/// The interval between two checks for an expected state.
const POLL: Duration = Duration::from_millis(20);

/// The share of a core that an idle server may use. A server that only waits uses some thousandths.
const QUIET_SHARE: f64 = 0.05;

/// The context of a drill: a server that is built, and the host to start it on.
pub(super) struct DrillContext<'a> {
    pub(super) host: &'a Host,
    pub(super) server: &'a Server,
    pub(super) size: SizeRecord,
    pub(super) protocol: Protocol,
    /// The server's certificate, if the protocol has TLS: the same for each of its processes.
    identity: Option<Identity>,
}

/// A running server that is drilled. Dropping it kills the server.
pub(super) struct Drilled {
    pub(super) process: Process,
    pub(super) endpoint: Endpoint,
}

impl<'a> DrillContext<'a> {
    /// Fails when no certificate can be made.
    pub(super) fn new(
        host: &'a Host,
        server: &'a Server,
        size: SizeRecord,
        protocol: Protocol,
    ) -> anyhow::Result<Self> {
        let identity = protocol.is_encrypted().then(|| Identity::new(host.address())).transpose()?;
        Ok(Self { host, server, size, protocol, identity })
    }
    /// Returns one of two values, depending on the drill's size.
    pub(super) fn pick<T>(&self, short: T, full: T) -> T {
        if self.size == SizeRecord::Short { short } else { full }
    }

    /// The number of connections at once, by the drill's size and the limit of the machine.
    pub(super) fn connections(&self, short: usize, full: usize) -> usize {
        match self.size {
            SizeRecord::Short => short,
            SizeRecord::Full { connections } => full.min(connections),
        }
    }

    /// Starts the server with those of `flags` that it honours, and makes it answer a few
    /// connections.
    pub(super) fn start(&self, flags: &[(&str, &str)]) -> anyhow::Result<Drilled> {
        let running = self.start_cold(0, flags)?;
        warm_up(&running)?;
        Ok(running)
    }

    /// Starts the server on a port, 0 for a free one, without sending it a request.
    pub(super) fn start_cold(&self, port: u16, flags: &[(&str, &str)]) -> anyhow::Result<Drilled> {
        let honoured = flags.iter().filter(|(name, _)| self.server.honours(name));
        let words: Vec<String> = honoured.map(|(name, value)| format!("--{name}={value}")).collect();
        // `own` holds the files that its flags name: the server has read them once it is ready.
        let own = ServerFlags::new(self.host, self.protocol, self.identity.as_ref())?;
        let words: Vec<&str> = words.iter().map(String::as_str).chain(own.words()).collect();
        let listens = SocketAddr::new(self.host.address(), port);
        let launch::Running { process, address } =
            launch::start_on(self.host, self.server, listens, &[], &words)?;
        Ok(Drilled { process, endpoint: Endpoint { address, protocol: self.protocol } })
    }

    pub(super) fn check_interrupted(&self) -> anyhow::Result<()> {
        self.host.check_interrupted()
    }
}

fn warm_up(running: &Drilled) -> anyhow::Result<()> {
    for mut client in connect(running, WARM_UP)? {
        client.ask_last("/first")?;
        client.expect("/first")?;
    }
    wait_until(|| settled(running), "its descriptors did not settle")
}

/// Opens connections from several source addresses.
pub(super) fn connect(running: &Drilled, count: usize) -> anyhow::Result<Vec<Connection>> {
    let connect = |number| {
        let connection = running.endpoint.connect_from(number);
        connection.with_context(|| format!("connection {} of {count}", number + 1))
    };
    (0..count).map(connect).collect()
}

fn settled(running: &Drilled) -> anyhow::Result<bool> {
    let before = running.process.descriptors()?;
    std::thread::sleep(POLL * 3);
    Ok(running.process.descriptors()? == before)
}

/// Waits until `is_so` returns true. Fails with `complaint` after a bounded time.
pub(super) fn wait_until(
    mut is_so: impl FnMut() -> anyhow::Result<bool>,
    complaint: &str,
) -> anyhow::Result<()> {
    let began = Instant::now();
    while !is_so()? {
        ensure!(began.elapsed() < TIMEOUT, "{complaint} within {} s", TIMEOUT.as_secs());
        std::thread::sleep(POLL);
    }
    Ok(())
}

/// Fails unless the server runs, answers, and soon has no more descriptors than `before`.
pub(super) fn check_recovered(running: &mut Drilled, before: usize) -> anyhow::Result<()> {
    running.process.check_running()?;
    running.endpoint.check_answers()?;
    let mut now = before;
    let is_back = || {
        now = running.process.descriptors()?;
        Ok(now <= before)
    };
    if wait_until(is_back, "").is_err() {
        bail!("{now} descriptors are still open after {} s, there were {before} before", TIMEOUT.as_secs());
    }
    Ok(())
}

/// The share of a core that the server uses in a window of time without requests. Fails when the
/// share is too high in every window: a server may have work in the first ones, but one that spins
/// never stops.
pub(super) fn check_quiet(running: &Drilled, window: Duration) -> anyhow::Result<f64> {
    let began = Instant::now();
    loop {
        let (looked, before) = (Instant::now(), running.process.usage()?);
        std::thread::sleep(window);
        let used = running.process.usage()?.since(&before).cpu;
        let share = used.as_secs_f64() / looked.elapsed().as_secs_f64();
        if share < QUIET_SHARE {
            return Ok(share);
        }
        let percent = share * 100.0;
        ensure!(began.elapsed() < TIMEOUT, "the server uses {percent:.0} % of a core without requests");
    }
}

pub(super) fn resident(running: &Drilled) -> anyhow::Result<u64> {
    Ok(memory(running)?.resident)
}

pub(super) fn memory(running: &Drilled) -> anyhow::Result<Memory> {
    running.process.memory().context("the server has ended")
}

/// Sends SIGTERM, and returns the time until the server has ended. Fails unless the server ends
/// within `bound` and exits with 0.
pub(super) fn terminate(running: Drilled, bound: Duration) -> anyhow::Result<Duration> {
    running.process.terminate()?;
    await_end(running, bound)
}

/// The time until a server to which SIGTERM was sent has ended. Fails unless the server ends within
/// `bound` and exits with 0.
pub(super) fn await_end(mut running: Drilled, bound: Duration) -> anyhow::Result<Duration> {
    let signalled = Instant::now();
    let waited = running.process.wait(bound);
    let elapsed = signalled.elapsed();
    ensure!(waited == Waited::Exited, "the server still runs {:.1} s after SIGTERM", elapsed.as_secs_f64());
    let ended = running.process.kill()?;
    ensure!(ended.status.success(), "the server ended with {}{}", ended.status, ended.last_words());
    Ok(elapsed)
}
