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
/// `Handshaking` covers the TLS handshake, and the first frames of HTTP/2. With HTTP/2, `Streams`
/// takes the place of `Busy`.
///
/// Every state but `Down` goes to `Down` when the connection fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Down,
    Opening,
    /// The connection is open, but requests cannot be sent yet.
    Handshaking,
    /// The connection is open and has no batch.
    Free,
    /// The batch is being sent or answered.
    Busy,
    /// HTTP/2: requests are being sent or answered on some streams.
    Streams,
    /// The last answer has arrived, and the server has to close the connection.
    Closing,
}

/// Requests that are sent in one write. A `count` of 0 means that there is no batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batch {
    /// The number of the first request, which determines its target.
    pub(super) first: usize,
    pub(super) count: usize,
    pub(super) answered: usize,
    /// The instant from which latency counts.
    pub(super) start: Instant,
    /// Whether the batch is measured; false in the warm-up.
    pub(super) measured: bool,
}

pub(super) struct Connection {
    pub(super) state: State,
    /// The instant of the last change of state, except changes among `Free`, `Busy` and `Streams`.
    pub(super) since: Instant,
    pub(super) batch: Batch,
    /// Bytes of an answer that is not yet whole.
    pub(super) partial: Vec<u8>,
    /// Whether an answer has announced the end of the connection.
    pub(super) closes: bool,
    /// The number of requests since the connection was opened, if [`Requests::vary`] is set.
    pub(super) requests: u16,
    written: usize,
    socket: Option<TcpStream>,
    /// The TLS session; `None` without TLS. It is boxed since it has more than a kilobyte.
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

    /// Whether the connection is being opened, and cannot have a request yet.
    pub(super) fn is_opening(&self) -> bool {
        matches!(self.state, State::Opening | State::Handshaking)
    }

    /// Begins to open the connection. Registers it for both directions, which costs nothing with
    /// edge-triggered events.
    pub(super) fn open(&mut self, address: SocketAddr, registry: &Registry, token: Token) -> io::Result<()> {
        let mut socket = TcpStream::connect(address)?;
        registry.register(&mut socket, token, Interest::READABLE | Interest::WRITABLE)?;
        self.socket = Some(socket);
        self.closes = false;
        self.partial.clear();
        Ok(())
    }

    /// Fails when opening has failed. `no_delay` is for connections with more than one write.
    pub(super) fn check_open(&self, no_delay: bool) -> io::Result<()> {
        let socket = self.socket.as_ref().ok_or(ErrorKind::NotConnected)?;
        match socket.take_error()? {
            Some(error) => Err(error),
            None if no_delay => socket.set_nodelay(true),
            None => Ok(()),
        }
    }

    /// Starts TLS on the socket, and sends its first message.
    pub(super) fn secure(&mut self, session: Session) -> io::Result<()> {
        self.tls = Some(Box::new(session));
        self.flush()
    }

    pub(super) fn tls(&mut self) -> Option<&mut Session> {
        self.tls.as_deref_mut()
    }

    /// Sends unsent bytes of TLS, as far as the socket takes them.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        match (&mut self.tls, &mut self.socket) {
            (Some(tls), Some(socket)) => tls.flush(socket),
            _ => Ok(()),
        }
    }

    /// Sets the batch. Nothing of it is sent yet.
    pub(super) fn assign(&mut self, batch: Batch) {
        self.batch = batch;
        self.written = 0;
    }

    /// Closes the sending direction of the connection. Bytes of the server can still be read.
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

    /// Writes as many of the bytes as the socket takes. Returns their number. The next write has to
    /// begin with the bytes that are left.
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

    /// Reads bytes that have arrived: `None` when there are none, 0 at the end of the connection.
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

    /// Closes the connection. With TLS, it first tells the server that nothing follows.
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
