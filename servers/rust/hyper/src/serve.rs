//! The accept loop, the life of a connection, and the drain.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use shared::http::{Times, limits};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::service::Greeter;
use crate::stream::Batched;

/// How long connections are still accepted once the drain has begun. Clients that are just connecting get an answer that
/// closes, instead of a reset.
const GRACE: Duration = Duration::from_millis(500);

/// How long to wait before the next accept when there is no descriptor for it; hyper's examples would spin.
const PAUSE: Duration = Duration::from_millis(50);

/// What all runtimes of the server have in common.
pub(crate) struct Server {
    times: Times,
    /// A permit a connection.
    open: Arc<Semaphore>,
    stage: watch::Sender<Stage>,
}

/// How far the server's life has come.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub(crate) enum Stage {
    Serving,
    /// Answers close their connections.
    Draining,
    /// The listener is closed, and so are connections that wait for a request.
    Ending,
    /// What is still open is cut.
    Over,
}

impl Server {
    pub(crate) fn new(times: Times, max_connections: usize) -> Self {
        let open = Arc::new(Semaphore::new(max_connections.min(Semaphore::MAX_PERMITS)));
        Self { times, open, stage: watch::Sender::new(Stage::Serving) }
    }

    /// Ends the server in stages. Blocks until the last.
    pub(crate) fn drain(&self, limit: Duration) {
        self.stage.send_replace(Stage::Draining);
        std::thread::sleep(GRACE);
        self.stage.send_replace(Stage::Ending);
        std::thread::sleep(limit);
        self.stage.send_replace(Stage::Over);
    }
}

/// Accepts connections and serves them until the server is over.
pub(crate) async fn serve(listener: TcpListener, server: Arc<Server>) -> anyhow::Result<()> {
    listener.set_nonblocking(true).context("cannot make the listener non-blocking")?;
    let listener =
        tokio::net::TcpListener::from_std(listener).context("cannot give the listener to tokio")?;
    let mut stage = server.stage.subscribe();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            stream = accept(&listener, &server) => {
                connections.spawn(stream);
                // Results of finished connections are nothing to anyone, and would pile up.
                while connections.try_join_next().is_some() {}
            }
            _ = reached(&mut stage, Stage::Ending) => break,
        }
    }
    empty_the_queue(&listener, &server, &mut connections);
    drop(listener);
    tokio::select! {
        () = async { while connections.join_next().await.is_some() {} } => {}
        _ = reached(&mut stage, Stage::Over) => {}
    }
    Ok(())
}

/// The next connection, as a future that serves it.
async fn accept(
    listener: &tokio::net::TcpListener,
    server: &Arc<Server>,
) -> impl Future<Output = ()> + use<> {
    loop {
        let permit = Arc::clone(&server.open).acquire_owned().await;
        match listener.accept().await {
            Ok((stream, _)) => {
                let server = Arc::clone(server);
                return async move {
                    connection(stream, &server).await;
                    drop(permit);
                };
            }
            // Without a descriptor the connection stays in the kernel's queue, and accept would fail again at once.
            Err(error) if error.kind() != ErrorKind::ConnectionAborted => tokio::time::sleep(PAUSE).await,
            Err(_) => {}
        }
    }
}

/// Serves the connections that the kernel has already accepted: closing the listener would reset them.
fn empty_the_queue(listener: &tokio::net::TcpListener, server: &Arc<Server>, connections: &mut JoinSet<()>) {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    while let std::task::Poll::Ready(Ok((stream, _))) = listener.poll_accept(&mut context) {
        let server = Arc::clone(server);
        connections.spawn(async move { connection(stream, &server).await });
    }
}

async fn connection(stream: TcpStream, server: &Server) {
    let mut stage = server.stage.subscribe();
    let stream = Batched::new(stream, server.times);
    let service = Greeter::new(stage.clone());
    let mut builder = http1::Builder::new();
    builder.half_close(true).max_buf_size(limits::HEAD_BYTES);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        biased;
        _ = &mut connection => return,
        _ = reached(&mut stage, Stage::Ending) => connection.as_mut().graceful_shutdown(),
    }
    // An error is the client's, or it has gone: there is nobody to tell.
    let _ = connection.await;
}

async fn reached(stage: &mut watch::Receiver<Stage>, wanted: Stage) {
    // The sender lives as long as the server.
    let _ = stage.wait_for(|stage| *stage >= wanted).await;
}
