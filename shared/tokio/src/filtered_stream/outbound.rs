//! Passes answers from the framework to the socket, and decides when they are sent.

use std::io::{ErrorKind, Result};
use std::task::{Context, Poll, ready};

use shared::http::rules::Rejection;
use shared::http::{answer, date};

use crate::timed_socket::TimedSocket;

/// The number of bytes above which kept bytes are sent, whatever the framework does: no more is
/// held for a client that never reads.
const OUTPUT_MARK: usize = 16 * 1024;

/// The maximum capacity in bytes of the output buffer that a connection keeps after a send.
const OUTPUT_KEPT: usize = 4096;

/// When answers are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// Answers are sent when the framework flushes. For one that flushes once for all requests that
    /// it has read.
    AtOnce,
    /// Answers are sent when the framework reads again. For one that flushes after each answer: it
    /// has then answered all requests, so that pipelined ones are answered in one write.
    WhenRead,
}

/// The half of a `FilteredStream` that passes answers to the socket.
pub(super) struct Outbound {
    flush: Flush,
    /// The bytes that the framework has written, of which the first `sent` are already sent.
    kept: Vec<u8>,
    sent: usize,
    /// Whether the framework has flushed all that it has written.
    is_flushed: bool,
}

impl Outbound {
    pub(super) fn new(flush: Flush) -> Self {
        Self { flush, kept: Vec::new(), sent: 0, is_flushed: true }
    }

    pub(super) fn is_flushed(&self) -> bool {
        self.is_flushed
    }

    /// Notes that the framework has flushed. Its output is sent when it reads again.
    pub(super) fn flush(&mut self) {
        self.is_flushed = true;
    }

    /// Writes a rejection in place of the framework.
    pub(super) fn reject(&mut self, rejection: Rejection) {
        answer::write_rejection(rejection, &date::now(), &mut self.kept);
    }

    /// Takes the bytes that the framework writes.
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

    /// Sends all kept bytes.
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
