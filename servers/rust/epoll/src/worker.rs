//! A worker: a thread with an epoll instance, a listening socket and its accepted connections.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};
use shared::http::{Buffers, Driver, NonBlocking, Session, Timeouts, Turn};
use shared::lifecycle::{ConnectionPermit, Lifecycle, Stage};
use shared::process;
use shared::tls::Encryption;
use slab::Slab;

/// Events per wait. More would save nothing: with 1,024, the wait is a thousandth of the work.
const EVENTS: usize = 1024;

/// Connections that are accepted per round, which also answers the first request of each. Without a
/// limit, open connections would wait while clients come as fast as they are served.
const ACCEPTS: usize = 64;

/// Tokens of events that do not belong to a connection.
const LISTENER: Token = Token(usize::MAX);
const WAKER: Token = Token(usize::MAX - 1);

/// The longest delay until a worker notices a deadline, or a permit or a descriptor that another
/// worker has freed. All connections are checked then, so checks must be rare compared with the
/// rest of a worker's work, and frequent compared with the timeouts of clients.
const INTERVAL: Duration = Duration::from_millis(100);

/// A worker, which shares nothing with others but the port and the server's lifecycle.
pub(crate) struct Worker {
    poll: Poll,
    /// `None` once the server ends.
    listener: Option<TcpListener>,
    queue: Queue,
    connections: Slab<Connection>,
    yielding: VecDeque<usize>,
    /// The time of the next check of all deadlines: the first one, or up to [`INTERVAL`] later.
    next_check: Option<Instant>,
    buffers: Buffers,
    timeouts: Timeouts,
    encryption: Encryption,
    lifecycle: Arc<Lifecycle>,
}

/// An open connection.
struct Connection {
    socket: NonBlocking<TcpStream>,
    session: Session,
    /// Whether its turn is in the next round, since it has yielded, whatever epoll reports.
    yields: bool,
    _permit: ConnectionPermit,
}

/// The known state of the kernel's queue of connections. epoll reports it only when one arrives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Queue {
    Empty,
    /// There may be connections.
    Waiting,
    /// There may be connections, for which there was no permit or no descriptor.
    Stuck,
}

impl Worker {
    /// Creates a worker that accepts on `listener`. Fails when there is no descriptor for epoll.
    pub(crate) fn new(
        listener: net::TcpListener,
        timeouts: Timeouts,
        encryption: &Encryption,
        lifecycle: &Arc<Lifecycle>,
    ) -> anyhow::Result<Self> {
        listener.set_nonblocking(true).context("cannot make the listener non-blocking")?;
        let mut listener = TcpListener::from_std(listener);
        let poll = Poll::new().context("cannot make an epoll instance")?;
        let waker = Waker::new(poll.registry(), WAKER).context("cannot make an eventfd")?;
        lifecycle.on_change(move || {
            // It cannot fail: nothing else writes to the eventfd.
            let _ = waker.wake();
        });
        poll.registry()
            .register(&mut listener, LISTENER, Interest::READABLE)
            .context("cannot watch the listener")?;
        Ok(Self {
            poll,
            listener: Some(listener),
            queue: Queue::Empty,
            connections: Slab::new(),
            yielding: VecDeque::new(),
            next_check: None,
            buffers: Buffers::default(),
            timeouts,
            encryption: encryption.clone(),
            lifecycle: Arc::clone(lifecycle),
        })
    }

    /// Accepts and answers until the server has ended.
    pub(crate) fn work(mut self) -> anyhow::Result<()> {
        let mut events = Events::with_capacity(EVENTS);
        loop {
            let now = Instant::now();
            if self.next_check.is_some_and(|time| time <= now) {
                self.check_deadlines(now);
            }
            let stage = self.lifecycle.stage();
            if stage >= Stage::Ending {
                self.end();
                if self.connections.is_empty() || stage == Stage::Over {
                    return Ok(());
                }
            }
            self.wait(now, &mut events)?;
            self.take_turns(&events);
            if self.queue == Queue::Waiting {
                self.accept();
            }
        }
    }

    fn wait(&mut self, now: Instant, events: &mut Events) -> anyhow::Result<()> {
        let has_more = !self.yielding.is_empty() || self.queue == Queue::Waiting;
        let until = if has_more { Some(now) } else { self.next_check };
        match self.poll.poll(events, until.map(|until| until.saturating_duration_since(now))) {
            Err(error) if error.kind() != ErrorKind::Interrupted => {
                Err(error).context("cannot wait for events")
            }
            _ => Ok(()),
        }
    }

    /// Gives a turn to each connection with an event, and to those that yielded in the last round.
    fn take_turns(&mut self, events: &Events) {
        let yielded = self.yielding.len();
        for event in events {
            match event.token() {
                WAKER => {}
                LISTENER => self.queue = Queue::Waiting,
                Token(key) => {
                    let Some(connection) = self.connections.get_mut(key) else { continue };
                    let is_ended = event.is_read_closed() || event.is_error();
                    connection.socket.note_event(event.is_readable(), is_ended);
                    if !connection.yields {
                        self.serve(key);
                    }
                }
            }
        }
        for _ in 0..yielded {
            if let Some(key) = self.yielding.pop_front() {
                self.serve(key);
            }
        }
    }

    /// Accepts connections as long as there are permits for them; others wait in the kernel.
    fn accept(&mut self) {
        for _ in 0..ACCEPTS {
            let Some(listener) = &self.listener else { return self.queue = Queue::Empty };
            let Some(permit) = self.lifecycle.permit() else { return self.retry_later() };
            match listener.accept() {
                Ok((stream, _)) => self.begin(stream, permit),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => return self.queue = Queue::Empty,
                    ErrorKind::ConnectionAborted | ErrorKind::Interrupted => {}
                    // There is no descriptor for the connection, or no memory.
                    _ => return self.retry_later(),
                },
            }
        }
    }

    /// Accepts again when a connection closes, or after a time: another worker may have closed one.
    fn retry_later(&mut self) {
        self.queue = Queue::Stuck;
        self.check_by(Some(Instant::now() + INTERVAL));
    }

    /// Gives a connection its first turn before it is registered with epoll: its first request has
    /// usually arrived, and if it is also the last, no registration is needed. A connection that
    /// cannot be registered is closed.
    fn begin(&mut self, stream: TcpStream, permit: ConnectionPermit) {
        let Ok(session) = self.encryption.session() else { return };
        let socket = NonBlocking::new(stream);
        let mut connection = Connection { socket, session, yields: false, _permit: permit };
        let turn = connection.turn(&mut self.buffers, &self.timeouts, &self.lifecycle);
        if turn == Turn::Over {
            return;
        }
        let entry = self.connections.vacant_entry();
        let key = entry.key();
        // The registration is for both directions and, as always in mio, edge-triggered, so that it
        // never has to be changed. Closing the socket ends it.
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registered = self.poll.registry().register(connection.socket.get_mut(), Token(key), interest);
        if registered.is_ok() {
            let deadline = connection.session.deadline();
            entry.insert(connection);
            self.schedule(key, turn, deadline);
        }
    }

    /// Gives a connection a turn.
    fn serve(&mut self, key: usize) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let turn = connection.turn(&mut self.buffers, &self.timeouts, &self.lifecycle);
        let deadline = connection.session.deadline();
        if turn == Turn::Over {
            self.connections.remove(key);
            if self.queue == Queue::Stuck {
                self.queue = Queue::Waiting;
            }
        } else {
            self.schedule(key, turn, deadline);
        }
    }

    fn schedule(&mut self, key: usize, turn: Turn, deadline: Option<Instant>) {
        if turn == Turn::Yield {
            self.yielding.push_back(key);
        } else {
            self.check_by(deadline);
        }
    }

    fn check_by(&mut self, deadline: Option<Instant>) {
        self.next_check = self.next_check.into_iter().chain(deadline).min();
    }

    /// Gives a turn to each connection whose deadline has passed.
    ///
    /// There is no sorted list of deadlines, since requests move them. A deadline before the next
    /// check moves the check forward, and the check finds later ones. So a request costs a
    /// comparison, and checks are as rare as deadlines.
    fn check_deadlines(&mut self, now: Instant) {
        if self.queue == Queue::Stuck {
            self.queue = Queue::Waiting;
        }
        self.next_check = None;
        let mut due = Vec::new();
        for (key, connection) in &self.connections {
            match connection.session.deadline() {
                Some(deadline) if deadline <= now => due.push(key),
                deadline => self.next_check = self.next_check.into_iter().chain(deadline).min(),
            }
        }
        self.next_check = self.next_check.map(|time| time.max(now + INTERVAL));
        self.serve_again(due);
    }

    /// Stops accepting and takes what the kernel has accepted; then every connection has a turn.
    fn end(&mut self) {
        let Some(listener) = self.listener.take() else { return };
        process::close(listener.into(), |stream| {
            if stream.set_nonblocking(true).is_ok() {
                let permit = self.lifecycle.extra_permit();
                self.begin(TcpStream::from_std(stream), permit);
            }
        });
        let all = self.connections.iter().map(|(key, _)| key).collect();
        self.serve_again(all);
    }

    /// Gives each a turn, in which the kernel is asked for input even if epoll has reported none.
    fn serve_again(&mut self, keys: Vec<usize>) {
        for key in keys {
            if let Some(connection) = self.connections.get_mut(key) {
                connection.socket.note_event(true, false);
                if !connection.yields {
                    self.serve(key);
                }
            }
        }
    }
}

impl Connection {
    /// Answers requests that have arrived, up to the connection's share.
    fn turn(&mut self, buffers: &mut Buffers, timeouts: &Timeouts, lifecycle: &Lifecycle) -> Turn {
        let turn = self.session.turn(Driver {
            stream: &mut self.socket,
            buffers,
            timeouts,
            lifecycle,
            // A client that keeps sending must not occupy the worker.
            others_wait: || true,
        });
        self.yields = turn == Turn::Yield;
        turn
    }
}
