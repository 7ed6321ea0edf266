//! A task's socket as a stream that does not block.

use std::io::{ErrorKind, Read, Result, Write};
use std::task::{Context, Poll};

use shared::http::Stream;
use shared_tokio::Socket;
use tokio::io::ReadBuf;

/// A socket for one turn. Where a read or a write would block, the task is woken once it would not.
pub(crate) struct TaskStream<'a, 'b> {
    pub(crate) socket: &'a mut Socket,
    pub(crate) context: &'a mut Context<'b>,
    /// Whether the kernel is asked where tokio, which looks only now and then, reports nothing.
    pub(crate) insists: bool,
}

impl Stream for TaskStream<'_, '_> {
    fn shut_down_writing(&self) -> Result<()> {
        self.socket.shut_down_writing()
    }
}

impl Read for TaskStream<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut room = ReadBuf::new(buffer);
        match self.socket.poll_read(self.context, &mut room) {
            Poll::Ready(read) => read.map(|()| room.filled().len()),
            Poll::Pending if self.insists => self.socket.read_now(buffer),
            Poll::Pending => Err(ErrorKind::WouldBlock.into()),
        }
    }
}

impl Write for TaskStream<'_, '_> {
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
