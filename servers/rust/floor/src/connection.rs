//! A connection: bytes that are counted, and answers that are owed.

use std::net::TcpStream;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::Arc;

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv, send};
use shared::lifecycle::ConnectionPermit;

use crate::canned_response::{CannedResponse, LastResponse};

/// What epoll reports of a connection.
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
    /// The part of the first head that has arrived, until that is whole.
    head: Vec<u8>,
    response: Option<Arc<CannedResponse>>,
    /// Bytes of a request of which a part has arrived.
    begun: usize,
    /// Bytes of answers that are not written.
    owed: usize,
    /// Whether it is closed once nothing is owed.
    closes: bool,
    _permit: ConnectionPermit,
}

impl Connection {
    /// A connection that was just accepted.
    pub(crate) fn new(stream: TcpStream, permit: ConnectionPermit) -> Self {
        Self { stream, head: Vec::new(), response: None, begun: 0, owed: 0, closes: false, _permit: permit }
    }

    /// Answers what has arrived; returns whether the connection stays open. While the client does
    /// not read its answers nothing more is read: what is owed is a number.
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
                    // What arrives after a read that had room for more is an event of its own.
                    has_more = read == buffer.len() || ready == Ready::Ended;
                }
                Err(Errno::EAGAIN) => return Ok(true),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Counts bytes that were read, and owes an answer for each request that is whole by them.
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

    /// The response, once the first head is whole. In one piece, as mostly, it is not copied.
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

    /// Writes what is owed, as far as the socket takes it; returns whether all is written.
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
