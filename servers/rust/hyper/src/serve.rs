//! The accept loop, the life of a connection, and the drain.

use std::future::poll_fn;
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use shared::http::Times;
use shared::process;
use shared_tokio::{Flush, Guarded, Life, Stage};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::task::coop::consume_budget;

use crate::service::Greeter;

/// How long to wait before the next accept when there is no descriptor for it; else the loop would spin.
const PAUSE: Duration = Duration::from_millis(50);

/// Bytes that hyper buffers, to read and to write. No head that comes through [`Guarded`] is longer.
const BUFFER_BYTES: usize = shared::http::limits::HEAD_BYTES;

/// What all runtimes of the server have in common.
pub(crate) struct Server {
    pub(crate) life: Arc<Life>,
    times: Times,
    /// A permit a connection.
    places: Arc<Semaphore>,
}

impl Server {
    pub(crate) fn start(times: Times, max_connections: usize) -> anyhow::Result<Self> {
        let places = Arc::new(Semaphore::new(max_connections.min(Semaphore::MAX_PERMITS)));
        Ok(Self { life: Life::start()?, times, places })
    }
}

/// Accepts connections and serves them until the server is over.
pub(crate) async fn serve(listener: TcpListener, server: &Arc<Server>) -> anyhow::Result<()> {
    listener.set_nonblocking(true).context("cannot make the listener non-blocking")?;
    let listener = watch(listener)?;
    let mut connections = JoinSet::new();
    let mut ending = pin!(server.life.reached(Stage::Ending));
    loop {
        tokio::select! {
            stream = accept(&listener, server) => {
                let place = Arc::clone(&server.places).try_acquire_owned().ok();
                connections.spawn(connection(stream, place, Arc::clone(server)));
                // Results of finished connections are nothing to anyone, and would pile up.
                while connections.try_join_next().is_some() {}
            }
            () = &mut ending => break,
        }
    }
    process::close(listener.into_inner(), |stream| {
        connections.spawn(connection(stream, None, Arc::clone(server)));
    })?;
    tokio::select! {
        () = async { while connections.join_next().await.is_some() {} } => {}
        () = server.life.reached(Stage::Over) => {}
    }
    Ok(())
}

/// Has tokio say when there is a connection to accept.
#[allow(unsafe_code, reason = "a descriptor is registered")]
fn watch(listener: TcpListener) -> anyhow::Result<AsyncFd<TcpListener>> {
    // SAFETY: A listener has one descriptor for all its life, which it owns and `AsyncFd` keeps.
    let watched = unsafe { AsyncFd::register_with_interest(listener, Interest::READABLE) };
    watched.map_err(std::io::Error::from).context("cannot give the listener to tokio")
}

/// The next connection, once there is a place for one. tokio does not watch it yet: see [`shared_tokio::Socket`].
async fn accept(listener: &AsyncFd<TcpListener>, server: &Server) -> TcpStream {
    loop {
        // Those that were accepted get their turn, however many come.
        consume_budget().await;
        // The place is not kept while nobody comes: another runtime may have use for it.
        drop(server.places.acquire().await);
        match listener.async_io(Interest::READABLE, TcpListener::accept).await {
            Ok((stream, _)) => return stream,
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            // Without a descriptor the connection stays in the kernel's queue, and accept would fail again at once.
            Err(_) => server.life.pause(PAUSE).await,
        }
    }
}

/// Serves a connection to its end, once it has a place.
async fn connection(stream: TcpStream, place: Option<OwnedSemaphorePermit>, server: Arc<Server>) {
    let place = match place {
        Some(place) => Ok(place),
        None => Arc::clone(&server.places).acquire_owned().await,
    };
    let stream = Guarded::new(stream, server.times, &server.life, Flush::WhenRead);
    let service = Greeter::new(Arc::clone(stream.ledger()));
    let mut builder = http1::Builder::new();
    builder.half_close(true).max_buf_size(BUFFER_BYTES);
    let mut connection = builder.serve_connection(TokioIo::new(stream), service);
    // An error is the client's, and was answered. hyper itself would then not shut the stream down, nor after what could
    // have become another protocol; but it is there that answers are sent which were kept back.
    let _ = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    connection.into_parts().io.into_inner().close().await;
    drop(place);
}
