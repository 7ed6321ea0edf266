//! The stream between a socket and a framework.

mod closing;
mod reading;

use std::future::poll_fn;
use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use shared::http::{Next, RequestFilter, Timeouts};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use self::closing::Phase;
use crate::client_timeout::{ClientTimeout, Waiting};
use crate::lifecycle::Lifecycle;
use crate::request_counter::RequestCounter;
use crate::socket::Socket;

/// Bytes that are kept back before they are sent whatever the framework does: a client that never reads holds no more.
const OUTPUT_MARK: usize = 16 * 1024;

/// Room for output that a connection keeps while it waits for a request.
const OUTPUT_KEPT: usize = 4096;

/// Bytes that are read at once before a framework has a buffer for them, behind half of a head, or after a last answer.
const PIECE_BYTES: usize = 4096;

/// When answers are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// When the framework flushes: for one that does so once for all requests that it has read.
    AtOnce,
    /// When the framework reads again: for one that flushes after each answer. It has then answered all that it had, so
    /// that the answers to pipelined requests go out in one write.
    WhenRead,
}

/// A socket with the rules in front. Each request that comes through it has to be counted in its [`RequestCounter`] when it is
/// answered.
pub struct FilteredStream {
    socket: Socket,
    filter: RequestFilter,
    counter: Arc<RequestCounter>,
    patience: ClientTimeout,
    flush: Flush,
    phase: Phase,
    /// What was read and has not passed; of that, how many bytes may. Empty for a connection that waits for a request.
    input: Vec<u8>,
    admitted: usize,
    /// What comes after what was admitted.
    next: Next,
    ended: bool,
    /// What was kept back, and how much of it was sent.
    output: Vec<u8>,
    sent: usize,
    flushed: bool,
    /// The framework wanted to read before it had answered.
    read_when_settled: bool,
}

impl FilteredStream {
    /// Puts the rules in front of `socket`: one that tokio watches, or that was just accepted.
    pub fn new(socket: impl Into<Socket>, times: Timeouts, lifecycle: &Arc<Lifecycle>, flush: Flush) -> Self {
        lifecycle.opened();
        Self {
            socket: socket.into(),
            filter: RequestFilter::default(),
            counter: Arc::new(RequestCounter::new(Arc::clone(lifecycle))),
            patience: ClientTimeout::new(times),
            flush,
            phase: Phase::Open,
            input: Vec::new(),
            admitted: 0,
            next: Next::Input,
            ended: false,
            output: Vec::new(),
            sent: 0,
            flushed: true,
            read_when_settled: false,
        }
    }

    /// Where this connection's requests are counted.
    pub fn counter(&self) -> &Arc<RequestCounter> {
        &self.counter
    }

    /// Waits, for a connection that is new or [quiet](RequestCounter::is_quiet), until there is something for a framework to do.
    pub async fn until_used(&mut self) {
        poll_fn(|context| self.poll_use(context)).await;
    }

    /// Whether all that passed has been answered, but for a request whose body is still passing.
    fn is_settled(&self) -> bool {
        self.flushed && self.counter.unanswered() == u32::from(self.filter.is_in_body())
    }

    /// Has the framework wait with its next request until it has answered those before.
    fn wait_until_settled(&mut self, context: &mut Context) {
        // Mostly there is no next request, so that its first byte is what to wait for.
        let nothing_waits = matches!(self.next, Next::Input | Next::Answer) && self.input.is_empty();
        self.read_when_settled = !(nothing_waits && self.socket.poll_read_ready(context).is_pending());
        if self.flushed && !self.read_when_settled {
            // The wait for it begins, and cannot be over yet.
            let _ = self.patience.poll(self.counter.lifecycle(), context, Waiting::Request);
        }
    }

    /// Sends what was kept back.
    fn poll_send(&mut self, context: &mut Context) -> Poll<Result<()>> {
        while let Some(rest) = self.output.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match self.socket.poll_write(context, rest)? {
                Poll::Ready(0) => return Poll::Ready(Err(ErrorKind::WriteZero.into())),
                Poll::Ready(sent) => {
                    self.sent += sent;
                    self.patience.renew_reader();
                }
                Poll::Pending => return self.poll_reader(context).map(Err),
            }
        }
        if self.output.capacity() > OUTPUT_KEPT {
            self.output = Vec::new();
        }
        self.output.clear();
        self.sent = 0;
        Poll::Ready(Ok(()))
    }

    fn poll_reader(&mut self, context: &mut Context) -> Poll<Error> {
        self.patience
            .poll(self.counter.lifecycle(), context, Waiting::Reader)
            .map(|()| ErrorKind::TimedOut.into())
    }
}

impl AsyncRead for FilteredStream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context, buffer: &mut ReadBuf) -> Poll<Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        loop {
            if this.phase != Phase::Open {
                return this.poll_close(context).map(Ok);
            }
            if this.deliver(buffer) || buffer.filled().len() > before || this.ended {
                return Poll::Ready(Ok(()));
            }
            if !this.is_settled() {
                this.wait_until_settled(context);
                return Poll::Pending;
            }
            match this.next {
                Next::Reject(rejection) => this.refuse(rejection),
                Next::Close => this.phase = Phase::Closing,
                Next::Answer => this.admit(),
                Next::Input => {
                    ready!(this.poll_send(context))?;
                    ready!(this.poll_fill(context, buffer))?;
                }
            }
        }
    }
}

impl AsyncWrite for FilteredStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context, bytes: &[u8]) -> Poll<Result<usize>> {
        let this = self.get_mut();
        if this.phase != Phase::Open {
            // The last answer has been given.
            return Poll::Ready(Ok(bytes.len()));
        }
        this.flushed = false;
        if this.flush == Flush::AtOnce && this.output.is_empty() {
            return match this.socket.poll_write(context, bytes) {
                Poll::Pending => this.poll_reader(context).map(Err),
                written => {
                    this.patience.renew_reader();
                    written
                }
            };
        }
        if this.output.len() + bytes.len() > OUTPUT_MARK {
            ready!(this.poll_send(context))?;
        }
        this.output.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context) -> Poll<Result<()>> {
        let this = self.get_mut();
        this.flushed = true;
        if this.filter.is_in_body() {
            // It is an interim answer, for which the client may wait with the body.
            ready!(this.poll_send(context))?;
        }
        if this.read_when_settled && this.is_settled() {
            this.read_when_settled = false;
            context.waker().wake_by_ref();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context) -> Poll<Result<()>> {
        self.get_mut().poll_close(context).map(Ok)
    }
}

impl Drop for FilteredStream {
    fn drop(&mut self) {
        self.counter.lifecycle().closed();
    }
}
