//! A client in memory, which costs as good as nothing: what is measured is the server's side.

use std::hint::black_box;
use std::io::{ErrorKind, Read, Result, Write};
use std::net::Shutdown;

use crate::http::{Pace, Stream};

/// A client that sends its pieces, one a read, and then nothing more. It takes every answer at once.
pub struct Wire<'a> {
    pieces: &'a [&'a str],
    /// Bytes that it has taken.
    pub received: usize,
}

impl<'a> Wire<'a> {
    /// A client with those pieces to send.
    pub fn new(pieces: &'a [&'a str]) -> Self {
        Self { pieces, received: 0 }
    }
}

impl Read for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let Some((piece, rest)) = self.pieces.split_first() else { return Err(ErrorKind::WouldBlock.into()) };
        self.pieces = rest;
        buffer[..piece.len()].copy_from_slice(piece.as_bytes());
        Ok(piece.len())
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.received += black_box(bytes).len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Stream for Wire<'_> {
    fn shutdown(&self, _: Shutdown) -> Result<()> {
        Ok(())
    }
}

/// A server with nobody else to serve.
pub struct Alone;

impl Pace for Alone {
    fn others_wait(&self) -> bool {
        false
    }
    fn is_draining(&self) -> bool {
        false
    }
    fn is_ending(&self) -> bool {
        false
    }
}
