//! A socket that is not waited for.

use std::io::{ErrorKind, Read, Result, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsRawFd;

use nix::sys::socket::{MsgFlags, recv, send};

use crate::http::Stream;

/// A stream over a socket that blocks, whose reads and writes do not: where they would have to wait they say so.
pub struct NonBlocking<'a> {
    socket: &'a TcpStream,
    /// There was less to read than there was room, so that to ask again would be in vain.
    drained: bool,
}

impl<'a> NonBlocking<'a> {
    /// For as long as nobody has waited for the socket meanwhile.
    pub fn new(socket: &'a TcpStream) -> Self {
        Self { socket, drained: false }
    }
}

impl Stream for NonBlocking<'_> {
    fn shutdown(&self, how: Shutdown) -> Result<()> {
        self.socket.shutdown(how)
    }
}

impl Read for NonBlocking<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.drained {
            return Err(ErrorKind::WouldBlock.into());
        }
        let read = recv(self.socket.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT)?;
        self.drained = read < buffer.len();
        Ok(read)
    }
}

impl Write for NonBlocking<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        Ok(send(self.socket.as_raw_fd(), bytes, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL)?)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
