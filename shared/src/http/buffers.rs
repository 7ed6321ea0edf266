//! The buffers that a session reads into and writes from.

use super::limits;

/// Room in bytes for the answers to a few requests. More are rarely written at once.
const OUTPUT_ROOM: usize = 4096;

/// The buffers of a thread, lent to one session at a time.
pub struct Buffers {
    pub(super) input: Input,
    pub(super) output: Vec<u8>,
}

/// The bytes that were read and not consumed: `bytes[start..end]`.
pub(super) struct Input {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Buffers {
    /// Takes over the bytes that a session kept between two turns, usually none.
    pub(super) fn load(&mut self, input: &mut Vec<u8>, output: &mut Vec<u8>) {
        self.clear();
        if !input.is_empty() {
            self.input.fill(&std::mem::take(input));
        }
        if !output.is_empty() {
            self.output.append(&mut std::mem::take(output));
        }
    }

    /// Returns to the session, which keeps nothing during a turn, its bytes for the next turn.
    pub(super) fn store(&self, input: &mut Vec<u8>, output: &mut Vec<u8>) {
        if !self.input.is_empty() {
            *input = self.input.unread().to_vec();
        }
        if !self.output.is_empty() {
            output.clone_from(&self.output);
        }
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

    /// Whether the last read filled the buffer.
    pub(super) fn is_full(&self) -> bool {
        self.end == self.bytes.len()
    }

    /// Drops bytes from the start of [`Input::unread`].
    pub(super) fn consume(&mut self, bytes: usize) {
        self.start += bytes;
    }

    /// Counts bytes at the start of [`Input::space`] as read.
    pub(super) fn extend(&mut self, bytes: usize) {
        self.end += bytes;
    }

    /// Returns room for the next read. There is some: a head that fills the buffer is too large.
    pub(super) fn space(&mut self) -> &mut [u8] {
        if self.is_empty() {
            self.clear();
        } else if self.is_full() {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        self.bytes.get_mut(self.end..).unwrap_or_default()
    }

    /// Puts unread bytes back, which have to fit.
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
        // The kernel gives zeroed pages: those that are never read into take no memory.
        let bytes = vec![0; limits::HEAD_BYTES].into_boxed_slice();
        Self { input: Input { bytes, start: 0, end: 0 }, output: Vec::with_capacity(OUTPUT_ROOM) }
    }
}
