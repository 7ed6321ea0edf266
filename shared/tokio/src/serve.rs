//! A server whose connections are tasks: from its ready line to its end.

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::pin::pin;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use shared::process::{self, Flags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::task::coop::consume_budget;

use crate::layout::Layout;
use crate::lifecycle::{Lifecycle, Stage};

/// How long to wait before the next accept when there is no descriptor for it; else the loop would spin.
const PAUSE: Duration = Duration::from_millis(50);

/// What all runtimes of the server have in common.
struct Server<C> {
    lifecycle: Arc<Lifecycle>,
    /// A permit a connection.
    places: Arc<Semaphore>,
    connection: C,
}

/// Announces the server and serves each connection by `connection`, in a task of its own, until a signal asks for the drain.
/// Returns when all connections have ended, or the drain's limit after the signal.
///
/// The socket is as it was accepted: it blocks, and tokio does not watch it. See [`Socket`](crate::Socket).
pub fn serve<C, F>(layout: Layout, flags: &Flags, connection: C) -> anyhow::Result<()>
where
    C: Fn(TcpStream, Arc<Lifecycle>) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let max_connections = flags.connections()?.min(Semaphore::MAX_PERMITS);
    let listeners = layout.listeners(flags)?;
    let address = listeners.first().context("there is no worker")?.local_addr()?;
    let runtimes = layout.runtimes(flags).context("cannot start tokio")?;
    let lifecycle = Lifecycle::start()?;
    let server =
        Arc::new(Server { lifecycle, places: Arc::new(Semaphore::new(max_connections)), connection });
    end_on_signal(&server.lifecycle, flags.drain_timeout)?;
    process::announce(address)?;
    thread::scope(|scope| {
        let start = |(runtime, listener): (Runtime, TcpListener)| {
            let server = &server;
            scope.spawn(move || runtime.block_on(server.accept_until_ended(listener)))
        };
        let threads: Vec<_> = runtimes.into_iter().zip(listeners).map(start).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|_| anyhow::bail!("a worker died")))
    })
}

fn end_on_signal(lifecycle: &Arc<Lifecycle>, limit: Duration) -> anyhow::Result<()> {
    let lifecycle = Arc::clone(lifecycle);
    process::on_signal(move || {
        let deadline = lifecycle.drain(limit);
        lifecycle.begin(Stage::Ending);
        thread::sleep(deadline.saturating_duration_since(Instant::now()));
        lifecycle.begin(Stage::Over);
    })
}

impl<C, F> Server<C>
where
    C: Fn(TcpStream, Arc<Lifecycle>) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    /// Accepts connections and serves them until the server is over.
    async fn accept_until_ended(self: &Arc<Self>, listener: TcpListener) -> anyhow::Result<()> {
        listener.set_nonblocking(true).context("cannot make the listener non-blocking")?;
        let listener = watch(listener)?;
        let mut connections = JoinSet::new();
        let mut ending = pin!(self.lifecycle.reached(Stage::Ending));
        loop {
            tokio::select! {
                stream = self.accept(&listener) => {
                    let place = Arc::clone(&self.places).try_acquire_owned().ok();
                    connections.spawn(Arc::clone(self).begin(stream, place));
                    // Results of finished connections are nothing to anyone, and would pile up.
                    while connections.try_join_next().is_some() {}
                }
                () = &mut ending => break,
            }
        }
        process::close(listener.into_inner(), |stream| {
            connections.spawn(Arc::clone(self).begin(stream, None));
        })?;
        tokio::select! {
            () = async { while connections.join_next().await.is_some() {} } => {}
            () = self.lifecycle.reached(Stage::Over) => {}
        }
        Ok(())
    }

    /// The next connection, once there is a place for one.
    async fn accept(&self, listener: &AsyncFd<TcpListener>) -> TcpStream {
        loop {
            // Those that were accepted get their turn, however many come.
            consume_budget().await;
            // The place is not kept while nobody comes: another runtime may have use for it.
            drop(self.places.acquire().await);
            match listener.async_io(Interest::READABLE, TcpListener::accept).await {
                Ok((stream, _)) => return stream,
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                // Without a descriptor the connection stays in the kernel's queue, and accept would fail again at once.
                Err(_) => self.lifecycle.pause(PAUSE).await,
            }
        }
    }

    /// Serves a connection to its end, once it has a place.
    async fn begin(self: Arc<Self>, stream: TcpStream, place: Option<OwnedSemaphorePermit>) {
        let place = match place {
            Some(place) => Ok(place),
            None => Arc::clone(&self.places).acquire_owned().await,
        };
        (self.connection)(stream, Arc::clone(&self.lifecycle)).await;
        drop(place);
    }
}

/// Has tokio say when there is a connection to accept.
#[allow(unsafe_code, reason = "a descriptor is registered")]
fn watch(listener: TcpListener) -> anyhow::Result<AsyncFd<TcpListener>> {
    // SAFETY: A listener has one descriptor for all its life, which it owns and `AsyncFd` keeps.
    let watched = unsafe { AsyncFd::register_with_interest(listener, Interest::READABLE) };
    watched.map_err(std::io::Error::from).context("cannot give the listener to tokio")
}
