//! A connection that carries the bytes of a case, plain or within TLS.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustls::ClientConnection;
use socket2::SockRef;

use crate::tls::session::{self, Offer};

/// The transport that carries the bytes of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// TCP alone.
    Plain,
    /// TLS 1.3, with this protocol agreed on by ALPN.
    Tls(&'static str),
}

/// How a connection was closed by the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closed {
    /// The stream ended.
    Eof,
    /// The connection was reset, or carried bytes that are not TLS.
    Reset,
}

/// A non-blocking connection.
pub(crate) struct Socket {
    stream: TcpStream,
    tls: Option<Box<ClientConnection>>,
}

impl Socket {
    /// Connects to `address`. Also returns a message if the TLS handshake failed or agreed on
    /// another protocol. Fails when there is no connection.
    pub(crate) fn connect(
        address: SocketAddr,
        transport: Transport,
        timeout: Duration,
    ) -> std::io::Result<(Self, Option<String>)> {
        let stream = TcpStream::connect_timeout(&address, timeout)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut socket = Self { stream, tls: None };
        let failure = match transport {
            Transport::Plain => None,
            Transport::Tls(protocol) => socket.agree(protocol, Instant::now() + timeout).err(),
        };
        Ok((socket, failure))
    }

    /// Makes a TLS handshake that agrees on `protocol` by ALPN.
    fn agree(&mut self, protocol: &'static str, deadline: Instant) -> Result<(), String> {
        let offer = Offer { alpn: &[protocol], ..Offer::default() };
        let mut tls = Box::new(session::start(&offer)?);
        while tls.is_handshaking() {
            self.transfer(&mut tls, deadline).map_err(|error| format!("no TLS handshake: {error}"))?;
        }
        let agreed = tls.alpn_protocol().map(|agreed| agreed.escape_ascii().to_string());
        self.tls = Some(tls);
        // Sends the end of the handshake. Fails where the connection has ended, which the next read
        // reports.
        let _ = self.flush();
        // A server that speaks HTTP/1.1 alone may have no ALPN. HTTP/2 over TLS has to be agreed on
        // (RFC 9113, section 3.2).
        match agreed {
            None if protocol == "http/1.1" => Ok(()),
            Some(agreed) if agreed == protocol => Ok(()),
            other => Err(format!("expected {protocol} by ALPN, got {}", other.as_deref().unwrap_or("none"))),
        }
    }

    /// Sends or reads the bytes that the handshake needs next.
    fn transfer(&self, tls: &mut ClientConnection, deadline: Instant) -> std::io::Result<()> {
        let events = if tls.wants_write() { PollFlags::POLLOUT } else { PollFlags::POLLIN };
        if !self.poll(events, deadline) {
            return Err(std::io::Error::new(ErrorKind::TimedOut, "the server does not answer it"));
        }
        let moved = if tls.wants_write() {
            tls.write_tls(&mut &self.stream)
        } else {
            let read = tls.read_tls(&mut &self.stream);
            if let Err(error) = tls.process_new_packets() {
                // Sends the alert that says why, if the connection still takes it.
                let _ = tls.write_tls(&mut &self.stream);
                return Err(std::io::Error::other(error));
            }
            read
        };
        match moved {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Err(error) if !is_later(&error) => Err(error),
            _ => Ok(()),
        }
    }

    /// Sends some of `bytes`, and returns their number: 0 while the server has to read first.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // Records that wait to be sent come first.
        self.flush()?;
        let written = match &mut self.tls {
            None => (&self.stream).write(bytes),
            Some(tls) if tls.wants_write() => Ok(0),
            Some(tls) => {
                let written = tls.writer().write(bytes);
                self.flush()?;
                written
            }
        };
        match written {
            Err(error) if is_later(&error) => Ok(0),
            other => other,
        }
    }

    /// Sends the records that wait to be sent.
    fn flush(&mut self) -> std::io::Result<()> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        while tls.wants_write() {
            match tls.write_tls(&mut &self.stream) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_later(&error) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Appends the bytes that have arrived, and returns how the server has closed, if it has.
    pub(crate) fn read(&mut self, bytes: &mut Vec<u8>) -> Option<Closed> {
        let Some(tls) = &mut self.tls else { return read_some(&self.stream, bytes) };
        let read = tls.read_tls(&mut &self.stream);
        let processed = tls.process_new_packets();
        let mut plain = Vec::new();
        // Fails when all bytes are read, or when the connection has ended without `close_notify`.
        let ended = tls.reader().read_to_end(&mut plain);
        bytes.extend_from_slice(&plain);
        // Fails where the connection has ended, which the next read reports too.
        let _ = self.flush();
        match (processed, read, ended) {
            (Err(_), ..) => Some(Closed::Reset),
            (Ok(_), Err(error), _) if !is_later(&error) => Some(Closed::Reset),
            (Ok(_), _, Ok(_)) => Some(Closed::Eof),
            (Ok(_), _, Err(error)) => (error.kind() == ErrorKind::UnexpectedEof).then_some(Closed::Eof),
        }
    }

    /// Acknowledges the next bytes late, as the kernel does for most clients after a while.
    pub(crate) fn delay_acknowledgements(&self) {
        // Fails where the connection has ended, which the next read reports too.
        let _ = SockRef::from(&self.stream).set_tcp_quickack(false);
    }

    /// Ends the client's side of the connection.
    pub(crate) fn half_close(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
        }
        // Both fail when the server has reset the connection, which the next read reports too.
        let _ = self.flush();
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Waits for one of these events; false when none has come by the deadline.
    pub(crate) fn wait(&mut self, events: PollFlags, deadline: Instant) -> bool {
        let waits_to_write = self.tls.as_ref().is_some_and(|tls| tls.wants_write());
        let events = if waits_to_write { events | PollFlags::POLLOUT } else { events };
        let is_ready = self.poll(events, deadline);
        // Fails where the connection has ended, which the next read reports too.
        let _ = self.flush();
        is_ready
    }

    fn poll(&self, events: PollFlags, deadline: Instant) -> bool {
        wait(&self.stream, events, deadline)
    }
}

/// A connection, and how long the client of a case waits on it.
pub(crate) struct Link {
    pub(crate) socket: Socket,
    /// How long the client waits for the server to take or to send something.
    pub(crate) timeout: Duration,
    /// The time at which the client gives up, whatever has arrived until then.
    pub(crate) end: Instant,
}

/// A client that reads while it sends, so that neither side waits for the other one to read.
pub(crate) trait Client {
    fn link(&mut self) -> &mut Link;

    /// Whether neither the server nor the client has ended the exchange yet.
    fn is_under_way(&self) -> bool;

    /// Reads the bytes that have arrived.
    fn read(&mut self);

    /// Sends `bytes`. The server may close before it has read everything: then its answers so far
    /// decide the case.
    fn send(&mut self, mut bytes: &[u8]) {
        let deadline = Instant::now() + self.link().timeout;
        while self.is_under_way() && !bytes.is_empty() {
            match self.link().socket.write(bytes) {
                Ok(0) if !self.receive_by(PollFlags::POLLIN | PollFlags::POLLOUT, deadline) => return,
                Ok(written) => bytes = &bytes[written..],
                Err(_) => return,
            }
        }
    }

    /// Waits for bytes and reads them; false when none have arrived by the deadline.
    fn receive(&mut self, deadline: Instant) -> bool {
        self.receive_by(PollFlags::POLLIN, deadline)
    }

    /// Like [`Client::receive`], for one of these events.
    fn receive_by(&mut self, events: PollFlags, deadline: Instant) -> bool {
        let link = self.link();
        let is_ready = link.socket.wait(events, deadline.min(link.end));
        if is_ready {
            self.read();
        }
        is_ready
    }
}

/// Waits for one of these events on a stream; false when none has come by the deadline.
pub(crate) fn wait(stream: &TcpStream, events: PollFlags, deadline: Instant) -> bool {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return false;
    }
    // Rounded up, so that the loop does not spin through the last millisecond.
    let left = PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
    let mut descriptors = [PollFd::new(stream.as_fd(), events)];
    match poll(&mut descriptors, left) {
        Ok(ready) => ready > 0,
        Err(error) => error == nix::errno::Errno::EINTR,
    }
}

/// Appends the bytes of one read of `stream`, and returns how the peer has closed, if it has.
pub(crate) fn read_some(mut stream: &TcpStream, bytes: &mut Vec<u8>) -> Option<Closed> {
    let mut buffer = [0; 64 * 1024];
    match stream.read(&mut buffer) {
        Ok(0) => Some(Closed::Eof),
        Ok(read) => {
            bytes.extend_from_slice(&buffer[..read]);
            None
        }
        Err(error) if is_later(&error) => None,
        Err(_) => Some(Closed::Reset),
    }
}

fn is_later(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
