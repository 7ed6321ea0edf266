//! The streams that a session runs over.

use std::io::{ErrorKind, IoSlice, Read, Result, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, AsRawFd};

use nix::errno::Errno;
use nix::sys::socket::{self, MsgFlags};
use socket2::SockRef;

/// A stream whose reads and writes may end with `WouldBlock` or `TimedOut`, at which a turn ends.
///
/// What a stream has taken in a write may be kept in it: a write to the client is complete only
/// when nothing is [kept](Stream::has_kept). A read that ends with `Interrupted` may have added to
/// it. A plain socket keeps nothing, and has none of the methods that have a default.
pub trait Stream: Read + Write {
    /// Ends the sending side, so that the client reads an end after the last answer.
    fn shut_down_writing(&mut self) -> Result<()>;

    /// Whether something is kept that is to be sent.
    fn has_kept(&self) -> bool {
        false
    }

    /// Sends some of what is kept, and returns the number of bytes.
    fn send_kept(&mut self) -> Result<usize> {
        Ok(0)
    }

    /// Whether part of something has arrived that no read gives yet: a handshake, or a record.
    fn has_part(&self) -> bool {
        false
    }

    /// Reads what follows the last request, to drop it.
    fn discard(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.read(buffer)
    }

    /// Tells the client that nothing follows, as far as the stream takes that without a wait.
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

/// How a non-blocking write is made: without a signal for a connection that is gone.
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
