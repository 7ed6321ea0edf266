//! A connection: bytes that are counted, and answers that are owed.

use std::net::TcpStream;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::Arc;

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv, send};

use crate::lesson::{Lesson, Lessons};
use crate::places::Place;

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
    lesson: Option<Arc<Lesson>>,
    /// Bytes of a request that has not come whole.
    begun: usize,
    /// Bytes of answers that are not written.
    owed: usize,
    /// Whether it is closed once nothing is owed.
    closes: bool,
    _place: Place,
}

impl Connection {
    /// One that has just been accepted.
    pub(crate) fn new(stream: TcpStream, place: Place) -> Self {
        Self { stream, head: Vec::new(), lesson: None, begun: 0, owed: 0, closes: false, _place: place }
    }

    /// Answers what has come; whether the connection stays open. While the client does not take its answers nothing more is read:
    /// what is owed is a number, and what is unread is in the kernel.
    pub(crate) fn turn(&mut self, ready: Ready, buffer: &mut [u8], lessons: &mut Lessons) -> bool {
        self.go_on(ready, buffer, lessons).unwrap_or(false)
    }

    fn go_on(&mut self, ready: Ready, buffer: &mut [u8], lessons: &mut Lessons) -> nix::Result<bool> {
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
                    self.count(buffer.get(..read).unwrap_or_default(), lessons);
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
    fn count(&mut self, bytes: &[u8], lessons: &mut Lessons) {
        self.begun += bytes.len();
        if self.lesson.is_none() {
            self.lesson = self.learn(bytes, lessons);
        }
        let Some(lesson) = &self.lesson else { return };
        if lesson.closes() {
            self.closes = true;
            self.owed = lesson.answer_bytes();
        } else {
            self.owed += self.begun / lesson.request_bytes() * lesson.answer_bytes();
            self.begun %= lesson.request_bytes();
        }
    }

    /// Looks at the first bytes, and keeps them while they are no whole head. Mostly it comes in one piece, and is not copied.
    fn learn(&mut self, bytes: &[u8], lessons: &mut Lessons) -> Option<Arc<Lesson>> {
        if self.head.is_empty()
            && let Some(lesson) = lessons.learn(bytes)
        {
            return Some(lesson);
        }
        self.head.extend_from_slice(bytes);
        let lesson = lessons.learn(&self.head)?;
        self.head = Vec::new();
        Some(lesson)
    }

    /// Writes what is owed, as far as the socket takes it; whether nothing is owed any more.
    fn pay(&mut self) -> nix::Result<bool> {
        let Some(lesson) = &self.lesson else { return Ok(true) };
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
        while self.owed > 0 {
            match send(self.stream.as_raw_fd(), lesson.answers(self.owed), flags) {
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
