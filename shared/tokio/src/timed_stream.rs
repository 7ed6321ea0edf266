//! A client's socket for a library that speaks HTTP/2 on it, and keeps the rules of that itself.

use std::io::{ErrorKind, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use shared::http::WaitingFor;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::timed_socket::TimedSocket;

/// A socket that ends when its client has sent nothing, or not read, for too long. Any frame counts:
/// which ones belong to a request is not known here.
pub struct TimedStream(pub TimedSocket);

impl AsyncRead for TimedStream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context, buffer: &mut ReadBuf) -> Poll<Result<()>> {
        let socket = &mut self.get_mut().0;
        ready!(socket.poll_flush(context))?;
        let read = socket.poll_read(context, buffer);
        if read.is_pending() {
            ready!(socket.poll_timeout(context, WaitingFor::Request));
            return Poll::Ready(Err(ErrorKind::TimedOut.into()));
        }
        socket.restart_timeout();
        read
    }
}

impl AsyncWrite for TimedStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context, bytes: &[u8]) -> Poll<Result<usize>> {
        self.get_mut().0.poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context) -> Poll<Result<()>> {
        self.get_mut().0.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context) -> Poll<Result<()>> {
        let socket = &mut self.get_mut().0;
        ready!(socket.poll_flush(context))?;
        socket.notify_end(context);
        Poll::Ready(socket.shut_down_writing())
    }
}
