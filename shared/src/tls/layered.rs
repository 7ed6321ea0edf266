//! A socket, with TLS above it or not, as one type. A session is thus compiled once, so that the
//! functions that it calls are inlined, and a plain request costs one more branch.

use std::io::{Read, Result, Write};

use super::state::Tls;
use crate::http::Stream;

/// A connection's socket for a turn, and its TLS state.
pub struct Layered<'a, S> {
    /// The TLS state; `None` when the connection is not encrypted.
    pub tls: Option<&'a mut Tls>,
    /// The socket.
    pub socket: &'a mut S,
}

impl<S: Stream> Stream for Layered<'_, S> {
    fn shut_down_writing(&mut self) -> Result<()> {
        self.socket.shut_down_writing()
    }

    fn has_kept(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.has_kept())
    }

    fn send_kept(&mut self) -> Result<usize> {
        match &mut self.tls {
            None => Ok(0),
            Some(tls) => send_kept(tls, self.socket),
        }
    }

    fn has_part(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.has_part())
    }

    /// Reads from the socket, since bytes that are dropped need not be decrypted.
    fn discard(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.socket.read(buffer)
    }

    fn notify_end(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.notify_end(self.socket);
        }
    }
}

impl<S: Stream> Read for Layered<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        match &mut self.tls {
            None => self.socket.read(buffer),
            Some(tls) => read(tls, self.socket, buffer),
        }
    }
}

impl<S: Stream> Write for Layered<'_, S> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        match &mut self.tls {
            None => self.socket.write(bytes),
            Some(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> Result<()> {
        self.socket.flush()
    }
}

#[inline(never)]
fn send_kept(tls: &mut Tls, socket: &mut impl Stream) -> Result<usize> {
    tls.send(socket)
}

#[inline(never)]
fn read(tls: &mut Tls, socket: &mut impl Stream, buffer: &mut [u8]) -> Result<usize> {
    tls.read_from(socket, buffer)
}
