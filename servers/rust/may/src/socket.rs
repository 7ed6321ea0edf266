//! A socket that a coroutine waits for.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

use may::io::{CoIo, WaitIo, WaitIoWaker};
use shared::http::Stream;
use shared::process::Wake;

/// `EPOLLERR`, `EPOLLHUP` and `EPOLLRDHUP` of epoll(7): behind what there is to read there is an end.
const ENDS: usize = 0x8 | 0x10 | 0x2000;

/// A socket whose reads and writes do not block. That is left to [`Socket::wait`].
pub(crate) struct Socket {
    // Dropped in this order: the socket leaves epoll before it is closed. If `CoIo` owned it, it would be closed first, and
    // then a connection that has just got the same number on another thread would leave epoll in its place.
    events: CoIo<Arc<TcpStream>>,
    stream: Arc<TcpStream>,
    /// An end has come, so that a read must not stop before it.
    ends: bool,
    /// There was less to read than there was room. As long as no event comes, asking again would be in vain.
    drained: bool,
}

/// Ends a wait, from any thread.
pub(crate) struct Waker(WaitIoWaker);

impl Wake for Waker {
    fn wake(&self) {
        self.0.wakeup();
    }
}

impl Socket {
    pub(crate) fn new(stream: TcpStream) -> Result<Self> {
        let stream = Arc::new(stream);
        let events = CoIo::new(Arc::clone(&stream))?;
        Ok(Self { events, stream, ends: false, drained: false })
    }

    /// What ends a wait.
    pub(crate) fn waker(&self) -> Waker {
        Waker(self.events.waker())
    }

    /// Gives the thread to other coroutines until there is something to read, or room to write, or a waker asks for it.
    pub(crate) fn wait(&mut self) {
        self.ends |= self.events.wait_io() & ENDS != 0;
        self.drained = false;
    }
}

impl Stream for Socket {
    fn shutdown(&self, how: Shutdown) -> Result<()> {
        self.stream.shutdown(how)
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.drained {
            return Err(Error::from(ErrorKind::WouldBlock));
        }
        let read = (&*self.stream).read(buffer)?;
        self.drained = read < buffer.len() && !self.ends;
        Ok(read)
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        (&*self.stream).write(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
