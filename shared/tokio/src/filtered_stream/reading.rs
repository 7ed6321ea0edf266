//! The way from the socket to the framework.

use std::io::Result;
use std::task::{Context, Poll, ready};

use shared::http::rules::Rejection;
use shared::http::{Admitted, Next, limits};
use tokio::io::ReadBuf;

use super::closing::Phase;
use super::{FilteredStream, PIECE_BYTES};
use crate::client_timeout::Waiting;
use crate::lifecycle::Stage;

impl FilteredStream {
    /// Hands admitted bytes on; false when there are none.
    pub(super) fn deliver(&mut self, buffer: &mut ReadBuf) -> bool {
        let bytes = self.admitted.min(buffer.remaining());
        if bytes == 0 {
            return false;
        }
        buffer.put_slice(self.input.get(..bytes).unwrap_or_default());
        self.input.drain(..bytes);
        self.admitted -= bytes;
        if self.input.is_empty() {
            self.input = Vec::new();
        }
        true
    }

    /// Reads from the socket; ready when there is something for the framework, or a new phase, or the end.
    pub(super) fn poll_fill(&mut self, context: &mut Context, buffer: &mut ReadBuf) -> Poll<Result<()>> {
        let polled = if self.input.is_empty() {
            self.poll_straight(context, buffer)
        } else {
            self.poll_behind(context)
        };
        if polled.is_pending() {
            return self.poll_impatience(context).map(Ok);
        }
        self.counter.set_quiet(false);
        polled
    }

    /// Reads into the framework's own buffer, and takes back what may not pass.
    fn poll_straight(&mut self, context: &mut Context, buffer: &mut ReadBuf) -> Poll<Result<()>> {
        let before = buffer.filled().len();
        ready!(self.socket.poll_read(context, buffer))?;
        let new = buffer.filled().get(before..).unwrap_or_default();
        self.ended = new.is_empty();
        let admitted = self.filter.admit(new);
        if let Some(rest @ [_, ..]) = new.get(admitted.bytes..) {
            self.input.extend_from_slice(rest);
            buffer.set_filled(before + admitted.bytes);
        }
        self.pass(admitted);
        Poll::Ready(Ok(()))
    }

    /// Reads what follows half of a head, or is the first of all.
    fn poll_behind(&mut self, context: &mut Context) -> Poll<Result<()>> {
        let mut piece = [0; PIECE_BYTES];
        let mut piece = ReadBuf::new(&mut piece);
        ready!(self.socket.poll_read(context, &mut piece))?;
        self.ended = piece.filled().is_empty();
        self.input.extend_from_slice(piece.filled());
        self.admit();
        Poll::Ready(Ok(()))
    }

    pub(super) fn admit(&mut self) {
        let admitted = self.filter.admit(&self.input);
        self.admitted = admitted.bytes;
        self.pass(admitted);
    }

    fn pass(&mut self, admitted: Admitted) {
        self.next = admitted.next;
        if admitted.bytes > 0 {
            let more = admitted.next == Next::Answer && self.admitted < self.input.len();
            self.counter.pass(&admitted, more);
            self.patience.renew();
        }
    }

    /// Ready when there is something for a framework to do, which need not be there before.
    pub(super) fn poll_use(&mut self, context: &mut Context) -> Poll<()> {
        if self.phase == Phase::Open && self.input.is_empty() {
            // What a new connection has brought along is read at once, without a call that asks for it.
            let polled = if self.socket.is_fresh() {
                self.poll_behind(context)
            } else {
                self.socket.poll_read_ready(context)
            };
            if polled.is_pending() {
                return self.poll_impatience(context);
            }
        }
        self.counter.set_quiet(false);
        Poll::Ready(())
    }

    /// Ready when the client has been waited for long enough, or the server ends; then the connection closes.
    fn poll_impatience(&mut self, context: &mut Context) -> Poll<()> {
        let waiting = match (self.filter.is_in_body(), self.input.is_empty()) {
            (true, _) => Waiting::Body,
            (false, true) => Waiting::Request,
            (false, false) => Waiting::Head,
        };
        let lifecycle = self.counter.lifecycle();
        if waiting == Waiting::Request {
            self.patience.watch(lifecycle, context);
            if lifecycle.stage() >= Stage::Ending {
                // One that was accepted last still gets a moment for its request.
                self.patience.hurry(limits::DRAIN_GRACE);
            }
        }
        let polled = self.patience.poll(lifecycle, context, waiting);
        self.counter.set_quiet(self.patience.is_quiet());
        ready!(polled);
        match waiting {
            // tokio, which looks only now and then, has not said so yet. It will.
            Waiting::Request if self.socket.has_input() => return Poll::Pending,
            // There is nothing left to say, and nothing unread.
            Waiting::Request => self.phase = Phase::Over,
            _ => self.refuse(Rejection::TooSlow),
        }
        Poll::Ready(())
    }
}
