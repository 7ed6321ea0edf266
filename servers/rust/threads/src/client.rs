//! A connection with its socket.

use std::io::{IoSlice, Read, Result, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use shared::http::{NonBlocking, Session, Stream, Turn};
use shared::lifecycle::ConnectionPermit;
use shared::process::Accepted;

/// An open connection: served by a worker, queued for one, or parked.
pub(crate) struct Client {
    pub(crate) socket: Socket,
    pub(crate) session: Session,
    /// How its last turn ended.
    pub(crate) turn: Turn,
    _permit: ConnectionPermit,
}

/// A socket whose writes never block: a client that does not read must not hold a thread.
pub(crate) struct Socket {
    stream: TcpStream,
    read_timeout: Duration,
}

impl Client {
    pub(crate) fn new(accepted: Accepted) -> Self {
        let Accepted { stream, session, turn, permit } = accepted;
        let socket = Socket { stream, read_timeout: Duration::ZERO };
        Self { socket, session, turn, _permit: permit }
    }
}

impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.stream.as_fd()
    }
}

impl Socket {
    /// Sets how long a read blocks, with a system call only when that changes.
    pub(crate) fn set_read_timeout(&mut self, timeout: Duration) -> Result<()> {
        if self.read_timeout != timeout {
            self.stream.set_read_timeout(Some(timeout))?;
            self.read_timeout = timeout;
        }
        Ok(())
    }
}

impl Stream for Socket {
    fn shut_down_writing(&mut self) -> Result<()> {
        self.stream.shut_down_writing()
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.stream.read(buffer)
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        NonBlocking::new(&self.stream).write(bytes)
    }

    fn write_vectored(&mut self, pieces: &[IoSlice]) -> Result<usize> {
        NonBlocking::new(&self.stream).write_vectored(pieces)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
