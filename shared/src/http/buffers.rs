//! The buffers that a session reads into and writes from.

use super::limits;
use super::session::Session;

/// Room for the answers to a few requests, so that a thread which answers no more at once need not allocate.
const OUTPUT_ROOM: usize = 4096;

/// The buffers of a thread, lent to one session at a time.
pub struct Buffers {
    pub(super) input: Input,
    pub(super) output: Vec<u8>,
}

/// What was read and is not done with: `bytes[start..end]`.
pub(super) struct Input {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Buffers {
    /// Takes over what the session kept between turns.
    pub(super) fn lend(&mut self, session: &mut Session) {
        self.clear();
        self.input.fill(&std::mem::take(&mut session.input));
        self.output.append(&mut std::mem::take(&mut session.output));
    }

    /// Leaves the session what it has to keep until its next turn: mostly nothing, and then no memory.
    pub(super) fn take_back(&mut self, session: &mut Session) {
        session.input = self.input.unread().to_vec();
        session.output = self.output.clone();
    }

    pub(super) fn clear(&mut self) {
        self.input.clear();
        self.output.clear();
    }
}

impl Input {
    pub(super) fn unread(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Whether the last read took all the room that there was.
    pub(super) fn is_full(&self) -> bool {
        self.end == self.bytes.len()
    }

    /// Counts bytes from the start of [`Input::unread`] as done with.
    pub(super) fn consume(&mut self, bytes: usize) {
        self.start += bytes;
    }

    /// Counts bytes at the start of [`Input::space`] as read.
    pub(super) fn extend(&mut self, bytes: usize) {
        self.end += bytes;
    }

    /// Room for more; there is some, since a head that fills the buffer is over the limit.
    pub(super) fn space(&mut self) -> &mut [u8] {
        if self.is_empty() {
            self.clear();
        } else if self.end == self.bytes.len() {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        self.bytes.get_mut(self.end..).unwrap_or_default()
    }

    /// Puts back what was once unread, which has to fit.
    fn fill(&mut self, unread: &[u8]) {
        if let Some(space) = self.bytes.get_mut(..unread.len()) {
            space.copy_from_slice(unread);
            (self.start, self.end) = (0, unread.len());
        }
    }

    fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
    }
}

impl Default for Buffers {
    fn default() -> Self {
        // Asked for as zeros, and not filled with them: the pages of it that are never read into take no memory.
        let bytes = vec![0; limits::HEAD_BYTES].into_boxed_slice();
        Self { input: Input { bytes, start: 0, end: 0 }, output: Vec::with_capacity(OUTPUT_ROOM) }
    }
}
