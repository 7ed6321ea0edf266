//! One connection: its socket, the TLS above it, and the batch of requests that it carries.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::time::Instant;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use super::requests::Requests;
use super::tls::Session;

/// The state of a connection.
///
/// ```text
/// Down → Opening → Handshaking → Free ⇄ Busy → Closing → Down
/// ```
///
/// A handshake is that of TLS, and the first frames of HTTP/2, where `Streams` is in place of `Busy`.
///
/// Every state but `Down` goes to `Down` when the connection fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Down,
    Opening,
    /// It is open, and nothing can be asked yet.
    Handshaking,
    /// It is open, without a batch.
    Free,
    /// Its batch is being sent or answered.
    Busy,
    /// HTTP/2: some of its streams are being asked or answered.
    Streams,
    /// Its last answer has come, and the server has to close it.
    Closing,
}

/// Requests that are sent in one write. One with `count` 0 stands for none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batch {
    /// The number of the first request, which gives its target.
    pub(super) first: usize,
    pub(super) count: usize,
    pub(super) answered: usize,
    /// The start of its latency.
    pub(super) start: Instant,
    /// Whether it is measured, which it is not in the warm-up.
    pub(super) measured: bool,
}

pub(super) struct Connection {
    pub(super) state: State,
    /// The time of its last change of state; changes between `Free` and `Busy` do not count.
    pub(super) since: Instant,
    pub(super) batch: Batch,
    /// Bytes of an answer that is not yet whole.
    pub(super) partial: Vec<u8>,
    /// Whether an answer has announced the end of the connection.
    pub(super) closes: bool,
    /// The number of its requests since it was opened, where it is closed after a number of them.
    pub(super) requests: u16,
    written: usize,
    socket: Option<TcpStream>,
    /// `None` without TLS. On the heap, as it has more than a kilobyte.
    tls: Option<Box<Session>>,
}

impl Batch {
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
            requests: 0,
            written: 0,
            socket: None,
            tls: None,
        }
    }

    /// Whether it is on its way to the first request.
    pub(super) fn is_opening(&self) -> bool {
        matches!(self.state, State::Opening | State::Handshaking)
    }

    /// Begins to open it, registered for both directions: edge-triggered events are free.
    pub(super) fn open(&mut self, address: SocketAddr, registry: &Registry, token: Token) -> io::Result<()> {
        let mut socket = TcpStream::connect(address)?;
        registry.register(&mut socket, token, Interest::READABLE | Interest::WRITABLE)?;
        self.socket = Some(socket);
        self.closes = false;
        self.partial.clear();
        Ok(())
    }

    /// Fails when it could not be opened. `no_delay` is for connections of more than one write.
    pub(super) fn check_open(&self, no_delay: bool) -> io::Result<()> {
        let socket = self.socket.as_ref().ok_or(ErrorKind::NotConnected)?;
        match socket.take_error()? {
            Some(error) => Err(error),
            None if no_delay => socket.set_nodelay(true),
            None => Ok(()),
        }
    }

    /// Puts TLS above the socket, and sends its first message.
    pub(super) fn secure(&mut self, session: Session) -> io::Result<()> {
        self.tls = Some(Box::new(session));
        self.flush()
    }

    pub(super) fn tls(&mut self) -> Option<&mut Session> {
        self.tls.as_deref_mut()
    }

    /// Sends what TLS has not yet sent, as far as the socket takes it.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        match (&mut self.tls, &mut self.socket) {
            (Some(tls), Some(socket)) => tls.flush(socket),
            _ => Ok(()),
        }
    }

    /// Sets the batch, of which nothing is sent yet.
    pub(super) fn assign(&mut self, batch: Batch) {
        self.batch = batch;
        self.written = 0;
    }

    /// Says that nothing follows. What the server sends can still be read.
    pub(super) fn end(&mut self) {
        let Some(socket) = &mut self.socket else { return };
        if let Some(tls) = &mut self.tls {
            tls.close(socket);
        }
        // A server that is gone is noticed by the next read.
        let _ = socket.shutdown(Shutdown::Write);
    }

    /// Writes as much of the batch as the socket takes. Returns the number of bytes. With `PLAIN`
    /// there is no TLS.
    pub(super) fn write<const PLAIN: bool>(&mut self, requests: &Requests) -> io::Result<usize> {
        let requests = requests.bytes(self.batch.first, self.batch.count);
        let before = self.written;
        while self.written < requests.len() {
            let Some(socket) = &mut self.socket else { break };
            let rest = &requests[self.written..];
            let written = match &mut self.tls {
                Some(tls) if !PLAIN => tls.write(rest, socket),
                _ => socket.write(rest),
            };
            match written {
                Ok(bytes) => self.written += bytes,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.written - before)
    }

    /// Writes as many of the bytes as the socket takes. Returns their number. What is left has to
    /// be the start of what is written next.
    pub(super) fn put(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut taken = 0;
        while taken < bytes.len() {
            let Some(socket) = &mut self.socket else { break };
            let written = match &mut self.tls {
                None => socket.write(&bytes[taken..]),
                Some(tls) => tls.write(&bytes[taken..], socket),
            };
            match written {
                Ok(bytes) => taken += bytes,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(taken)
    }

    /// Whether a part of the batch is not yet written.
    pub(super) fn is_unsent(&self, requests: &Requests) -> bool {
        self.written < requests.bytes(self.batch.first, self.batch.count).len()
    }

    /// Reads what has arrived: `None` when nothing has, 0 at the end of the connection.
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

    /// Closes it. A server with TLS is told that nothing follows.
    pub(super) fn close(&mut self, now: Instant) {
        if let (Some(mut tls), Some(socket)) = (self.tls.take(), &mut self.socket) {
            tls.close(socket);
        }
        self.socket = None;
        self.state = State::Down;
        self.since = now;
        self.requests = 0;
        self.partial.clear();
    }
}
