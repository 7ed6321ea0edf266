//! One connection of HTTP/2: its streams, and the bytes to be written (RFC 9113, section 5). The
//! module [`receive`](super::receive) handles the frames that arrive.

use std::collections::VecDeque;

use super::block::Blocks;
use super::fault::code;
use super::frame::{self, kind};
use super::settings;
use crate::connection::Batch;

/// The highest number of a stream (section 5.1.1).
pub(super) const LAST_STREAM: u32 = 0x7fff_ffff;

/// The effect of a frame on the load.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    None,
    /// The server has sent its settings, such as the number of streams that it allows.
    Settings,
    /// An answer is whole. It is right, or has another status.
    Answered {
        batch: Batch,
        status: u16,
    },
    /// The server has reset a stream. `batch` is the request, or `None` when it was answered or
    /// given up before. A refused request was not processed.
    Reset {
        batch: Option<Batch>,
        is_refused: bool,
    },
    /// The server accepts no new streams. It processed no stream after `last`, and `code` is an
    /// error code that says why.
    GoAway {
        last: u32,
        code: u32,
    },
}

pub(crate) struct Session {
    /// The number of streams that may be open at once, as requested.
    pub(super) asked: usize,
    /// The same number, limited to what the server allows.
    pub(super) limit: usize,
    /// The number of the stream in each slot; 0 in a free slot.
    pub(super) numbers: Vec<u32>,
    pub(super) streams: Vec<Stream>,
    /// Free slots, beginning with the one that has been free for the longest time, so that answers
    /// come in the order of the slots.
    pub(super) free: VecDeque<usize>,
    /// The slot of the last frame.
    pub(super) last: usize,
    /// The number of the next stream.
    pub(super) next: u32,
    /// Whether the server has sent its settings.
    pub(super) is_settled: bool,
    /// Whether no stream may be opened any more.
    pub(super) is_leaving: bool,
    pub(super) has_answered: bool,
    /// Whether a stream was given up whose frames may still arrive.
    pub(super) has_cancelled: bool,
    pub(super) blocks: Blocks,
    /// A header with missing CONTINUATION frames: its stream, and whether it ends the stream.
    pub(super) unfinished: Option<(u32, bool)>,
    pub(super) block: Vec<u8>,
    /// Bytes of bodies since the last update of the window of the connection.
    pub(super) received: u32,
    pub(super) output: Vec<u8>,
    pub(super) written: usize,
}

#[derive(Clone, Copy)]
pub(super) struct Stream {
    pub(super) batch: Batch,
    /// The status of the answer; 0 before the final header.
    pub(super) status: u16,
    pub(super) length: Option<u64>,
    /// Bytes of the body that have arrived.
    pub(super) received: usize,
    /// Bytes since the last update of the window of the stream, including padding.
    pub(super) unacknowledged: u32,
}

impl Session {
    /// Creates a session of up to `asked` streams, with requests to this number of targets.
    pub(crate) fn new(asked: usize, targets: usize) -> Self {
        Self {
            asked,
            limit: 0,
            numbers: vec![0; asked],
            streams: Vec::with_capacity(asked),
            free: VecDeque::with_capacity(asked),
            last: 0,
            next: 1,
            is_settled: false,
            is_leaving: false,
            has_answered: false,
            has_cancelled: false,
            blocks: Blocks::new(targets),
            unfinished: None,
            block: Vec::new(),
            received: 0,
            output: Vec::new(),
            written: 0,
        }
    }

    /// Begins a connection, whose first bytes wait to be written.
    pub(crate) fn begin(&mut self) {
        self.limit = 0;
        self.numbers.fill(0);
        self.streams.clear();
        self.free.clear();
        (self.last, self.next) = (0, 1);
        (self.is_settled, self.is_leaving) = (false, false);
        (self.has_answered, self.has_cancelled) = (false, false);
        self.blocks.reset();
        self.unfinished = None;
        self.received = 0;
        self.output.clear();
        self.written = 0;
        settings::greeting(&mut self.output);
    }

    /// Discards the unsent bytes of a closed connection, which belong to no other one.
    pub(crate) fn abandon(&mut self) {
        self.output.clear();
        self.written = 0;
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.is_settled
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.is_leaving
    }

    /// Opens no more streams.
    pub(crate) fn leave(&mut self) {
        self.is_leaving = true;
    }

    /// Whether a request was answered.
    pub(crate) fn has_answered(&self) -> bool {
        self.has_answered
    }

    /// The number of streams whose answers are missing.
    pub(crate) fn busy(&self) -> usize {
        self.streams.len() - self.free.len()
    }

    /// The number of streams that can be opened now.
    pub(crate) fn capacity(&self) -> usize {
        if self.is_leaving || self.next > LAST_STREAM { 0 } else { self.limit.saturating_sub(self.busy()) }
    }

    /// Whether the numbers of streams are used up.
    pub(crate) fn is_used_up(&self) -> bool {
        self.next > LAST_STREAM
    }

    /// Opens a stream for a request, whose frame is `frame`. There has to be capacity.
    pub(crate) fn ask(&mut self, batch: Batch, frame: &[u8]) {
        let stream = Stream { batch, status: 0, length: None, received: 0, unacknowledged: 0 };
        let slot = match self.free.pop_front() {
            Some(slot) => {
                self.streams[slot] = stream;
                slot
            }
            None => {
                self.streams.push(stream);
                self.streams.len() - 1
            }
        };
        self.numbers[slot] = self.next;
        let begin = self.output.len();
        self.output.extend_from_slice(frame);
        self.output[begin + 5..begin + 9].copy_from_slice(&self.next.to_be_bytes());
        self.next += 2;
    }

    /// Bytes that wait to be written.
    pub(crate) fn unsent(&self) -> &[u8] {
        &self.output[self.written..]
    }

    /// Removes this number of written bytes from the bytes that wait.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.written += bytes;
        if self.written == self.output.len() {
            self.output.clear();
            self.written = 0;
        }
    }

    /// Tells the server that the connection ends.
    pub(crate) fn say_goodbye(&mut self, code: u32) {
        self.is_leaving = true;
        let payload = [0_u32.to_be_bytes(), code.to_be_bytes()].concat();
        frame::write(&mut self.output, kind::GOAWAY, 0, 0, &payload);
    }

    /// Gives up all streams. Returns their requests.
    pub(crate) fn take_all(&mut self) -> Vec<Batch> {
        self.take(|_, _| true).into_iter().map(|(_, batch)| batch).collect()
    }

    /// Gives up the streams that the server did not process: those with numbers above `last`.
    pub(crate) fn take_unprocessed(&mut self, last: u32) -> Vec<Batch> {
        self.take(|number, _| number > last).into_iter().map(|(_, batch)| batch).collect()
    }

    /// Gives up and resets the streams whose requests are overdue.
    pub(crate) fn take_late(&mut self, is_late: impl Fn(&Batch) -> bool) -> Vec<Batch> {
        let late = self.take(|_, batch| is_late(batch));
        for (number, _) in &late {
            self.has_cancelled = true;
            frame::write(&mut self.output, kind::RST_STREAM, 0, *number, &code::CANCEL.to_be_bytes());
        }
        late.into_iter().map(|(_, batch)| batch).collect()
    }

    /// Frees the slots of streams. Returns their numbers and requests in the order of the numbers,
    /// in which other connections send the requests again.
    fn take(&mut self, which: impl Fn(u32, &Batch) -> bool) -> Vec<(u32, Batch)> {
        let mut taken = Vec::new();
        for slot in 0..self.streams.len() {
            let (number, batch) = (self.numbers[slot], self.streams[slot].batch);
            if number > 0 && which(number, &batch) {
                self.free_slot(slot);
                taken.push((number, batch));
            }
        }
        taken.sort_unstable_by_key(|(number, _)| *number);
        taken
    }

    pub(super) fn free_slot(&mut self, slot: usize) {
        self.numbers[slot] = 0;
        self.free.push_back(slot);
    }
}
