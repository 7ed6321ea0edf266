//! A connection, which counts bytes of requests and owes answers.

use std::net::TcpStream;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::Arc;

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv, send};
use shared::lifecycle::ConnectionPermit;

use crate::canned_response::{CannedResponse, LastResponse};

/// The state of a connection that epoll reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ready {
    /// The socket takes bytes.
    Writable,
    /// There are bytes to read.
    Readable,
    /// The client has ended its side; there may be bytes before that.
    Ended,
}

/// An open connection.
pub(crate) struct Connection {
    stream: TcpStream,
    /// The part of the first head that has arrived, until the head is whole.
    head: Vec<u8>,
    response: Option<Arc<CannedResponse>>,
    /// Bytes that have arrived of an incomplete request.
    begun: usize,
    /// Bytes of answers that are not written.
    owed: usize,
    /// Whether the connection is closed once no answer is owed.
    closes: bool,
    _permit: ConnectionPermit,
}

impl Connection {
    /// Wraps a connection that was just accepted.
    pub(crate) fn new(stream: TcpStream, permit: ConnectionPermit) -> Self {
        Self { stream, head: Vec::new(), response: None, begun: 0, owed: 0, closes: false, _permit: permit }
    }

    /// Answers what has arrived; returns whether the connection stays open. While the client does
    /// not read its answers, nothing more is read: of owed answers, only the number of bytes is
    /// kept.
    pub(crate) fn turn(&mut self, ready: Ready, buffer: &mut [u8], last: &mut LastResponse) -> bool {
        self.try_turn(ready, buffer, last).unwrap_or(false)
    }

    fn try_turn(&mut self, ready: Ready, buffer: &mut [u8], last: &mut LastResponse) -> nix::Result<bool> {
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
                    self.count(buffer.get(..read).unwrap_or_default(), last);
                    // Input that arrives after a read with room for more causes another event.
                    has_more = read == buffer.len() || ready == Ready::Ended;
                }
                Err(Errno::EAGAIN) => return Ok(true),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Counts bytes that were read, and owes an answer for each request that they complete.
    fn count(&mut self, bytes: &[u8], last: &mut LastResponse) {
        self.begun += bytes.len();
        if self.response.is_none() {
            self.response = self.first_response(bytes, last);
        }
        let Some(response) = &self.response else { return };
        if response.closes {
            self.closes = true;
            self.owed = response.answer_bytes;
        } else {
            self.owed += self.begun / response.request_bytes() * response.answer_bytes;
            self.begun %= response.request_bytes();
        }
    }

    /// Returns the response once the first head is whole. A head in one piece is not copied.
    fn first_response(&mut self, bytes: &[u8], last: &mut LastResponse) -> Option<Arc<CannedResponse>> {
        if self.head.is_empty()
            && let Some(response) = last.for_head(bytes)
        {
            return Some(response);
        }
        self.head.extend_from_slice(bytes);
        let response = last.for_head(&self.head)?;
        self.head = Vec::new();
        Some(response)
    }

    /// Writes owed answers, as far as the socket takes them. Returns whether all are written.
    fn pay(&mut self) -> nix::Result<bool> {
        let Some(response) = &self.response else { return Ok(true) };
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
        while self.owed > 0 {
            match send(self.stream.as_raw_fd(), response.answers(self.owed), flags) {
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
