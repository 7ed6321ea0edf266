//! The TLS of one connection, above a socket that does not block.
//!
//! The worker reads the socket, as without TLS, and passes the bytes on: so one read takes all that
//! has arrived, and the worker knows when the socket is empty. `rustls` accepts bytes even when the
//! socket is full, so bytes count as written only once they are sent.

use std::io::{self, ErrorKind, Read, Write};
use std::mem;

use mio::net::TcpStream;
use rustls::crypto::SupportedKxGroup;
use rustls::{CipherSuite, ClientConnection, Error, HandshakeKind, NamedGroup, ProtocolVersion};

pub(crate) struct Session {
    connection: ClientConnection,
    /// The number of bytes of the caller that are encrypted and not all sent.
    taken: usize,
}

/// The state of the TLS after bytes were decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsealed {
    Open,
    /// The server has sent its last byte, and said so (`close_notify`).
    Ended,
}

/// The parameters that a handshake agreed on, as `rustls` reports them.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) version: Option<ProtocolVersion>,
    pub(super) suite: Option<CipherSuite>,
    pub(super) group: Option<NamedGroup>,
    pub(super) alpn: Option<&'a [u8]>,
    pub(super) is_resumed: bool,
}

impl Session {
    pub(super) fn new(connection: ClientConnection) -> Self {
        Self { connection, taken: 0 }
    }

    pub(crate) fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// Whether bytes wait for the socket to have room.
    pub(crate) fn is_unsent(&self) -> bool {
        self.connection.wants_write()
    }

    pub(super) fn agreed(&self) -> Found<'_> {
        Found {
            version: self.connection.protocol_version(),
            suite: self.connection.negotiated_cipher_suite().map(|suite| suite.suite()),
            group: self.connection.negotiated_key_exchange_group().map(SupportedKxGroup::name),
            alpn: self.connection.alpn_protocol(),
            is_resumed: self.connection.handshake_kind() == Some(HandshakeKind::Resumed),
        }
    }

    /// Encrypts as many of the bytes as `rustls` accepts, and sends them. Returns their number once
    /// all of them are sent. Fails with `WouldBlock` while the socket has no room: the caller then
    /// has to call again with the same bytes.
    pub(crate) fn write(&mut self, bytes: &[u8], socket: &mut TcpStream) -> io::Result<usize> {
        // The bytes are encrypted first, so that they share a write with the end of a handshake.
        if self.taken == 0 {
            self.taken = self.connection.writer().write(bytes)?;
        }
        self.flush(socket)?;
        if self.is_unsent() {
            return Err(ErrorKind::WouldBlock.into());
        }
        Ok(mem::take(&mut self.taken))
    }

    /// Sends unsent bytes, as far as the socket takes them.
    pub(crate) fn flush(&mut self, socket: &mut TcpStream) -> io::Result<()> {
        while self.connection.wants_write() {
            match self.connection.write_tls(socket) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Decrypts bytes that were read from the socket, and appends the result to `plain`. After an
    /// error, an alert for the server may wait to be sent.
    pub(crate) fn unseal(&mut self, mut bytes: &[u8], plain: &mut Vec<u8>) -> Result<Unsealed, Error> {
        loop {
            // `read_tls` takes some kilobytes at a time.
            self.connection.read_tls(&mut bytes).map_err(|error| Error::General(error.to_string()))?;
            let state = self.connection.process_new_packets()?;
            let begin = plain.len();
            plain.resize(begin + state.plaintext_bytes_to_read(), 0);
            let read = self.connection.reader().read_exact(&mut plain[begin..]);
            read.map_err(|error| Error::General(error.to_string()))?;
            if state.peer_has_closed() {
                return Ok(Unsealed::Ended);
            }
            if bytes.is_empty() {
                return Ok(Unsealed::Open);
            }
        }
    }

    /// Tells the server that nothing follows (`close_notify`), as far as the socket takes it.
    pub(crate) fn close(&mut self, socket: &mut TcpStream) {
        if !self.connection.is_handshaking() {
            self.connection.send_close_notify();
            // The connection is given up: a server that is gone is no error.
            let _ = self.flush(socket);
        }
    }
}
