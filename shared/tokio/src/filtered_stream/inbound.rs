//! Passes input from the socket to the framework, and tracks how much of it the framework may have.

use std::io::Result;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use shared::http::{Admitted, Next, RequestFilter, WaitingFor};
use tokio::io::ReadBuf;

use crate::request_counter::RequestCounter;
use crate::timed_socket::TimedSocket;

/// Bytes per read when the framework has no buffer: after part of a head or a last answer.
pub(super) const PIECE_BYTES: usize = 4096;

/// The half of a `FilteredStream` that passes requests to the framework.
pub(super) struct Inbound {
    filter: RequestFilter,
    counter: Arc<RequestCounter>,
    /// The bytes that are read and not delivered. Empty for a connection that waits for a request.
    kept: Vec<u8>,
    /// Bytes at the start of `kept` that the framework may have.
    admitted: usize,
    /// The condition for more bytes to be admitted.
    next: Next,
    /// Whether the client has ended its side.
    is_ended: bool,
}

impl Inbound {
    pub(super) fn new(counter: Arc<RequestCounter>) -> Self {
        let (filter, kept) = (RequestFilter::default(), Vec::new());
        Self { filter, counter, kept, admitted: 0, next: Next::Input, is_ended: false }
    }

    pub(super) fn counter(&self) -> &Arc<RequestCounter> {
        &self.counter
    }

    /// Whether all that was read has been delivered.
    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    pub(super) fn is_ended(&self) -> bool {
        self.is_ended
    }

    pub(super) fn is_in_body(&self) -> bool {
        self.filter.is_in_body()
    }

    pub(super) fn next(&self) -> Next {
        self.next
    }

    /// Whether the framework has answered all requests but one whose body is not complete.
    pub(super) fn is_answered(&self) -> bool {
        self.counter.unanswered() == u32::from(self.is_in_body())
    }

    /// Whether a next request may come, and nothing of it has arrived.
    pub(super) fn expects_request(&self) -> bool {
        self.kept.is_empty() && matches!(self.next, Next::Input | Next::Answer)
    }

    /// Whether there is unread input, for which the kernel would send a reset at a close.
    pub(super) fn has_unread(&self) -> bool {
        !self.kept.is_empty() || self.is_in_body() || self.counter.unanswered() > 0
    }

    /// Returns the action of the client that the server waits for. `has_part` says whether the
    /// socket has part of a handshake or of a record.
    pub(super) fn waiting_for(&self, has_part: bool) -> WaitingFor {
        WaitingFor::input(self.is_in_body(), has_part || !self.kept.is_empty())
    }

    /// Gives admitted bytes to the framework; returns false when it can give none.
    pub(super) fn deliver(&mut self, buffer: &mut ReadBuf) -> bool {
        let bytes = self.admitted.min(buffer.remaining());
        if bytes == 0 {
            return false;
        }
        buffer.put_slice(self.kept.get(..bytes).unwrap_or_default());
        self.kept.drain(..bytes);
        self.admitted -= bytes;
        if self.kept.is_empty() {
            self.kept = Vec::new();
        }
        true
    }

    /// Reads from the socket, into the framework's own buffer when nothing is kept.
    pub(super) fn poll_fill(
        &mut self,
        socket: &mut TimedSocket,
        context: &mut Context,
        buffer: &mut ReadBuf,
    ) -> Poll<Result<()>> {
        if !self.kept.is_empty() {
            return self.poll_fill_kept(socket, context);
        }
        let before = buffer.filled().len();
        ready!(socket.poll_read(context, buffer))?;
        let new = buffer.filled().get(before..).unwrap_or_default();
        self.is_ended = new.is_empty();
        let admitted = self.filter.admit(new);
        if let Some(rest @ [_, ..]) = new.get(admitted.bytes..) {
            self.kept.extend_from_slice(rest);
            buffer.set_filled(before + admitted.bytes);
        }
        self.filter.adapt(buffer.filled_mut().get_mut(before..).unwrap_or_default());
        self.count(&admitted, socket);
        Poll::Ready(Ok(()))
    }

    /// Reads the input after part of a head, or the first input of a connection.
    pub(super) fn poll_fill_kept(
        &mut self,
        socket: &mut TimedSocket,
        context: &mut Context,
    ) -> Poll<Result<()>> {
        let mut piece = [0; PIECE_BYTES];
        let mut piece = ReadBuf::new(&mut piece);
        ready!(socket.poll_read(context, &mut piece))?;
        self.is_ended = piece.filled().is_empty();
        self.kept.extend_from_slice(piece.filled());
        self.admit(socket);
        Poll::Ready(Ok(()))
    }

    /// Admits the kept bytes that the rules allow.
    pub(super) fn admit(&mut self, socket: &mut TimedSocket) {
        let admitted = self.filter.admit(&self.kept);
        self.filter.adapt(self.kept.get_mut(..admitted.bytes).unwrap_or_default());
        self.admitted = admitted.bytes;
        self.count(&admitted, socket);
    }

    fn count(&mut self, admitted: &Admitted, socket: &mut TimedSocket) {
        self.next = admitted.next;
        if admitted.bytes > 0 {
            let has_more = admitted.next == Next::Answer && self.admitted < self.kept.len();
            self.counter.admit(admitted, has_more);
            socket.restart_timeout();
        }
    }
}
