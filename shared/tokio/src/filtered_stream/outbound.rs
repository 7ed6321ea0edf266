//! From the framework to the socket: answers, and when they are sent.

use std::io::{ErrorKind, Result};
use std::task::{Context, Poll, ready};

use shared::http::rules::Rejection;
use shared::http::{answer, date};

use crate::timed_socket::TimedSocket;

/// Bytes that are kept back before they are sent whatever the framework does: for a client that
/// never reads no more is held.
const OUTPUT_MARK: usize = 16 * 1024;

/// Room for output that a connection keeps while it waits for a request.
const OUTPUT_KEPT: usize = 4096;

/// When answers are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// When the framework flushes: for one that flushes once for all requests that it has read.
    AtOnce,
    /// When the framework reads again: for one that flushes after each answer. It has then answered
    /// all that it had, so that the answers to pipelined requests are sent in one write.
    WhenRead,
}

/// The way of answers.
pub(super) struct Outbound {
    flush: Flush,
    /// Written by the framework and not sent, but for the first `sent` bytes.
    kept: Vec<u8>,
    sent: usize,
    /// The framework has flushed all that it has written.
    is_flushed: bool,
}

impl Outbound {
    pub(super) fn new(flush: Flush) -> Self {
        Self { flush, kept: Vec::new(), sent: 0, is_flushed: true }
    }

    pub(super) fn is_flushed(&self) -> bool {
        self.is_flushed
    }

    /// The framework has flushed. What it has written is sent when it reads again.
    pub(super) fn flush(&mut self) {
        self.is_flushed = true;
    }

    /// Answers in the framework's place.
    pub(super) fn reject(&mut self, rejection: Rejection) {
        answer::write_rejection(rejection, &date::now(), &mut self.kept);
    }

    /// Takes what the framework writes.
    pub(super) fn poll_write(
        &mut self,
        socket: &mut TimedSocket,
        context: &mut Context,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        self.is_flushed = false;
        if self.flush == Flush::AtOnce && self.kept.is_empty() {
            return socket.poll_write(context, bytes);
        }
        if self.kept.len() + bytes.len() > OUTPUT_MARK {
            ready!(self.poll_send(socket, context))?;
        }
        self.kept.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    /// Sends what is kept.
    pub(super) fn poll_send(&mut self, socket: &mut TimedSocket, context: &mut Context) -> Poll<Result<()>> {
        while let Some(rest) = self.kept.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match ready!(socket.poll_write(context, rest))? {
                0 => return Poll::Ready(Err(ErrorKind::WriteZero.into())),
                sent => self.sent += sent,
            }
        }
        if self.kept.capacity() > OUTPUT_KEPT {
            self.kept = Vec::new();
        }
        self.kept.clear();
        self.sent = 0;
        socket.poll_flush(context)
    }
}
