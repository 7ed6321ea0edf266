//! Puts the rules of HTTP between a socket and a framework.
//!
//! A framework reads and writes a [`FilteredStream`] as it would the socket. It reads only whole
//! requests that keep the rules; its output is sent when it has answered all of them.
//!
//! ```text
//!          ┌────────────────────── FilteredStream ──────────────────────┐
//!          │               ┌─▶ Inbound: RequestFilter, input kept back ─┼─▶ poll_read
//!  client ◀┼▶ TimedSocket ─┤                                            │      framework
//!          │               └── Outbound: answers kept back ◀────────────┼── poll_write
//!          └────────────────────────────────────────────────────────────┘
//! ```
//!
//! Each half has its own fields, which no code outside of its file changes, and so has the end of
//! the connection (`Closing`). This file has the rules between them: a request is admitted only
//! when all earlier ones are answered, and answers are sent before the server waits for the client.
//!
//! # Why was this connection closed?
//!
//! A connection is open until one of these reasons applies ([`CloseReason`]). All of them go
//! through [`FilteredStream::close_for`]; the phases after it are in `filtered_stream/closing.rs`.
//!
//! | reason | decided in | answer before it |
//! | --- | --- | --- |
//! | the last request asked for it | `poll_read`, at `Next::Close` | the request's |
//! | a request broke a rule | `poll_read`, at `Next::Reject` | 400 to 505 |
//! | half a request took too long | `poll_client_timeout` | 408 |
//! | no request came in time, or the server ends | `poll_client_timeout` | none |
//! | the client did not read in time, or the socket failed | `or_close` | none more |
//! | the framework is done: the client's end, or a drain | `poll_close` | the last one's |
//!
//! ```text
//!        rejected, last request,            sent, and input
//!        framework done                     may be unread          the client's end, 1 s or 1 MiB
//! Open ───────────────────────────▶ Sending ──────────────▶ Lingering ──────────────────▶ Over
//!   │                                  └─ sent, and nothing unread ─────────────────────────▲
//!   └─ idle, not reading, failed ───────────────────────────────────────────────────────────┘
//! ```

mod closing;
mod inbound;
mod outbound;

use std::future::poll_fn;
use std::io::Result;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use shared::http::rules::Rejection;
use shared::http::{Next, WaitingFor};
use shared::lifecycle::ConnectionPermit;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use self::closing::{CloseReason, Closing};
use self::inbound::Inbound;
pub use self::outbound::Flush;
use self::outbound::Outbound;
use crate::request_counter::RequestCounter;
use crate::timed_socket::TimedSocket;

/// A socket with the rules of HTTP in front. Each request that passes has to be counted in the
/// [`RequestCounter`] of the stream when it is answered.
pub struct FilteredStream {
    socket: TimedSocket,
    inbound: Inbound,
    outbound: Outbound,
    closing: Closing,
    /// Whether the framework asked too early for a request: it is woken once it has answered.
    reader_waits: bool,
    _permit: ConnectionPermit,
}

impl FilteredStream {
    /// Puts the rules of HTTP in front of `socket`.
    pub fn new(socket: TimedSocket, permit: ConnectionPermit, flush: Flush) -> Self {
        let counter = Arc::new(RequestCounter::new(Arc::clone(permit.lifecycle())));
        Self {
            socket,
            inbound: Inbound::new(counter),
            outbound: Outbound::new(flush),
            closing: Closing::new(),
            reader_waits: false,
            _permit: permit,
        }
    }

    /// Returns the counter of this connection's requests.
    pub fn counter(&self) -> &Arc<RequestCounter> {
        self.inbound.counter()
    }

    /// Waits until a new or [quiet](RequestCounter::is_quiet) connection has something to read.
    pub async fn readable(&mut self) {
        poll_fn(|context| self.poll_readable(context)).await;
    }

    /// Sends the remaining output, and closes the connection so that the last answer arrives.
    pub async fn close(mut self) {
        poll_fn(|context| self.poll_close(context)).await;
    }

    fn poll_readable(&mut self, context: &mut Context) -> Poll<()> {
        if self.closing.is_open() && self.inbound.is_empty() {
            let polled = if self.socket.is_fresh() {
                // The first input is read without checking whether it has arrived.
                self.inbound.poll_fill_kept(&mut self.socket, context)
            } else {
                self.socket.poll_read_ready(context)
            };
            if polled.is_pending() {
                return self.poll_client_timeout(context);
            }
        }
        self.counter().set_quiet(false);
        Poll::Ready(())
    }

    /// Whether the framework has answered all requests but one whose body is not complete.
    fn is_settled(&self) -> bool {
        self.outbound.is_flushed() && self.inbound.is_answered()
    }

    /// Makes the framework wait for its next request until it has answered the earlier ones.
    fn wait_until_settled(&mut self, context: &mut Context) {
        // Usually no next request has arrived, and the task waits for its first byte.
        self.reader_waits =
            !(self.inbound.expects_request() && self.socket.poll_read_ready(context).is_pending());
        if self.outbound.is_flushed() && !self.reader_waits {
            // The wait for the request begins now, so its timeout cannot have passed.
            let _ = self.socket.poll_timeout(context, WaitingFor::Request);
        }
    }

    /// Reads from the socket. Ready when bytes were read, the connection closes, or the client has
    /// ended its side.
    fn poll_fill(&mut self, context: &mut Context, buffer: &mut ReadBuf) -> Poll<Result<()>> {
        let filled = self.inbound.poll_fill(&mut self.socket, context, buffer);
        if filled.is_pending() {
            return self.poll_client_timeout(context).map(Ok);
        }
        self.counter().set_quiet(false);
        self.or_close(filled)
    }

    /// Ready when the client's timeout has passed; then the connection closes.
    fn poll_client_timeout(&mut self, context: &mut Context) -> Poll<()> {
        let waiting = self.inbound.waiting_for(self.socket.has_part());
        let polled = self.socket.poll_timeout(context, waiting);
        self.counter().set_quiet(self.socket.is_quiet());
        ready!(polled);
        match waiting {
            // tokio, which asks the kernel only now and then, has yet to report this input.
            WaitingFor::Request if self.socket.has_input() => return Poll::Pending,
            WaitingFor::Request => {
                self.socket.notify_end(context);
                self.close_for(CloseReason::Idle);
            }
            _ => self.close_for(CloseReason::Rejected(Rejection::TooSlow)),
        }
        Poll::Ready(())
    }

    /// Sends the answers that were kept back.
    fn poll_send(&mut self, context: &mut Context) -> Poll<Result<()>> {
        let sent = self.outbound.poll_send(&mut self.socket, context);
        self.or_close(sent)
    }

    /// Begins the end of an open connection.
    fn close_for(&mut self, reason: CloseReason) {
        self.closing.begin(reason, &mut self.outbound);
    }

    fn poll_close(&mut self, context: &mut Context) -> Poll<()> {
        if self.closing.is_open() {
            self.close_for(CloseReason::Done);
        }
        self.closing.poll(context, &mut self.socket, &self.inbound, &mut self.outbound)
    }

    /// Closes the connection when the socket has failed. The error tells the framework.
    fn or_close<T>(&mut self, polled: Poll<Result<T>>) -> Poll<Result<T>> {
        if matches!(polled, Poll::Ready(Err(_))) {
            self.close_for(CloseReason::Failed);
        }
        polled
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
            if !this.closing.is_open() {
                return this.poll_close(context).map(Ok);
            }
            if this.inbound.deliver(buffer) || buffer.filled().len() > before || this.inbound.is_ended() {
                return Poll::Ready(Ok(()));
            }
            if !this.is_settled() {
                this.wait_until_settled(context);
                return Poll::Pending;
            }
            match this.inbound.next() {
                Next::Reject(rejection) => this.close_for(CloseReason::Rejected(rejection)),
                Next::Close => this.close_for(CloseReason::Requested),
                Next::Answer => this.inbound.admit(&mut this.socket),
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
        if !this.closing.is_open() {
            // The last answer is already written.
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = this.outbound.poll_write(&mut this.socket, context, bytes);
        this.or_close(written)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context) -> Poll<Result<()>> {
        let this = self.get_mut();
        this.outbound.flush();
        if this.inbound.is_in_body() {
            // This is an interim answer, for which the client may wait before it sends the body.
            ready!(this.poll_send(context))?;
        }
        if this.reader_waits && this.is_settled() {
            this.reader_waits = false;
            context.waker().wake_by_ref();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context) -> Poll<Result<()>> {
        self.get_mut().poll_close(context).map(Ok)
    }
}
