//! The state of TLS of a connection: bytes in, bytes out.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection};

use super::records::{Noted, Records};

/// The state of TLS of one connection, without its socket.
#[derive(Debug)]
pub struct Tls {
    connection: ServerConnection,
    /// Bytes that are decrypted and not read.
    decrypted: usize,
    records: Records,
    /// The client has sent part of a handshake or of a record.
    has_part: bool,
    /// The client has broken a rule of TLS.
    has_failed: bool,
}

impl Tls {
    /// The state of a connection whose handshake is still to come.
    pub fn new(config: Arc<ServerConfig>) -> Result<Self> {
        let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
        Ok(Self { connection, decrypted: 0, records: Records::default(), has_part: false, has_failed: false })
    }

    /// Whether part of a handshake or of a record has arrived.
    pub fn has_part(&self) -> bool {
        self.has_part
    }

    /// Whether the client has broken a rule of TLS. What is kept then ends with the alert.
    pub fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// The protocol that was agreed on; `None` before that, and for a client that named none.
    pub fn protocol(&self) -> Option<&[u8]> {
        self.connection.alpn_protocol()
    }

    /// Gives what has arrived and is decrypted. Ends with `WouldBlock` where there is none, and with
    /// 0 once the client has said that nothing follows.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let read = self.connection.reader().read(buffer)?;
        // After a rule was broken it does not know what came before that in one piece.
        self.decrypted = self.decrypted.saturating_sub(read);
        Ok(read)
    }

    /// Reads what is decrypted, or else what `source` has next. A handshake is made on the way. Where what
    /// arrived is no more than a part of one, or of a record, and where there is something to send, the
    /// read ends with `Interrupted`.
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

    /// Bytes that a read gives at once.
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

    /// Takes from `source` what has arrived, once all that was decrypted is read; returns the number
    /// of bytes. After a rule was broken, and the alert that says so is sent, it fails with
    /// `InvalidData`.
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

    /// Takes bytes to be encrypted and sent. Everything kept has to be sent before.
    pub fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.connection.writer().write(bytes)
    }

    /// Sends some of what is kept to `sink`.
    pub fn send(&mut self, sink: &mut impl Write) -> Result<usize> {
        match self.connection.write_tls(sink)? {
            0 => Err(ErrorKind::WriteZero.into()),
            sent => Ok(sent),
        }
    }

    /// Says once, at the end of what is kept, that nothing follows; not to a client that has broken a
    /// rule, to which that is an alert.
    pub fn end(&mut self) {
        if !self.has_failed {
            self.connection.send_close_notify();
        }
    }

    /// Says that to `sink`, as far as it takes it without a wait.
    pub fn notify_end(&mut self, sink: &mut impl Write) {
        self.end();
        while self.has_kept() && self.send(sink).is_ok() {}
    }
}
