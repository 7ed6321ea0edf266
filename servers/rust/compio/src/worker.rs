//! A worker: a thread with a ring, a listening socket and the connections that it has accepted.

use std::future::poll_fn;
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::rc::Rc;
use std::sync::mpsc::Sender;
use std::task::Poll;

use anyhow::{Context, anyhow};
use compio::buf::IntoInner;
use compio::runtime;
use compio::runtime::fd::PollFd;
use shared::lifecycle::{ConnectionPermit, Stage};
use shared::process;

use crate::client::Client;
use crate::deadline::Ticker;
use crate::ring;
use crate::state::WorkerState;

/// Accepts connections on this thread and serves them until the server is over.
///
/// First sends whether it has a ring, or why not.
pub(crate) fn run(
    listener: TcpListener,
    state: WorkerState,
    ready: &Sender<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let (runtime, outcome) = match ring::runtime() {
        Ok(runtime) => (Some(runtime), Ok(())),
        Err(error) => (None, Err(error)),
    };
    // The receiver is dropped only when the program ends.
    let _ = ready.send(outcome);
    let Some(runtime) = runtime else { return Ok(()) };
    // The outermost future is polled in every round, a task only when it is woken.
    runtime.block_on(async {
        let task = runtime::spawn(serve(listener, state));
        task.await.map_err(|error| anyhow!("a worker panicked: {error}"))?
    })
}

async fn serve(listener: TcpListener, state: WorkerState) -> anyhow::Result<()> {
    let state = Rc::new(state);
    let (ticker, watched) = (Ticker::new()?, Rc::clone(&state));
    runtime::spawn(async move { check_deadlines(&ticker, &watched).await }).detach();

    if let Some(listener) = accept_until_ending(listener, &state).await? {
        process::close(listener, |stream| start(stream, None, &state));
    }
    while state.open.get() > 0 && state.lifecycle.stage() < Stage::Over {
        state.changes.next().await;
    }
    Ok(())
}

async fn check_deadlines(ticker: &Ticker, state: &WorkerState) {
    loop {
        ticker.tick().await;
        state.deadlines.check(&state.timeouts, state.lifecycle.is_ending());
        state.changes.notify();
    }
}

/// Accepts connections until the server ends. Returns the listener, with no operation pending, if
/// compio gives it back. Fails when the ring fails before that.
///
/// The ring only reports that a client connects, and does not accept: a connection that it had just
/// accepted would be lost when the wait is cancelled, and one without a permit has to stay in the
/// kernel's queue.
async fn accept_until_ending(
    listener: TcpListener,
    state: &Rc<WorkerState>,
) -> anyhow::Result<Option<TcpListener>> {
    listener.set_nonblocking(true).context("cannot make the listener non-blocking")?;
    let listener = PollFd::new(listener).context("cannot give the listener to compio")?;
    while !state.lifecycle.is_ending() {
        let Some(permit) = state.lifecycle.permit() else {
            state.changes.next().await;
            continue;
        };
        match listener.accept() {
            Ok((stream, _)) => start(stream, Some(permit), state),
            Err(error) => {
                drop(permit);
                match error.kind() {
                    ErrorKind::WouldBlock => arrival(&listener, state).await?,
                    ErrorKind::ConnectionAborted | ErrorKind::Interrupted => {}
                    // There is no descriptor for the connection, or no memory.
                    _ => state.changes.next().await,
                }
            }
        }
    }
    Ok(listener.into_inner().take().await)
}

/// Waits until a client connects or the server ends.
async fn arrival(listener: &PollFd<TcpListener>, state: &WorkerState) -> anyhow::Result<()> {
    poll_fn(|context| match listener.poll_accept_ready(context) {
        Poll::Pending if !state.lifecycle.is_ending() => {
            state.changes.register(context.waker());
            Poll::Pending
        }
        Poll::Pending => Poll::Ready(Ok(())),
        Poll::Ready(ready) => Poll::Ready(ready.context("cannot wait for connections")),
    })
    .await
}

/// Serves a connection in a separate task.
fn start(stream: TcpStream, permit: Option<ConnectionPermit>, state: &Rc<WorkerState>) {
    let state = Rc::clone(state);
    state.open.set(state.open.get() + 1);
    let serve = async move {
        if let Ok(client) = Client::new(stream, &state) {
            client.serve().await;
        }
        drop(permit);
        state.open.set(state.open.get() - 1);
        state.changes.notify();
    };
    runtime::spawn(serve).detach();
}
