//! What lies between hyper and the socket: answers to pipelined requests go out in one write, and a client that keeps
//! silent or does not read is dropped in time.
//!
//! hyper flushes after each answer. Here a flush does nothing: what was written is sent when hyper next reads, which it
//! does once it has answered all that it has, or when it shuts down. hyper's own `pipeline_flush` does the same more
//! cheaply by a hair, and loses answers: it skips the flush while its read buffer holds half of a request.

use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use shared::http::Times;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

/// Bytes that are kept back before they are sent whatever hyper does: a client that never reads holds no more.
const MARK: usize = 16 * 1024;

/// A socket that keeps written bytes back.
pub(crate) struct Batched {
    socket: TcpStream,
    output: Vec<u8>,
    /// How much of `output` was sent.
    sent: usize,
    times: Times,
    /// What the client is waited for, and since when.
    waiting: Waiting,
    since: Option<Instant>,
    alarm: Pin<Box<Sleep>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Waiting {
    /// A first or a next request.
    Request,
    /// The rest of a request, of which the first byte has come.
    Rest,
    /// To take what it asked for.
    Reader,
}

impl Batched {
    pub(crate) fn new(socket: TcpStream, times: Times) -> Self {
        let alarm = Box::pin(sleep(times.idle));
        let waiting = Waiting::Request;
        Self { socket, output: Vec::new(), sent: 0, times, waiting, since: None, alarm }
    }

    /// Sends all that was kept back.
    fn poll_send(&mut self, context: &mut Context) -> Poll<Result<()>> {
        if self.output.is_empty() {
            return Poll::Ready(Ok(()));
        }
        while let Some(rest) = self.output.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match Pin::new(&mut self.socket).poll_write(context, rest)? {
                Poll::Ready(0) => return Poll::Ready(Err(ErrorKind::WriteZero.into())),
                Poll::Ready(sent) => {
                    self.sent += sent;
                    self.since = None;
                }
                Poll::Pending => return self.poll_patience(context, Waiting::Reader).map(Err),
            }
        }
        self.output.clear();
        self.sent = 0;
        self.waiting = Waiting::Request;
        self.since = None;
        Poll::Ready(Ok(()))
    }

    /// Ready when the client has been waited for long enough. The alarm is set anew only when it has rung too early or
    /// would ring too late, so that a request costs a look at the clock and no more.
    fn poll_patience(&mut self, context: &mut Context, waiting: Waiting) -> Poll<Error> {
        if self.waiting != waiting {
            self.waiting = waiting;
            self.since = None;
        }
        let deadline = *self.since.get_or_insert_with(Instant::now) + self.patience();
        if self.alarm.deadline() > deadline {
            self.alarm.as_mut().reset(deadline);
        }
        loop {
            ready!(self.alarm.as_mut().poll(context));
            if Instant::now() >= deadline {
                return Poll::Ready(ErrorKind::TimedOut.into());
            }
            self.alarm.as_mut().reset(deadline);
        }
    }

    fn patience(&self) -> Duration {
        match self.waiting {
            Waiting::Request => self.times.idle,
            Waiting::Rest => self.times.head,
            Waiting::Reader => self.times.write,
        }
    }
}

impl AsyncRead for Batched {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context, buffer: &mut ReadBuf) -> Poll<Result<()>> {
        ready!(self.poll_send(context))?;
        let before = buffer.filled().len();
        match Pin::new(&mut self.socket).poll_read(context, buffer)? {
            Poll::Ready(()) => {
                if buffer.filled().len() > before && self.waiting == Waiting::Request {
                    self.waiting = Waiting::Rest;
                    self.since = None;
                }
                Poll::Ready(Ok(()))
            }
            Poll::Pending => {
                let waiting = self.waiting;
                self.poll_patience(context, waiting).map(Err)
            }
        }
    }
}

impl AsyncWrite for Batched {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context, bytes: &[u8]) -> Poll<Result<usize>> {
        if self.output.len() >= MARK {
            ready!(self.poll_send(context))?;
        }
        self.output.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context) -> Poll<Result<()>> {
        ready!(self.poll_send(context))?;
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
