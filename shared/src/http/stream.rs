//! The streams that a session runs over.

use std::io::{ErrorKind, Read, Result, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, AsRawFd};

use nix::errno::Errno;
use nix::sys::socket::{self, MsgFlags};

/// A stream whose reads and writes may end with `WouldBlock` or `TimedOut`, at which a turn ends.
pub trait Stream: Read + Write {
    /// Ends the sending side, so that the client reads an end after the last answer.
    fn shut_down_writing(&self) -> Result<()>;
}

impl Stream for TcpStream {
    fn shut_down_writing(&self) -> Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

/// Non-blocking reads and writes on a socket, blocking or not (`MSG_DONTWAIT`).
///
/// A read that got less than it had room for emptied the socket. The next one ends with
/// `WouldBlock` without a system call, until [`NonBlocking::note_event`] says that there is more.
pub struct NonBlocking<S> {
    socket: S,
    /// The client has ended its side, which no further event announces: reads continue to the end.
    is_ended: bool,
    /// The last read left nothing.
    is_empty: bool,
}

impl<S: AsFd> NonBlocking<S> {
    /// A socket that may have something to read.
    pub fn new(socket: S) -> Self {
        Self { socket, is_ended: false, is_empty: false }
    }

    /// Takes note of what epoll reported: whether there is something to read, and whether the
    /// client has ended its side or the connection failed.
    pub fn note_event(&mut self, is_readable: bool, is_ended: bool) {
        self.is_ended |= is_ended;
        if is_readable || self.is_ended {
            self.is_empty = false;
        }
    }

    /// The socket itself.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.socket
    }
}

impl<S: AsFd> Stream for NonBlocking<S> {
    fn shut_down_writing(&self) -> Result<()> {
        Ok(socket::shutdown(self.socket.as_fd().as_raw_fd(), socket::Shutdown::Write)?)
    }
}

impl<S: AsFd> Read for NonBlocking<S> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.is_empty {
            return Err(ErrorKind::WouldBlock.into());
        }
        let read = socket::recv(self.socket.as_fd().as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT);
        self.is_empty = match read {
            Ok(bytes) => bytes < buffer.len() && !self.is_ended,
            Err(error) => error == Errno::EAGAIN,
        };
        Ok(read?)
    }
}

impl<S: AsFd> Write for NonBlocking<S> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
        Ok(socket::send(self.socket.as_fd().as_raw_fd(), bytes, flags)?)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
