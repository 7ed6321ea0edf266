//! A socket with TLS above it, as a stream of what is encrypted.

use std::io::{Error, ErrorKind, Read, Result, Write};

use super::state::Tls;
use crate::http::Stream;

/// A connection's socket for a turn, and its state of TLS.
pub struct Encrypted<'a, S> {
    /// The state of TLS, which the connection keeps between turns.
    pub tls: &'a mut Tls,
    /// The socket.
    pub socket: S,
}

impl<S: Stream> Stream for Encrypted<'_, S> {
    fn shut_down_writing(&mut self) -> Result<()> {
        self.socket.shut_down_writing()
    }

    fn has_kept(&self) -> bool {
        self.tls.has_kept()
    }

    fn send_kept(&mut self) -> Result<usize> {
        self.tls.send(&mut self.socket)
    }

    fn has_part(&self) -> bool {
        self.tls.has_part()
    }

    /// Nothing is decrypted that is dropped.
    fn discard(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.socket.read(buffer)
    }

    fn notify_end(&mut self) {
        self.tls.end();
        while self.has_kept() && self.send_kept().is_ok() {}
    }
}

impl<S: Stream> Read for Encrypted<'_, S> {
    /// A handshake is made on the way. Where what arrived is no more than a part of one, or of a
    /// record, and where there is something to send, the read ends with `Interrupted`.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        match self.tls.read(buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            read => return read,
        }
        let is_blocked = |error: Error| match error.kind() {
            ErrorKind::WouldBlock => ErrorKind::Interrupted.into(),
            _ => error,
        };
        if self.tls.has_kept() {
            return Err(ErrorKind::Interrupted.into());
        }
        self.tls.receive(&mut self.socket)?;
        self.tls.read(buffer).map_err(is_blocked)
    }
}

impl<S: Stream> Write for Encrypted<'_, S> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.tls.write(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        while self.has_kept() {
            self.send_kept()?;
        }
        Ok(())
    }
}
