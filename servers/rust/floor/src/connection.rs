//! A connection: bytes that are counted, and answers that are owed.

use std::net::TcpStream;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::Arc;

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv, send};

use crate::canned::{CannedResponse, CannedResponses};
use crate::places::ConnectionPermit;

/// What a connection is ready for, when it gets its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ready {
    /// It takes bytes.
    Writable,
    /// It has bytes.
    Readable,
    /// It has its end, and may have bytes before it.
    Ended,
}

/// A connection that is open.
pub(crate) struct Connection {
    stream: TcpStream,
    /// The part of the first head that has come, as long as that is not whole.
    head: Vec<u8>,
    canned: Option<Arc<CannedResponse>>,
    /// Bytes of a request that has not come whole.
    begun: usize,
    /// Bytes of answers that are not written.
    owed: usize,
    /// Whether it is closed once nothing is owed.
    closes: bool,
    _place: ConnectionPermit,
}

impl Connection {
    /// One that has just been accepted.
    pub(crate) fn new(stream: TcpStream, place: ConnectionPermit) -> Self {
        Self { stream, head: Vec::new(), canned: None, begun: 0, owed: 0, closes: false, _place: place }
    }

    /// Answers what has come; whether the connection stays open. While the client does not take its answers nothing more is read:
    /// what is owed is a number, and what is unread is in the kernel.
    pub(crate) fn turn(&mut self, ready: Ready, buffer: &mut [u8], responses: &mut CannedResponses) -> bool {
        self.go_on(ready, buffer, responses).unwrap_or(false)
    }

    fn go_on(
        &mut self,
        ready: Ready,
        buffer: &mut [u8],
        responses: &mut CannedResponses,
    ) -> nix::Result<bool> {
        let mut has_more = ready != Ready::Writable;
        loop {
            if !self.pay()? {
                return Ok(true);
            }
            if self.closes || !has_more {
                return Ok(!self.closes);
            }
            match recv(self.stream.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT) {
                Ok(0) => return Ok(false),
                Ok(read) => {
                    self.count(buffer.get(..read).unwrap_or_default(), responses);
                    // Whatever comes after a read that had room for more is an event of its own.
                    has_more = read == buffer.len() || ready == Ready::Ended;
                }
                Err(Errno::EAGAIN) => return Ok(true),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Counts bytes that were read, and owes an answer for each request that is whole by them.
    fn count(&mut self, bytes: &[u8], responses: &mut CannedResponses) {
        self.begun += bytes.len();
        if self.canned.is_none() {
            self.canned = self.learn(bytes, responses);
        }
        let Some(canned) = &self.canned else { return };
        if canned.closes() {
            self.closes = true;
            self.owed = canned.answer_bytes();
        } else {
            self.owed += self.begun / canned.request_bytes() * canned.answer_bytes();
            self.begun %= canned.request_bytes();
        }
    }

    /// Looks at the first bytes, and keeps them while they are no whole head. Mostly it comes in one piece, and is not copied.
    fn learn(&mut self, bytes: &[u8], responses: &mut CannedResponses) -> Option<Arc<CannedResponse>> {
        if self.head.is_empty()
            && let Some(canned) = responses.learn(bytes)
        {
            return Some(canned);
        }
        self.head.extend_from_slice(bytes);
        let canned = responses.learn(&self.head)?;
        self.head = Vec::new();
        Some(canned)
    }

    /// Writes what is owed, as far as the socket takes it; whether nothing is owed any more.
    fn pay(&mut self) -> nix::Result<bool> {
        let Some(canned) = &self.canned else { return Ok(true) };
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
        while self.owed > 0 {
            match send(self.stream.as_raw_fd(), canned.answers(self.owed), flags) {
                Ok(written) => self.owed -= written,
                Err(Errno::EAGAIN) => return Ok(false),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
