//! Runs a server from its ready line to its end. [`serve`] accepts connections on dedicated
//! threads; [`Workers`] are threads that each accept on a listener of their own.

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, anyhow};
use socket2::SockRef;

use super::flags::Flags;
use super::listen::{announce, close};
use super::shutdown::drain_on_signal;
use super::threads::start_thread;
use crate::lifecycle::{ConnectionPermit, Lifecycle};

/// How long an accept blocks before the thread reads the server's stage again.
const ACCEPT_TIMEOUT: Duration = Duration::from_millis(100);

/// How long to wait for a permit or a descriptor when there is none. A close ends the wait.
const BACKOFF: Duration = Duration::from_millis(100);

/// The maximum number of threads that accept. Each accepts some tens of thousands of connections
/// per second.
const ACCEPTORS: usize = 4;

/// Announces the server, and hands each connection with its permit to `take`, on several threads,
/// until a signal asks for the drain. Returns when all connections are closed, or at the limit.
///
/// Fails when signals cannot be watched, no ready line can be printed or the listener fails.
pub fn serve(
    listener: TcpListener,
    lifecycle: &Arc<Lifecycle>,
    flags: &Flags,
    take: impl Fn(TcpStream, ConnectionPermit) + Sync,
) -> anyhow::Result<()> {
    drain_on_signal(lifecycle, flags.drain_timeout)?;
    // An accept that blocks for ever would not notice the drain.
    SockRef::from(&listener)
        .set_read_timeout(Some(ACCEPT_TIMEOUT))
        .context("cannot set the listener's timeout")?;
    announce(flags, listener.local_addr().context("cannot read the address listened on")?)?;

    let accept_until_ending = || {
        while !lifecycle.is_ending() {
            accept(&listener, lifecycle, &take);
        }
    };
    thread::scope(|scope| {
        for _ in 1..acceptors(flags) {
            let builder = thread::Builder::new().name("acceptor".into());
            // If a thread cannot be started, the others do its work.
            let _ = builder.spawn_scoped(scope, accept_until_ending);
        }
        accept_until_ending();
    });
    close(listener, |stream| take(stream, lifecycle.extra_permit()));
    lifecycle.wait_until(Duration::MAX, || lifecycle.has_ended());
    Ok(())
}

fn acceptors(flags: &Flags) -> usize {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    flags.workers_or_cores().min(cores).min(ACCEPTORS)
}

/// Accepts a connection if one arrives. Without a permit or a descriptor, it stays in the kernel.
fn accept(listener: &TcpListener, lifecycle: &Arc<Lifecycle>, take: &impl Fn(TcpStream, ConnectionPermit)) {
    lifecycle.wait_until(BACKOFF, || lifecycle.has_permit());
    let Some(permit) = lifecycle.permit() else { return };
    match listener.accept() {
        Ok((stream, _)) => take(stream, permit),
        Err(error) => {
            drop(permit);
            let harmless = [ErrorKind::WouldBlock, ErrorKind::Interrupted, ErrorKind::ConnectionAborted];
            if !harmless.contains(&error.kind()) {
                let open = lifecycle.open();
                lifecycle.wait_until(BACKOFF, || lifecycle.open() < open);
            }
        }
    }
}

/// Threads that each do a part of the server's work until it ends.
pub struct Workers(Vec<JoinHandle<anyhow::Result<()>>>);

impl Workers {
    /// Starts a thread for each of `inputs`. Fails when a thread cannot be started.
    pub fn start<T: Send + 'static>(
        inputs: impl IntoIterator<Item = T>,
        work: impl Fn(T) -> anyhow::Result<()> + Clone + Send + 'static,
    ) -> anyhow::Result<Self> {
        let start = |input| {
            let work = work.clone();
            start_thread("worker", move || work(input))
        };
        inputs.into_iter().map(start).collect::<anyhow::Result<_>>().map(Self)
    }

    /// Waits for all threads. Fails when one of them has failed or panicked.
    pub fn join(self) -> anyhow::Result<()> {
        self.0.into_iter().try_for_each(|worker| worker.join().map_err(|_| anyhow!("a worker panicked"))?)
    }
}
