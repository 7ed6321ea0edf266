//! The TLS state of a connection: bytes in, bytes out.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection};

use super::records::{Noted, Records};

/// The TLS state of one connection, without its socket.
#[derive(Debug)]
pub struct Tls {
    connection: ServerConnection,
    /// The number of bytes that are decrypted and not read.
    decrypted: usize,
    records: Records,
    /// Whether the client has sent part of a handshake or of a record.
    has_part: bool,
    /// Whether the client has broken a rule of TLS.
    has_failed: bool,
}

impl Tls {
    /// Creates the state of a connection before its handshake.
    pub fn new(config: Arc<ServerConfig>) -> Result<Self> {
        let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
        Ok(Self { connection, decrypted: 0, records: Records::default(), has_part: false, has_failed: false })
    }

    /// Whether part of a handshake or of a record has arrived.
    pub fn has_part(&self) -> bool {
        self.has_part
    }

    /// Whether the client has broken a rule of TLS. The kept bytes then end with the alert.
    pub fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// Returns the protocol that was agreed on; `None` before that, or if the client named none.
    pub fn protocol(&self) -> Option<&[u8]> {
        self.connection.alpn_protocol()
    }

    /// Reads bytes that have arrived and are decrypted. Ends with `WouldBlock` when there are none,
    /// and with 0 once the client has said that no more data follows.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let read = self.connection.reader().read(buffer)?;
        // After a broken rule, `decrypted` lacks the bytes that arrived together with it.
        self.decrypted = self.decrypted.saturating_sub(read);
        Ok(read)
    }

    /// Reads decrypted bytes, or receives more from `source`, and makes the handshake on the way.
    /// Ends with `Interrupted` when only part of a handshake or of a record has arrived, and when
    /// there is something to send.
    pub fn read_from(&mut self, source: &mut impl Read, buffer: &mut [u8]) -> Result<usize> {
        match self.read(buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            read => return read,
        }
        let is_blocked = |error: Error| match error.kind() {
            ErrorKind::WouldBlock => ErrorKind::Interrupted.into(),
            _ => error,
        };
        if self.has_kept() {
            return Err(ErrorKind::Interrupted.into());
        }
        self.receive(source)?;
        self.read(buffer).map_err(is_blocked)
    }

    /// Returns the number of bytes that can be read at once.
    pub fn decrypted(&self) -> usize {
        self.decrypted
    }

    /// Whether there is something to send.
    pub fn has_kept(&self) -> bool {
        self.connection.wants_write()
    }

    /// Whether the handshake is not complete.
    pub fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// Receives bytes from `source`, and returns their number. All decrypted bytes have to be read
    /// before. After the client has broken a rule, and the alert that says so is sent, it fails
    /// with `InvalidData`.
    pub fn receive(&mut self, source: &mut impl Read) -> Result<usize> {
        if self.has_failed {
            return Err(ErrorKind::InvalidData.into());
        }
        let received = self.connection.read_tls(&mut Noted { source, records: &mut self.records })?;
        match self.connection.process_new_packets() {
            Ok(state) => self.decrypted = state.plaintext_bytes_to_read(),
            Err(_) => self.has_failed = true,
        }
        self.has_part = self.records.have_part() || received > 0 && self.connection.is_handshaking();
        Ok(received)
    }

    /// Takes bytes to be encrypted and sent. All kept bytes have to be sent before.
    pub fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.connection.writer().write(bytes)
    }

    /// Sends some of the kept bytes to `sink`.
    pub fn send(&mut self, sink: &mut impl Write) -> Result<usize> {
        match self.connection.write_tls(sink)? {
            0 => Err(ErrorKind::WriteZero.into()),
            sent => Ok(sent),
        }
    }

    /// Adds a `close_notify`, once, to the kept bytes. A client that has broken a rule gets none,
    /// since it gets an alert.
    pub fn end(&mut self) {
        if !self.has_failed {
            self.connection.send_close_notify();
        }
    }

    /// Sends kept bytes and a `close_notify` to `sink`, as far as it takes them without a wait.
    pub fn notify_end(&mut self, sink: &mut impl Write) {
        self.end();
        while self.has_kept() && self.send(sink).is_ok() {}
    }
}
