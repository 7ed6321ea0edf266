//! What the workers have in common: how far the server's life has come, and how many connections may be open.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use shared::http::Timeouts;
use shared::http::limits::DRAIN_GRACE;
use shared::process::{self, Flags};

use crate::worker;

/// How long a port may be in use at the start. Rings of killed processes were gone after some milliseconds.
const PORT_PATIENCE: Duration = Duration::from_secs(1);

/// How often it is asked for meanwhile.
const ASK_AFTER: Duration = Duration::from_millis(10);

/// How far a server's life has come. Nobody is told: workers look several times a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// It serves.
    Serving,
    /// Answers close their connections.
    Draining,
    /// No connection is accepted any more, and those that wait for a request are soon closed.
    Ending,
    /// What is still open is cut.
    Over,
}

/// What all workers share.
pub(crate) struct Server {
    pub(crate) times: Timeouts,
    stage: AtomicU8,
    places: AtomicUsize,
}

/// A connection's place among those that may be open. Dropping it frees the place.
pub(crate) struct ConnectionPermit(Arc<Server>);

/// Serves until a signal, then drains.
pub(crate) fn run(flags: &Flags) -> anyhow::Result<()> {
    let server = Arc::new(Server {
        times: flags.timeouts(),
        stage: AtomicU8::new(Stage::Serving as u8),
        places: AtomicUsize::new(flags.connections()?),
    });
    let listeners = listen(flags.address()?, flags.workers_or_cores())?;
    let address = listeners.first().context("there is no worker")?.local_addr()?;

    let (lifecycle, limit) = (Arc::clone(&server), flags.drain_timeout);
    process::on_signal(move || {
        let deadline = Instant::now() + limit;
        lifecycle.begin(Stage::Draining);
        thread::sleep(DRAIN_GRACE.min(limit));
        lifecycle.begin(Stage::Ending);
        thread::sleep(deadline.saturating_duration_since(Instant::now()));
        lifecycle.begin(Stage::Over);
    })?;
    let (ready, made) = mpsc::channel();
    let workers = listeners.into_iter().map(|listener| {
        let (server, ready) = (Arc::clone(&server), ready.clone());
        let thread = thread::Builder::new().name("worker".into());
        thread.spawn(move || worker::run(listener, server, ready)).context("cannot start a worker")
    });
    let workers: Vec<_> = workers.collect::<anyhow::Result<_>>()?;
    drop(ready);
    // Connections would wait for ever on the socket of a worker that is not there.
    made.iter().collect::<anyhow::Result<()>>()?;
    process::announce(address)?;
    workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| anyhow!("a worker died"))?)
}

/// A listening socket for each worker. What a killed process has left in its rings the kernel takes down a moment after it, and
/// the port is in use until then: so it is asked for again before that is an error.
fn listen(address: SocketAddr, workers: usize) -> anyhow::Result<Vec<TcpListener>> {
    let began = Instant::now();
    loop {
        match process::bind_shared(address, workers) {
            Err(error) if is_in_use(&error) && began.elapsed() < PORT_PATIENCE => thread::sleep(ASK_AFTER),
            listeners => return listeners,
        }
    }
}

fn is_in_use(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::AddrInUse)
}

impl Server {
    pub(crate) fn stage(&self) -> Stage {
        match self.stage.load(Ordering::Relaxed) {
            0 => Stage::Serving,
            1 => Stage::Draining,
            2 => Stage::Ending,
            _ => Stage::Over,
        }
    }

    /// A free place, if there is one.
    pub(crate) fn place(self: &Arc<Self>) -> Option<ConnectionPermit> {
        let one_less = |free: usize| free.checked_sub(1);
        self.places.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).ok()?;
        Some(ConnectionPermit(Arc::clone(self)))
    }

    fn begin(&self, stage: Stage) {
        self.stage.store(stage as u8, Ordering::Relaxed);
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        self.0.places.fetch_add(1, Ordering::Relaxed);
    }
}
