//! A client in memory, which costs almost nothing, so that only the server's side is measured.

use std::hint::black_box;
use std::io::{ErrorKind, Read, Result, Write};
use std::sync::Arc;

use crate::http::{Buffers, Driver, Session, Stream, Timeouts, Turn};
use crate::lifecycle::Lifecycle;

/// A client that sends its pieces, one per read, then nothing, and reads every answer at once.
pub struct Wire<'a> {
    pieces: &'a [&'a str],
    /// Bytes that the client has read.
    pub received: usize,
}

impl<'a> Wire<'a> {
    /// Creates a client that sends `pieces`.
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
    fn shut_down_writing(&mut self) -> Result<()> {
        Ok(())
    }
}

/// A thread that serves sessions in memory, of a server in the stage `Serving`.
pub struct ServingThread {
    buffers: Buffers,
    timeouts: Timeouts,
    lifecycle: Arc<Lifecycle>,
    others_wait: bool,
}

impl ServingThread {
    /// Creates a thread for which other connections wait, or do not wait.
    pub fn new(others_wait: bool) -> Self {
        let (buffers, timeouts, lifecycle) = (Buffers::default(), Timeouts::default(), Lifecycle::new(1));
        Self { buffers, timeouts, lifecycle, others_wait }
    }

    /// Runs a turn of `session`.
    pub fn turn(&mut self, session: &mut Session, stream: &mut impl Stream) -> Turn {
        session.turn(Driver {
            stream,
            buffers: &mut self.buffers,
            timeouts: &self.timeouts,
            lifecycle: &self.lifecycle,
            others_wait: || self.others_wait,
        })
    }
}
