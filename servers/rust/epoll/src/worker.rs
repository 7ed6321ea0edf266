//! A worker: a thread with an epoll instance, a listening socket and the connections that it has accepted.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};
use shared::http::{Buffers, Timeouts, Turn};
use shared::process;
use slab::Slab;

use crate::connection::Connection;
use crate::lifecycle::{ConnectionPermit, Lifecycle};

/// Events of one wait. More of them would save nothing: the wait is then a thousandth of the work.
const EVENTS: usize = 1024;

/// Connections that are accepted in one round. Each has its first request answered on the way, and while clients come as fast as
/// they are served, those that are already here must not wait for the last of them.
const ACCEPTS: usize = 64;

/// What an event is of that is not a connection's.
const LISTENER: Token = Token(usize::MAX);
const BELL: Token = Token(usize::MAX - 1);

/// How late a deadline is noticed, and a place or a descriptor that somebody else has freed. All connections are looked at then, so it
/// must be rare beside what else a worker does, and still soon beside the times that clients have.
const LOOK_AFTER: Duration = Duration::from_millis(100);

/// A worker, which has nothing in common with others but the port and the server's life.
pub(crate) struct Worker {
    poll: Poll,
    bell: Arc<Waker>,
    /// None once the server ends.
    listener: Option<TcpListener>,
    queue: Queue,
    connections: Slab<Connection>,
    yielding: VecDeque<usize>,
    /// When to look at all deadlines next: no later than the first of them, save for `LOOK_AFTER`.
    look: Option<Instant>,
    buffers: Buffers,
    times: Timeouts,
    lifecycle: Arc<Lifecycle>,
}

/// What is known of the kernel's queue of connections, of which epoll tells only when another one comes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Queue {
    Empty,
    /// There may be some.
    Waiting,
    /// There may be some, for which there was no place or no descriptor.
    Stuck,
}

impl Worker {
    /// A worker that accepts on `listener`.
    pub(crate) fn new(
        listener: net::TcpListener,
        times: Timeouts,
        lifecycle: Arc<Lifecycle>,
    ) -> anyhow::Result<Self> {
        listener.set_nonblocking(true).context("cannot make the listener non-blocking")?;
        let mut listener = TcpListener::from_std(listener);
        let poll = Poll::new().context("cannot make an epoll instance")?;
        let bell = Waker::new(poll.registry(), BELL).context("cannot make an eventfd")?;
        poll.registry()
            .register(&mut listener, LISTENER, Interest::READABLE)
            .context("cannot watch the listener")?;
        Ok(Self {
            poll,
            bell: Arc::new(bell),
            listener: Some(listener),
            queue: Queue::Empty,
            connections: Slab::new(),
            yielding: VecDeque::new(),
            look: None,
            buffers: Buffers::default(),
            times,
            lifecycle,
        })
    }

    /// What ends a wait, so that the worker looks how far the server's life has come.
    pub(crate) fn bell(&self) -> Arc<Waker> {
        Arc::clone(&self.bell)
    }

    /// Accepts and answers until the server has ended.
    pub(crate) fn work(mut self) -> anyhow::Result<()> {
        let mut events = Events::with_capacity(EVENTS);
        loop {
            let now = Instant::now();
            if self.look.is_some_and(|look| look <= now) {
                self.look_around(now);
            }
            if let Some(cut) = self.lifecycle.cut() {
                self.end()?;
                if self.connections.is_empty() || cut <= now {
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
        let more_to_do = !self.yielding.is_empty() || self.queue == Queue::Waiting;
        let wake = if more_to_do {
            Some(now)
        } else {
            [self.look, self.lifecycle.cut()].into_iter().flatten().min()
        };
        match self.poll.poll(events, wake.map(|wake| wake.saturating_duration_since(now))) {
            Err(error) if error.kind() != ErrorKind::Interrupted => {
                Err(error).context("cannot wait for events")
            }
            _ => Ok(()),
        }
    }

    /// A turn for whom there is an event, and for those that gave way in the last round.
    fn take_turns(&mut self, events: &Events) {
        let yielded = self.yielding.len();
        for event in events {
            match event.token() {
                BELL => {}
                LISTENER => self.queue = Queue::Waiting,
                Token(key) => {
                    let Some(connection) = self.connections.get_mut(key) else { continue };
                    connection.socket.note(event);
                    if !connection.yields() {
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

    /// Accepts connections as long as there are places for them; others wait in the kernel.
    fn accept(&mut self) {
        for _ in 0..ACCEPTS {
            let Some(listener) = &self.listener else { return self.queue = Queue::Empty };
            let Some(place) = self.lifecycle.place() else { return self.be_stuck() };
            match listener.accept() {
                Ok((stream, _)) => self.begin(stream, place),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => return self.queue = Queue::Empty,
                    ErrorKind::ConnectionAborted | ErrorKind::Interrupted => {}
                    // There is no descriptor for it, or no memory.
                    _ => return self.be_stuck(),
                },
            }
        }
    }

    /// Tries again when one of its own connections closes, or after a time: another worker may have freed what was lacking.
    fn be_stuck(&mut self) {
        self.queue = Queue::Stuck;
        self.look_by(Some(Instant::now() + LOOK_AFTER));
    }

    /// A connection's first turn, before epoll knows of it: mostly its first request is there already, and where it is also the last,
    /// epoll never hears of it. Without room for it in epoll it is closed.
    fn begin(&mut self, stream: TcpStream, place: ConnectionPermit) {
        let mut connection = Connection::new(stream, place);
        let turn = connection.turn(&mut self.buffers, &self.times, self.lifecycle.as_ref());
        if turn == Turn::Over {
            return;
        }
        let entry = self.connections.vacant_entry();
        let key = entry.key();
        if connection.socket.watch(self.poll.registry(), Token(key)).is_ok() {
            let deadline = connection.deadline();
            entry.insert(connection);
            self.go_on(key, turn, deadline);
        }
    }

    /// A connection's turn.
    fn serve(&mut self, key: usize) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let turn = connection.turn(&mut self.buffers, &self.times, self.lifecycle.as_ref());
        let deadline = connection.deadline();
        if turn == Turn::Over {
            self.connections.remove(key);
            if self.queue == Queue::Stuck {
                self.queue = Queue::Waiting;
            }
        } else {
            self.go_on(key, turn, deadline);
        }
    }

    fn go_on(&mut self, key: usize, turn: Turn, deadline: Option<Instant>) {
        if turn == Turn::Yield {
            self.yielding.push_back(key);
        } else {
            self.look_by(deadline);
        }
    }

    fn look_by(&mut self, deadline: Option<Instant>) {
        self.look = self.look.into_iter().chain(deadline).min();
    }

    /// A turn for those whose time has come.
    ///
    /// A deadline is not moved in any list when a request moves it: one that comes earlier than the next look brings that forward, and
    /// one that comes later is found by it. So a request costs a comparison, and a look is as rare as deadlines are.
    fn look_around(&mut self, now: Instant) {
        if self.queue == Queue::Stuck {
            self.queue = Queue::Waiting;
        }
        self.look = None;
        let mut due = Vec::new();
        for (key, connection) in &self.connections {
            match connection.deadline() {
                Some(deadline) if deadline <= now => due.push(key),
                deadline => self.look = self.look.into_iter().chain(deadline).min(),
            }
        }
        self.look = self.look.map(|look| look.max(now + LOOK_AFTER));
        self.ask_again(due);
    }

    /// Stops accepting and takes what the kernel has accepted; then all connections learn that the server ends.
    fn end(&mut self) -> anyhow::Result<()> {
        let Some(listener) = self.listener.take() else { return Ok(()) };
        process::close(listener.into(), |stream| {
            if stream.set_nonblocking(true).is_ok() {
                let place = self.lifecycle.extra_place();
                self.begin(TcpStream::from_std(stream), place);
            }
        })?;
        let all = self.connections.iter().map(|(key, _)| key).collect();
        self.ask_again(all);
        Ok(())
    }

    /// A turn for each, in which it is asked for what it has sent, whether epoll has told of that or not.
    fn ask_again(&mut self, keys: Vec<usize>) {
        for key in keys {
            if let Some(connection) = self.connections.get_mut(key) {
                connection.socket.look_again();
                if !connection.yields() {
                    self.serve(key);
                }
            }
        }
    }
}
