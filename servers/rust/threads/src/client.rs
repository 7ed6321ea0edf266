//! A connection with its socket.

use std::io::{Read, Result, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use shared::http::{Session, Stream, Turn};
use shared::process::{Accepted, ConnectionPermit, NonBlocking};

/// A connection that is open, served by a worker, queued for one, or parked.
pub(crate) struct Client {
    pub(crate) session: Session,
    /// How its last turn ended.
    pub(crate) turn: Turn,
    socket: Socket,
    _place: ConnectionPermit,
}

/// A blocking socket, the writes of which do not block: a client that does not read must not hold a thread.
pub(crate) struct Socket {
    stream: TcpStream,
    patience: Duration,
}

impl Client {
    pub(crate) fn new(accepted: Accepted) -> Self {
        let Accepted { stream, session, turn, place } = accepted;
        Self { session, turn, socket: Socket { stream, patience: Duration::ZERO }, _place: place }
    }

    /// The session with the socket that it runs on.
    pub(crate) fn parts(&mut self) -> (&mut Session, &mut Socket) {
        (&mut self.session, &mut self.socket)
    }

    /// Has reads wait for so long. A system call only when that is a change.
    pub(crate) fn set_patience(&mut self, patience: Duration) -> Result<()> {
        if self.socket.patience != patience {
            self.socket.stream.set_read_timeout(Some(patience))?;
            self.socket.patience = patience;
        }
        Ok(())
    }
}

impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.stream.as_fd()
    }
}

impl Stream for Socket {
    fn shutdown(&self, how: Shutdown) -> Result<()> {
        self.stream.shutdown(how)
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

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
