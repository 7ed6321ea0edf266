//! A socket that is asked only when epoll has said that there is something.

use std::io::{ErrorKind, Read, Result, Write};
use std::net::Shutdown;

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use shared::http::Stream;

/// A socket whose reads and writes do not block.
pub(crate) struct Socket {
    stream: TcpStream,
    /// An end has come, so that a read must not stop before it.
    ends: bool,
    /// There was less to read than there was room. As long as no event comes, asking again would be in vain.
    drained: bool,
}

impl Socket {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, ends: false, drained: false }
    }

    /// Has epoll tell of it: of both directions at once and, as mio does it, edge-triggered, so that nothing is ever changed
    /// about it there. Closing the socket takes it out.
    pub(crate) fn watch(&mut self, registry: &Registry, token: Token) -> Result<()> {
        registry.register(&mut self.stream, token, Interest::READABLE | Interest::WRITABLE)
    }

    /// Takes note of an event.
    pub(crate) fn note(&mut self, event: &Event) {
        self.ends |= event.is_read_closed() || event.is_error();
        if event.is_readable() || self.ends {
            self.drained = false;
        }
    }

    /// Has the next read ask the kernel, whether an event has come or not.
    pub(crate) fn look_again(&mut self) {
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
            return Err(ErrorKind::WouldBlock.into());
        }
        let read = self.stream.read(buffer);
        self.drained = match &read {
            Ok(bytes) => *bytes < buffer.len() && !self.ends,
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        };
        read
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
