//! The way from the socket to the framework.

use std::io::Result;
use std::task::{Context, Poll, ready};

use shared::http::rules::Refusal;
use shared::http::{Passage, Then, limits};
use tokio::io::ReadBuf;

use super::closing::Phase;
use super::{Guarded, PIECE_BYTES};
use crate::life::Stage;
use crate::patience::Waiting;

impl Guarded {
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
        self.ledger.set_quiet(false);
        polled
    }

    /// Reads into the framework's own buffer, and takes back what may not pass.
    fn poll_straight(&mut self, context: &mut Context, buffer: &mut ReadBuf) -> Poll<Result<()>> {
        let before = buffer.filled().len();
        ready!(self.socket.poll_read(context, buffer))?;
        let new = buffer.filled().get(before..).unwrap_or_default();
        self.ended = new.is_empty();
        let passage = self.gate.admit(new);
        if let Some(rest @ [_, ..]) = new.get(passage.bytes..) {
            self.input.extend_from_slice(rest);
            buffer.set_filled(before + passage.bytes);
        }
        self.pass(passage);
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
        let passage = self.gate.admit(&self.input);
        self.admitted = passage.bytes;
        self.pass(passage);
    }

    fn pass(&mut self, passage: Passage) {
        self.then = passage.then;
        if passage.bytes > 0 {
            let more = passage.then == Then::Answer && self.admitted < self.input.len();
            self.ledger.pass(&passage, more);
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
        self.ledger.set_quiet(false);
        Poll::Ready(())
    }

    /// Ready when the client has been waited for long enough, or the server ends; then the connection closes.
    fn poll_impatience(&mut self, context: &mut Context) -> Poll<()> {
        let waiting = match (self.gate.is_in_body(), self.input.is_empty()) {
            (true, _) => Waiting::Body,
            (false, true) => Waiting::Request,
            (false, false) => Waiting::Head,
        };
        let life = self.ledger.life();
        if waiting == Waiting::Request {
            self.patience.watch(life, context);
            if life.stage() >= Stage::Ending {
                // One that was accepted last still gets a moment for its request.
                self.patience.hurry(limits::DRAIN_GRACE);
            }
        }
        let polled = self.patience.poll(life, context, waiting);
        self.ledger.set_quiet(self.patience.is_quiet());
        ready!(polled);
        match waiting {
            // tokio, which looks only now and then, has not said so yet. It will.
            Waiting::Request if self.socket.has_input() => return Poll::Pending,
            // There is nothing left to say, and nothing unread.
            Waiting::Request => self.phase = Phase::Over,
            _ => self.refuse(Refusal::TooSlow),
        }
        Poll::Ready(())
    }
}
