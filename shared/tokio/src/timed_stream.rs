//! A client's socket for a library that speaks HTTP/2 on it, and enforces its rules itself.

use std::io::{ErrorKind, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use shared::http::{Frames, WaitingFor};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::open_bodies::OpenBodies;
use crate::timed_socket::TimedSocket;

/// A socket that times out when its client has requested nothing, has not completed a frame, or has
/// not read, for too long.
pub struct TimedStream {
    socket: TimedSocket,
    frames: Frames,
    bodies: OpenBodies,
}

impl TimedStream {
    /// Creates a stream before the first byte of HTTP/2. The service counts the bodies that it
    /// waits for in `bodies`.
    pub fn new(socket: TimedSocket, bodies: OpenBodies) -> Self {
        Self { socket, frames: Frames::default(), bodies }
    }

    /// Ready when the client's timeout for its next bytes has passed.
    fn poll_timeout(&mut self, context: &Context) -> Poll<()> {
        let waiting = match self.frames.waiting_for() {
            WaitingFor::Request => WaitingFor::input(self.bodies.are_any(), self.socket.has_part()),
            waiting => waiting,
        };
        self.socket.poll_timeout(context, waiting)
    }

    /// Writes by `write`. After a write that had to wait, the server waits for the client to send.
    fn poll_writing<T>(
        &mut self,
        context: &mut Context,
        write: impl FnOnce(&mut TimedSocket, &mut Context) -> Poll<Result<T>>,
    ) -> Poll<Result<T>> {
        let was_unread = self.socket.is_unread();
        let written = write(&mut self.socket, context);
        if was_unread && !self.socket.is_unread() {
            // This wait begins now, so its timeout cannot have passed.
            let _ = self.poll_timeout(context);
        }
        written
    }
}

impl AsyncRead for TimedStream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context, buffer: &mut ReadBuf) -> Poll<Result<()>> {
        let this = self.get_mut();
        ready!(this.socket.poll_flush(context))?;
        let before = buffer.filled().len();
        match this.socket.poll_read(context, buffer) {
            // The write that waits has a deadline, and the library retries it.
            Poll::Pending if this.socket.is_unread() => Poll::Pending,
            Poll::Pending => this.poll_timeout(context).map(|()| Err(ErrorKind::TimedOut.into())),
            Poll::Ready(read) => {
                let arrived = buffer.filled().get(before..).unwrap_or_default();
                if this.frames.receive(arrived) && !this.socket.is_unread() {
                    this.socket.restart_timeout();
                }
                Poll::Ready(read)
            }
        }
    }
}

impl AsyncWrite for TimedStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context, bytes: &[u8]) -> Poll<Result<usize>> {
        self.get_mut().poll_writing(context, |socket, context| socket.poll_write(context, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context) -> Poll<Result<()>> {
        self.get_mut().poll_writing(context, TimedSocket::poll_flush)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context) -> Poll<Result<()>> {
        let socket = &mut self.get_mut().socket;
        ready!(socket.poll_flush(context))?;
        socket.notify_end(context);
        Poll::Ready(socket.shut_down_writing())
    }
}
