//! A worker: a thread with a ring, a listening socket and the connections that it has accepted.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::task::{Poll, Waker};

use anyhow::{Context, anyhow};
use compio::buf::IntoInner;
use compio::runtime;
use compio::runtime::fd::PollFd;
use shared::process;

use crate::client::Client;
use crate::deadline::{Clock, DeadlineThread};
use crate::ring;
use crate::server::{ConnectionPermit, Server, Stage};

/// Buffers for answers that are kept for further use. So many connections are served between two looks at the ring at most;
/// those with more to write than a client takes keep theirs.
const OUTPUTS_KEPT: usize = 64;

/// A worker, which has nothing in common with others but the port and the server.
pub(crate) struct Worker {
    server: Arc<Server>,
    pub(crate) keeper: DeadlineThread,
    /// Connections that are open.
    open: Cell<usize>,
    outputs: RefCell<Vec<Vec<u8>>>,
    news: News,
}

/// Wakes the accept loop when a connection was closed, and several times a second.
#[derive(Default)]
struct News {
    count: Cell<usize>,
    waker: RefCell<Option<Waker>>,
}

/// Accepts connections on this thread and serves them until the server is over.
///
/// Says first whether it has got a ring, or why not.
pub(crate) fn run(
    listener: TcpListener,
    server: Arc<Server>,
    ready: Sender<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let (runtime, outcome) = match ring::runtime() {
        Ok(runtime) => (Some(runtime), Ok(())),
        Err(error) => (None, Err(error)),
    };
    // Who asks has gone only with the program.
    let _ = ready.send(outcome);
    drop(ready);
    let Some(runtime) = runtime else { return Ok(()) };
    // The outermost future is looked at in every round, a task only when there is something for it.
    runtime.block_on(async {
        let task = runtime::spawn(serve(listener, server));
        task.await.map_err(|error| anyhow!("a worker died: {error}"))?
    })
}

async fn serve(listener: TcpListener, server: Arc<Server>) -> anyhow::Result<()> {
    let worker = Rc::new(Worker {
        server,
        keeper: DeadlineThread::default(),
        open: Cell::default(),
        outputs: RefCell::default(),
        news: News::default(),
    });
    let (clock, keeping) = (Clock::new()?, Rc::clone(&worker));
    runtime::spawn(async move { keeping.keep_time(&clock).await }).detach();

    let listener = worker.accept(listener).await?;
    process::close(listener, |stream| worker.start(stream, None))?;
    while worker.open.get() > 0 && worker.server.stage() < Stage::Over {
        worker.news.next().await;
    }
    Ok(())
}

impl Worker {
    /// Whether answers close their connections.
    pub(crate) fn is_draining(&self) -> bool {
        self.server.stage() >= Stage::Draining
    }

    /// An empty buffer for answers.
    pub(crate) fn output(&self) -> Vec<u8> {
        self.outputs.borrow_mut().pop().unwrap_or_default()
    }

    /// Takes the buffer back once all of it is written, and it is empty.
    pub(crate) fn take_back(&self, output: Vec<u8>) {
        let mut outputs = self.outputs.borrow_mut();
        if outputs.len() < OUTPUTS_KEPT {
            outputs.push(output);
        }
    }

    async fn keep_time(&self, clock: &Clock) {
        loop {
            clock.tick().await;
            self.keeper.look(&self.server.times, self.server.stage() >= Stage::Ending);
            self.news.tell();
        }
    }

    /// Accepts connections until the server ends; the listener, with which nothing is under way.
    ///
    /// The ring says when somebody connects, and does not accept by itself: of a connection that it has just accepted nobody
    /// would know when the wait is given up, and without a place it must stay in the kernel's queue.
    async fn accept(self: &Rc<Self>, listener: TcpListener) -> anyhow::Result<TcpListener> {
        listener.set_nonblocking(true).context("cannot make the listener non-blocking")?;
        let listener = PollFd::new(listener).context("cannot give the listener to compio")?;
        while self.server.stage() < Stage::Ending {
            let Some(place) = self.server.place() else {
                self.news.next().await;
                continue;
            };
            match listener.accept() {
                Ok((stream, _)) => self.start(stream, Some(place)),
                Err(error) => {
                    drop(place);
                    match error.kind() {
                        ErrorKind::WouldBlock => self.arrival(&listener).await?,
                        ErrorKind::ConnectionAborted | ErrorKind::Interrupted => {}
                        // There is no descriptor for it, or no memory.
                        _ => self.news.next().await,
                    }
                }
            }
        }
        let listener = listener.into_inner().take().await;
        listener.context("cannot take the listener back from compio")
    }

    /// Waits until somebody connects or the server ends.
    async fn arrival(&self, listener: &PollFd<TcpListener>) -> anyhow::Result<()> {
        poll_fn(|context| match listener.poll_accept_ready(context) {
            Poll::Pending if self.server.stage() < Stage::Ending => {
                self.news.be_told(context.waker());
                Poll::Pending
            }
            Poll::Pending => Poll::Ready(Ok(())),
            Poll::Ready(ready) => Poll::Ready(ready.context("cannot wait for connections")),
        })
        .await
    }

    /// Serves a connection in a task of its own.
    fn start(self: &Rc<Self>, stream: TcpStream, place: Option<ConnectionPermit>) {
        let worker = Rc::clone(self);
        worker.open.set(worker.open.get() + 1);
        let serve = async move {
            if let Ok(client) = Client::new(stream, &worker) {
                client.serve().await;
            }
            drop(place);
            worker.open.set(worker.open.get() - 1);
            worker.news.tell();
        };
        runtime::spawn(serve).detach();
    }
}

impl News {
    /// Waits for the next news.
    async fn next(&self) {
        let before = self.count.get();
        poll_fn(|context| {
            if self.count.get() != before {
                return Poll::Ready(());
            }
            self.be_told(context.waker());
            Poll::Pending
        })
        .await;
    }

    fn be_told(&self, waker: &Waker) {
        *self.waker.borrow_mut() = Some(waker.clone());
    }

    fn tell(&self) {
        self.count.set(self.count.get().wrapping_add(1));
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }
}
