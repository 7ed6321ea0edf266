//! Runs a server whose connections are tasks, from its ready line to its end.

use std::future::poll_fn;
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use shared::lifecycle::{ConnectionPermit, Stage};
use shared::process::{self, Flags, Server, TaskTimer, Workers};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::task::coop::consume_budget;

use crate::layout::Layout;

/// The time before the next accept when there is no descriptor for it: the loop must not spin.
const BACKOFF: Duration = Duration::from_millis(50);

/// Announces the server and serves each connection by `connection`, in a task of its own, until a
/// signal asks for the drain. Returns when all connections have ended, or at the drain's limit. Over
/// TLS it agrees on one of `protocols`.
///
/// The socket blocks, and is not registered with tokio: see [`Socket`](crate::Socket).
pub fn serve<C, F>(layout: Layout, flags: &Flags, protocols: &[&[u8]], connection: C) -> anyhow::Result<()>
where
    C: Fn(TcpStream, ConnectionPermit, Arc<Server>) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let server = Server::start(flags.connections()?, flags, protocols)?;
    let listeners = layout.listeners(flags)?;
    let address = listeners.first().context("there is no worker")?.local_addr()?;
    let runtimes = layout.runtimes(flags)?;
    process::drain_on_signal(&server.lifecycle, flags.drain_timeout)?;
    let acceptor = Arc::new(Acceptor { server, connection });
    let accept = move |(runtime, listener): (Runtime, TcpListener)| {
        runtime.block_on(acceptor.accept_until_over(listener))
    };
    let workers = Workers::start(runtimes.into_iter().zip(listeners), accept)?;
    process::announce(flags, address)?;
    workers.join()
}

/// Accepts connections in each runtime.
struct Acceptor<C> {
    server: Arc<Server>,
    connection: C,
}

impl<C, F> Acceptor<C>
where
    C: Fn(TcpStream, ConnectionPermit, Arc<Server>) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    /// Accepts connections and serves them until the server is over.
    async fn accept_until_over(self: &Arc<Self>, listener: TcpListener) -> anyhow::Result<()> {
        listener.set_nonblocking(true).context("cannot make the listener non-blocking")?;
        let listener = register(listener)?;
        let lifecycle = &self.server.lifecycle;
        let mut connections = JoinSet::new();
        let mut ending = pin!(lifecycle.reached(Stage::Ending));
        loop {
            tokio::select! {
                stream = self.accept(&listener) => {
                    connections.spawn(Arc::clone(self).begin(stream, lifecycle.permit()));
                    // Without this, results of finished connections would accumulate.
                    while connections.try_join_next().is_some() {}
                }
                () = &mut ending => break,
            }
        }
        process::close(listener.into_inner(), |stream| {
            connections.spawn(Arc::clone(self).begin(stream, Some(lifecycle.extra_permit())));
        });
        tokio::select! {
            () = async { while connections.join_next().await.is_some() {} } => {}
            () = lifecycle.reached(Stage::Over) => {}
        }
        Ok(())
    }

    /// Returns the next connection, once there is a permit for one.
    async fn accept(&self, listener: &AsyncFd<TcpListener>) -> TcpStream {
        let lifecycle = &self.server.lifecycle;
        loop {
            // Lets accepted connections run, however many new ones arrive.
            consume_budget().await;
            // The permit is not taken while no client comes: another runtime may need it.
            lifecycle.until(|| lifecycle.has_permit()).await;
            match listener.async_io(Interest::READABLE, TcpListener::accept).await {
                Ok((stream, _)) => return stream,
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                // Without a descriptor the connection stays in the kernel's queue.
                Err(_) => {
                    let (end, mut timer) = (Instant::now() + BACKOFF, TaskTimer::default());
                    poll_fn(|context| timer.poll(&self.server.deadlines, context, end)).await;
                }
            }
        }
    }

    /// Serves a connection to its end, once it has a permit: another runtime may have the last one.
    async fn begin(self: Arc<Self>, stream: TcpStream, mut permit: Option<ConnectionPermit>) {
        let lifecycle = &self.server.lifecycle;
        while permit.is_none() {
            lifecycle.until(|| lifecycle.has_permit()).await;
            permit = lifecycle.permit();
        }
        if let Some(permit) = permit {
            (self.connection)(stream, permit, Arc::clone(&self.server)).await;
        }
    }
}

/// Makes tokio report when there is a connection to accept.
#[allow(unsafe_code, reason = "a descriptor is registered")]
fn register(listener: TcpListener) -> anyhow::Result<AsyncFd<TcpListener>> {
    // SAFETY: A listener has one descriptor for all its life, which it owns and `AsyncFd` keeps.
    let registered = unsafe { AsyncFd::register_with_interest(listener, Interest::READABLE) };
    registered.map_err(std::io::Error::from).context("cannot give the listener to tokio")
}
