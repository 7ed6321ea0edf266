//! What the drills have in common: how they start a server, and how they look at it from outside.

use std::time::{Duration, Instant};

use anyhow::{bail, ensure};

use super::client::{BOUND, Client, check_answers, get_and_close};
use crate::machine::host::Host;
use crate::servers::launch::{self, Running};
use crate::servers::server::Server;

/// Connections that a server has served at once before its memory and its descriptors are looked at: what it makes
/// once, for its first ones, is not taken for a leak. No more than the shortest queue of a listener holds.
const WARM_UP: usize = 5;

/// Connections that are there before the memory of further ones is looked at: what a server takes once, whoever comes,
/// such as the threads of a pool and their buffers, is not taken for a connection's cost.
pub(super) const FIRST: usize = 150;

/// How often a state of the server is looked at that has to come.
const LOOK: Duration = Duration::from_millis(20);

/// What a quiet server may use of a core. One that spins uses all of it; one that waits uses some thousandths.
const QUIET_SHARE: f64 = 0.05;

/// How large drills are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// A second or two each, for tests.
    Short,
    /// With as many connections at most, which the machine's limit of open files may allow fewer of than the drill wants.
    Full {
        /// Connections at once.
        connections: usize,
    },
}

/// A drill's server, not started yet.
pub(super) struct Scene<'a> {
    pub(super) host: &'a Host,
    pub(super) server: &'a Server,
    pub(super) size: Size,
}

impl Scene<'_> {
    /// One of two values, by the drill's size.
    pub(super) fn pick<T>(&self, short: T, full: T) -> T {
        if self.size == Size::Short { short } else { full }
    }

    /// So many connections at once, or as many as the machine allows.
    pub(super) fn connections(&self, short: usize, full: usize) -> usize {
        match self.size {
            Size::Short => short,
            Size::Full { connections } => full.min(connections),
        }
    }

    /// Starts the server with those of the flags that it honours, and has it answer a few connections.
    pub(super) fn start(&self, flags: &[(&str, &str)]) -> anyhow::Result<Running> {
        let running = self.start_cold(0, flags)?;
        warm_up(&running)?;
        Ok(running)
    }

    /// Starts the server on a port, 0 for a free one, and leaves it alone.
    pub(super) fn start_cold(&self, port: u16, flags: &[(&str, &str)]) -> anyhow::Result<Running> {
        let honoured = flags.iter().filter(|(name, _)| self.server.honours(name));
        let words: Vec<String> = honoured.map(|(name, value)| format!("--{name}={value}")).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        launch::start_on(self.host, self.server, port, &[], &words)
    }

    /// An error once somebody asked us to stop.
    pub(super) fn check_interrupted(&self) -> anyhow::Result<()> {
        self.host.check_interrupted()
    }
}

fn warm_up(running: &Running) -> anyhow::Result<()> {
    let clients: anyhow::Result<Vec<Client>> =
        (0..WARM_UP).map(|_| Client::connect(running.address)).collect();
    for mut client in clients? {
        client.send(get_and_close("/first").as_bytes())?;
        client.expect("/first")?;
    }
    wait_until(|| settled(running), "its descriptors do not come to rest")
}

/// Whether its descriptors stay as they are for a moment.
fn settled(running: &Running) -> anyhow::Result<bool> {
    let before = running.descriptors()?;
    std::thread::sleep(LOOK * 3);
    Ok(running.descriptors()? == before)
}

/// Waits until `is_so`, for a bounded time; otherwise `complaint` is the error.
pub(super) fn wait_until(
    mut is_so: impl FnMut() -> anyhow::Result<bool>,
    complaint: &str,
) -> anyhow::Result<()> {
    let began = Instant::now();
    while !is_so()? {
        ensure!(began.elapsed() < BOUND, "{complaint} within {} s", BOUND.as_secs());
        std::thread::sleep(LOOK);
    }
    Ok(())
}

/// The server runs, gives a right answer, and has no more descriptors open than `before`, once all has come to an end.
pub(super) fn check_recovered(running: &mut Running, before: usize) -> anyhow::Result<()> {
    running.check_running()?;
    check_answers(running.address)?;
    let mut now = before;
    let back = wait_until(
        || {
            now = running.descriptors()?;
            Ok(now <= before)
        },
        "",
    );
    if back.is_err() {
        bail!("{now} descriptors are open {} s after, {before} were before", BOUND.as_secs());
    }
    Ok(())
}

/// The share of a core that the server uses in a window in which nothing has to be done; an error when it is too much in
/// one window after the other. On a busy machine it may have work left in the first ones; one that spins never rests.
pub(super) fn check_quiet(running: &Running, window: Duration) -> anyhow::Result<f64> {
    let began = Instant::now();
    loop {
        let (looked, before) = (Instant::now(), running.usage()?);
        std::thread::sleep(window);
        let used = running.usage()?.since(&before).cpu;
        let share = used.as_secs_f64() / looked.elapsed().as_secs_f64();
        if share < QUIET_SHARE {
            return Ok(share);
        }
        let percent = share * 100.0;
        ensure!(began.elapsed() < BOUND, "it uses {percent:.0} % of a core with nothing to do");
    }
}

/// Its resident memory in bytes.
pub(super) fn resident(running: &Running) -> anyhow::Result<u64> {
    match running.memory() {
        Some(memory) => Ok(memory.resident),
        None => bail!("it has ended"),
    }
}
