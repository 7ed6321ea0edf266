//! A task's socket as a stream that does not block.

use std::io::{ErrorKind, IoSlice, Read, Result, Write};
use std::task::{Context, Poll};

use shared::http::Stream;
use tokio::io::ReadBuf;

use crate::socket::Socket;

/// A socket for one turn. When a read or a write would block, the task is woken once it would not.
pub struct TaskStream<'a, 'b> {
    /// The socket.
    pub socket: &'a mut Socket,
    /// The task.
    pub context: &'a mut Context<'b>,
    /// Whether to ask the kernel when tokio, which looks only now and then, reports nothing.
    pub insists: bool,
}

impl Stream for TaskStream<'_, '_> {
    fn shut_down_writing(&mut self) -> Result<()> {
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

    fn write_vectored(&mut self, pieces: &[IoSlice]) -> Result<usize> {
        match self.socket.poll_write_vectored(self.context, pieces) {
            Poll::Ready(written) => written,
            Poll::Pending => Err(ErrorKind::WouldBlock.into()),
        }
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
