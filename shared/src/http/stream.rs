//! The streams that a session runs over.

use std::io::{ErrorKind, IoSlice, Read, Result, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, AsRawFd};

use nix::errno::Errno;
use nix::sys::socket::{self, MsgFlags};
use socket2::SockRef;

/// A stream whose reads and writes may end with `WouldBlock` or `TimedOut`, at which a turn ends.
///
/// A stream may keep bytes that were written to it: they are sent to the client only when nothing
/// is [kept](Stream::has_kept) any longer. A read that ends with `Interrupted` may have added to
/// the kept bytes. A plain socket keeps nothing, and overrides none of the default methods.
pub trait Stream: Read + Write {
    /// Ends the sending side, so that the client reads an end after the last answer.
    fn shut_down_writing(&mut self) -> Result<()>;

    /// Whether the stream keeps bytes that have to be sent.
    fn has_kept(&self) -> bool {
        false
    }

    /// Sends some of the kept bytes, and returns their number.
    fn send_kept(&mut self) -> Result<usize> {
        Ok(0)
    }

    /// Whether part of a handshake or of a record has arrived, which no read returns yet.
    fn has_part(&self) -> bool {
        false
    }

    /// Reads bytes after the last request, which are dropped.
    fn discard(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.read(buffer)
    }

    /// Tells the client that no more data follows, if the stream accepts that without a wait.
    fn notify_end(&mut self) {}
}

impl<S: Stream> Stream for &mut S {
    fn shut_down_writing(&mut self) -> Result<()> {
        (**self).shut_down_writing()
    }

    fn has_kept(&self) -> bool {
        (**self).has_kept()
    }

    fn send_kept(&mut self) -> Result<usize> {
        (**self).send_kept()
    }

    fn has_part(&self) -> bool {
        (**self).has_part()
    }

    fn discard(&mut self, buffer: &mut [u8]) -> Result<usize> {
        (**self).discard(buffer)
    }

    fn notify_end(&mut self) {
        (**self).notify_end();
    }
}

impl Stream for TcpStream {
    fn shut_down_writing(&mut self) -> Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

/// Non-blocking reads and writes on a socket, blocking or not (`MSG_DONTWAIT`).
///
/// A read that returns less than it had room for has emptied the socket. The next read ends with
/// `WouldBlock` without a system call, until [`NonBlocking::note_event`] says that there is more.
pub struct NonBlocking<S> {
    socket: S,
    /// Whether the client has ended its side. No further event says so: reads continue to the end.
    is_ended: bool,
    /// Whether the last read emptied the socket.
    is_empty: bool,
}

impl<S: AsFd> NonBlocking<S> {
    /// Wraps a socket that may have something to read.
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

    /// Returns the socket itself.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.socket
    }
}

impl<S: AsFd> Stream for NonBlocking<S> {
    fn shut_down_writing(&mut self) -> Result<()> {
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

/// The flags of a non-blocking write, for which a closed connection raises no signal.
const WRITE_FLAGS: MsgFlags = MsgFlags::MSG_DONTWAIT.union(MsgFlags::MSG_NOSIGNAL);

impl<S: AsFd> Write for NonBlocking<S> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        Ok(socket::send(self.socket.as_fd().as_raw_fd(), bytes, WRITE_FLAGS)?)
    }

    fn write_vectored(&mut self, pieces: &[IoSlice]) -> Result<usize> {
        if let [piece] = pieces {
            return self.write(piece);
        }
        SockRef::from(&self.socket).send_vectored_with_flags(pieces, WRITE_FLAGS.bits())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
