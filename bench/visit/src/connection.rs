//! One connection: its socket, and the batch of requests that it carries.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Instant;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use super::script::Script;

/// What a connection is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// There is none.
    Down,
    /// It is being opened.
    Opening,
    /// It is open, and nothing is asked.
    Free,
    /// Its batch is being sent or answered.
    Busy,
    /// It has answered, and the server has to end it.
    Closing,
}

/// Requests that are sent in one write. One with no requests is none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batch {
    /// The number of the first one, which says what it asks for.
    pub(super) first: usize,
    pub(super) count: usize,
    pub(super) answered: usize,
    /// From when its latency counts.
    pub(super) start: Instant,
    /// Whether it counts.
    pub(super) measured: bool,
}

pub(super) struct Connection {
    pub(super) state: State,
    /// Since when it is in this state; for one that is open, at least since then.
    pub(super) since: Instant,
    pub(super) batch: Batch,
    /// Bytes of an answer that is not whole.
    pub(super) partial: Vec<u8>,
    /// Whether an answer has said that it is the last.
    pub(super) closes: bool,
    written: usize,
    socket: Option<TcpStream>,
}

impl Batch {
    /// Requests without an answer.
    pub(super) fn left(&self) -> usize {
        self.count - self.answered
    }
}

impl Connection {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            state: State::Down,
            since: now,
            batch: Batch { first: 0, count: 0, answered: 0, start: now, measured: false },
            partial: Vec::new(),
            closes: false,
            written: 0,
            socket: None,
        }
    }

    /// Begins to open it. `registry` tells when it is open, and from then on when there is something to read, or again
    /// room to write: events come once for each change, so watching for both costs nothing.
    pub(super) fn open(&mut self, address: SocketAddr, registry: &Registry, token: Token) -> io::Result<()> {
        let mut socket = TcpStream::connect(address)?;
        registry.register(&mut socket, token, Interest::READABLE | Interest::WRITABLE)?;
        self.socket = Some(socket);
        self.closes = false;
        self.partial.clear();
        Ok(())
    }

    /// Whether it came to be open; `no_delay` is for connections of more than one write.
    pub(super) fn check_open(&self, no_delay: bool) -> io::Result<()> {
        let socket = self.socket.as_ref().ok_or(ErrorKind::NotConnected)?;
        match socket.take_error()? {
            Some(error) => Err(error),
            None if no_delay => socket.set_nodelay(true),
            None => Ok(()),
        }
    }

    /// Takes a batch on, of which nothing is sent yet.
    pub(super) fn assign(&mut self, batch: Batch) {
        self.batch = batch;
        self.written = 0;
    }

    /// Writes what there is room for; how many bytes. With all of it written it does nothing.
    pub(super) fn write(&mut self, script: &Script) -> io::Result<usize> {
        let requests = script.requests(self.batch.first, self.batch.count);
        let before = self.written;
        while self.written < requests.len() {
            let Some(socket) = &mut self.socket else { break };
            match socket.write(&requests[self.written..]) {
                Ok(bytes) => self.written += bytes,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.written - before)
    }

    /// Reads what is there; `None` when nothing is, 0 at the end.
    pub(super) fn read(&mut self, into: &mut [u8]) -> io::Result<Option<usize>> {
        let Some(socket) = &mut self.socket else { return Ok(None) };
        loop {
            match socket.read(into) {
                Ok(bytes) => return Ok(Some(bytes)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Ends it.
    pub(super) fn shut(&mut self, now: Instant) {
        self.socket = None;
        self.state = State::Down;
        self.since = now;
        self.partial.clear();
    }
}
