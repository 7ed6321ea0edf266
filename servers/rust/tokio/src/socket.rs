//! A socket in a task, as a stream that does not block.

use std::io::{ErrorKind, Read, Result, Write};
use std::net::Shutdown;
use std::task::{Context, Poll};

use shared::http::Stream;
use shared_tokio::Socket;
use tokio::io::ReadBuf;

/// A socket for one turn. When a read or a write would block, the task is woken when it would not any more.
pub(crate) struct NonBlocking<'a, 'b> {
    pub(crate) socket: &'a mut Socket,
    pub(crate) context: &'a mut Context<'b>,
    /// tokio looks for events only now and then. Whether the kernel is asked where tokio knows of nothing.
    pub(crate) insists: bool,
}

impl Stream for NonBlocking<'_, '_> {
    fn shutdown(&self, how: Shutdown) -> Result<()> {
        self.socket.shutdown(how)
    }
}

impl Read for NonBlocking<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut room = ReadBuf::new(buffer);
        match self.socket.poll_read(self.context, &mut room) {
            Poll::Ready(read) => read.map(|()| room.filled().len()),
            Poll::Pending if self.insists => self.socket.read_now(buffer),
            Poll::Pending => Err(ErrorKind::WouldBlock.into()),
        }
    }
}

impl Write for NonBlocking<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        match self.socket.poll_write(self.context, bytes) {
            Poll::Ready(written) => written,
            Poll::Pending => Err(ErrorKind::WouldBlock.into()),
        }
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
