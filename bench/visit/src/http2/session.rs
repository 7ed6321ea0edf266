//! One connection of HTTP/2: its streams, its settings and its windows (RFC 9113, sections 5 and 6).

use std::collections::VecDeque;
use std::mem;

use super::block::Blocks;
use super::fault::{Fault, code};
use super::frame::{self, Head, flag, kind};
use super::settings::{self, FIRST_WINDOW, LARGEST_WINDOW};
use crate::check::OTHER_BYTES;
use crate::connection::Batch;
use crate::requests::Requests;

/// The longest header of an answer, with its CONTINUATION frames: as of one of HTTP/1.1.
const LONGEST_BLOCK: usize = 64 * 1024;

/// What may wait to be written: a server that asks for more without reading is given up.
const MOST_UNSENT: usize = 1024 * 1024;

/// The server may send half of a window without an update, so that it never waits for one.
const STREAM_UPDATE: u32 = FIRST_WINDOW / 2;
const CONNECTION_UPDATE: u32 = LARGEST_WINDOW / 2;

/// The last number of a stream (section 5.1.1).
const LAST_STREAM: u32 = 0x7fff_ffff;

/// What a frame means for the load.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    None,
    /// The server has said how many streams it allows.
    Settings,
    /// An answer is whole and right, or has another status.
    Answered {
        batch: Batch,
        status: u16,
    },
    /// The server has reset a stream. `batch` is its request, `None` when it was answered before;
    /// a refused one was not processed.
    Reset {
        batch: Option<Batch>,
        is_refused: bool,
    },
    /// The server takes no new streams: it processed none behind the last one, and says why by a code
    /// of an error.
    GoAway {
        last: u32,
        code: u32,
    },
}

pub(crate) struct Session {
    /// Streams that may be open at once, which were asked for.
    asked: usize,
    /// The same as far as the server allows.
    limit: usize,
    /// The number of the stream in each slot; 0 is a free one.
    numbers: Vec<u32>,
    streams: Vec<Stream>,
    /// Free slots, the longest free first: so the answers come in the order of the slots.
    free: VecDeque<usize>,
    /// The slot of the last frame.
    last: usize,
    /// The number of the next stream.
    next: u32,
    /// Whether the server has sent its settings.
    is_settled: bool,
    /// Whether no stream may be opened any more.
    is_leaving: bool,
    /// Whether a stream was given up, whose frames may still come.
    has_cancelled: bool,
    blocks: Blocks,
    /// A header whose CONTINUATION frames are missing: its stream, and whether it ends it.
    unfinished: Option<(u32, bool)>,
    block: Vec<u8>,
    /// Bytes of bodies since the last update of the window of the connection.
    received: u32,
    output: Vec<u8>,
    written: usize,
}

#[derive(Clone, Copy)]
struct Stream {
    batch: Batch,
    /// 0 before the final header.
    status: u16,
    length: Option<u64>,
    /// Bytes of its body.
    received: usize,
    /// The same since the last update of its window, with padding.
    unacknowledged: u32,
}

impl Session {
    /// For connections of up to `asked` streams, to a number of targets.
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
        (self.is_settled, self.is_leaving, self.has_cancelled) = (false, false, false);
        self.blocks.reset();
        self.unfinished = None;
        self.received = 0;
        self.output.clear();
        self.written = 0;
        settings::greeting(&mut self.output);
    }

    /// The connection is closed: what was to be written belongs to no other one.
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

    /// Whether any stream was opened.
    pub(crate) fn was_used(&self) -> bool {
        self.next > 1
    }

    /// Streams whose answers are missing.
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

    /// Opens a stream for a request, whose frame is this one. There has to be capacity.
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

    /// This number of them is written.
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

    /// Gives up the streams that the server did not process: those behind the last one it names.
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

    /// Frees the slots of streams. Returns their numbers and requests, in the order of the numbers,
    /// as other connections ask again in it.
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

    fn free_slot(&mut self, slot: usize) {
        self.numbers[slot] = 0;
        self.free.push_back(slot);
    }

    /// Takes a frame. After an error the connection has to be closed.
    pub(crate) fn receive(
        &mut self,
        head: Head,
        payload: &[u8],
        requests: &Requests,
    ) -> Result<Event, Fault> {
        if let Some((stream, _)) = self.unfinished
            && (head.kind, head.stream) != (kind::CONTINUATION, stream)
        {
            return Err(Fault::protocol("a header is interrupted by another frame"));
        }
        if !self.is_settled && (head.kind != kind::SETTINGS || head.has(flag::ACK)) {
            return Err(Fault::protocol("the first frame is not SETTINGS"));
        }
        match head.kind {
            kind::DATA => self.data(head, payload, requests),
            kind::HEADERS => self.headers(head, payload, requests),
            kind::CONTINUATION => self.continuation(head, payload, requests),
            kind::RST_STREAM => self.rst_stream(head, payload),
            kind::SETTINGS => self.settings(head, payload),
            kind::PING => self.ping(head, payload),
            kind::GOAWAY => goaway(head, payload),
            kind::WINDOW_UPDATE => self.window_update(head, payload),
            kind::PUSH_PROMISE => Err(Fault::protocol("the server pushes, which is switched off")),
            kind::PRIORITY if payload.len() != 5 => {
                Err(Fault::new(code::FRAME_SIZE_ERROR, "a PRIORITY frame has not 5 bytes"))
            }
            // Priorities mean nothing any more, and unknown frames are ignored (section 4.1).
            _ => Ok(Event::None),
        }
    }

    fn data(&mut self, head: Head, payload: &[u8], requests: &Requests) -> Result<Event, Fault> {
        let content = head.content(payload)?;
        // At most 16,384.
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        self.received += length;
        if self.received >= CONNECTION_UPDATE {
            let received = mem::take(&mut self.received);
            frame::write(&mut self.output, kind::WINDOW_UPDATE, 0, 0, &received.to_be_bytes());
        }
        let Some(slot) = self.find(head)? else { return Ok(Event::None) };
        let ends = head.has(flag::END_STREAM);
        let stream = &mut self.streams[slot];
        let request = stream.batch.first;
        let wrong = |text: String| Err(Fault::protocol(text).of(request));
        if stream.status == 0 {
            return wrong("a body comes before its header".into());
        }
        let begin = stream.received;
        stream.received += content.len();
        match &requests.target(request).body {
            Some(body) if stream.status == 200 => {
                let expected = body.get(begin..).unwrap_or_default();
                if let Some(at) = content.iter().zip(expected).position(|(got, expected)| got != expected) {
                    return wrong(format!("the body differs at byte {}", begin + at));
                }
                if stream.received > body.len() {
                    return wrong(format!("the body has more than {} bytes", body.len()));
                }
            }
            _ if stream.received > OTHER_BYTES => {
                return wrong(format!("a {} has more than {OTHER_BYTES} bytes", stream.status));
            }
            _ => {}
        }
        if ends {
            return self.ended(slot, requests);
        }
        stream.unacknowledged += length;
        if stream.unacknowledged > FIRST_WINDOW {
            let text = "the server sends more than the window of a stream";
            return Err(Fault::new(code::FLOW_CONTROL_ERROR, text).of(request));
        }
        if stream.unacknowledged >= STREAM_UPDATE {
            let update = mem::take(&mut stream.unacknowledged).to_be_bytes();
            frame::write(&mut self.output, kind::WINDOW_UPDATE, 0, head.stream, &update);
        }
        Ok(Event::None)
    }

    fn headers(&mut self, head: Head, payload: &[u8], requests: &Requests) -> Result<Event, Fault> {
        let content = head.content(payload)?;
        let ends = head.has(flag::END_STREAM);
        if head.has(flag::END_HEADERS) {
            return self.header(head, content, ends, requests);
        }
        self.unfinished = Some((head.stream, ends));
        self.block.clear();
        self.block.extend_from_slice(content);
        Ok(Event::None)
    }

    fn continuation(&mut self, head: Head, payload: &[u8], requests: &Requests) -> Result<Event, Fault> {
        let Some((_, ends)) = self.unfinished else {
            return Err(Fault::protocol("a CONTINUATION frame continues nothing"));
        };
        if self.block.len() + payload.len() > LONGEST_BLOCK {
            let text = format!("a header has more than {LONGEST_BLOCK} bytes");
            return Err(Fault::new(code::ENHANCE_YOUR_CALM, text));
        }
        self.block.extend_from_slice(payload);
        if !head.has(flag::END_HEADERS) {
            return Ok(Event::None);
        }
        self.unfinished = None;
        let block = mem::take(&mut self.block);
        let event = self.header(head, &block, ends, requests);
        self.block = block;
        event
    }

    /// Takes a whole block: a header, an interim one, or a trailer.
    fn header(&mut self, head: Head, block: &[u8], ends: bool, requests: &Requests) -> Result<Event, Fault> {
        let Some(slot) = self.find(head)? else {
            self.blocks.skip(block)?;
            return Ok(Event::None);
        };
        let stream = &mut self.streams[slot];
        let request = stream.batch.first;
        if stream.status > 0 {
            if !ends {
                return Err(Fault::protocol("an answer has a second header").of(request));
            }
            self.blocks.trailer(block).map_err(|fault| fault.of(request))?;
            return self.ended(slot, requests);
        }
        let header = self.blocks.header(block, requests.index(request)).map_err(|fault| fault.of(request))?;
        if header.status < 200 {
            return match ends {
                true => Err(Fault::protocol("an interim answer ends its stream").of(request)),
                false => Ok(Event::None),
            };
        }
        let expected = requests.target(request).status;
        if header.status < 300 && header.status != expected {
            let text = format!("the status is {}, not {expected}", header.status);
            return Err(Fault::protocol(text).of(request));
        }
        (stream.status, stream.length) = (header.status, header.length);
        if ends { self.ended(slot, requests) } else { Ok(Event::None) }
    }

    /// The last frame of an answer has come: it has to be whole.
    fn ended(&mut self, slot: usize, requests: &Requests) -> Result<Event, Fault> {
        let Stream { batch, status, length, received, .. } = self.streams[slot];
        let wrong = |text: String| Err(Fault::protocol(text).of(batch.first));
        if let Some(body) = &requests.target(batch.first).body
            && status == 200
            && received != body.len()
        {
            return wrong(format!("the body has {received} bytes, not {}", body.len()));
        }
        // A 304 may have the length of what it does not send.
        if let Some(length) = length.filter(|length| *length != received as u64 && status != 304) {
            return wrong(format!("the body has {received} bytes, and its Content-Length is {length}"));
        }
        if matches!(status, 204 | 304) && received > 0 {
            return wrong(format!("a {status} has a body"));
        }
        self.free_slot(slot);
        Ok(Event::Answered { batch, status })
    }

    fn rst_stream(&mut self, head: Head, payload: &[u8]) -> Result<Event, Fault> {
        let code: [u8; 4] = payload.try_into().map_err(|_| size("RST_STREAM"))?;
        if head.stream == 0 || head.stream >= self.next || head.stream.is_multiple_of(2) {
            return Err(Fault::protocol("a stream is reset that was never opened"));
        }
        let slot = self.slot(head.stream);
        if let Some(slot) = slot {
            self.free_slot(slot);
        }
        let batch = slot.map(|slot| self.streams[slot].batch);
        Ok(Event::Reset { batch, is_refused: u32::from_be_bytes(code) == code::REFUSED_STREAM })
    }

    fn settings(&mut self, head: Head, payload: &[u8]) -> Result<Event, Fault> {
        if head.stream != 0 {
            return Err(Fault::protocol("a SETTINGS frame has a stream"));
        }
        if head.has(flag::ACK) {
            return if payload.is_empty() {
                Ok(Event::None)
            } else {
                Err(size("the SETTINGS that are acknowledged"))
            };
        }
        let allowed = settings::read(payload)?;
        if allowed.is_some() || !self.is_settled {
            let allowed =
                allowed.map_or(usize::MAX, |streams| usize::try_from(streams).unwrap_or(usize::MAX));
            self.limit = self.asked.min(allowed);
        }
        self.is_settled = true;
        frame::write(&mut self.output, kind::SETTINGS, flag::ACK, 0, &[]);
        self.bounded(Event::Settings)
    }

    fn ping(&mut self, head: Head, payload: &[u8]) -> Result<Event, Fault> {
        if head.stream != 0 {
            return Err(Fault::protocol("a PING frame has a stream"));
        }
        if payload.len() != 8 {
            return Err(size("PING"));
        }
        if !head.has(flag::ACK) {
            frame::write(&mut self.output, kind::PING, flag::ACK, 0, payload);
        }
        self.bounded(Event::None)
    }

    /// The windows of a server are for bodies of requests, of which there are none.
    fn window_update(&mut self, head: Head, payload: &[u8]) -> Result<Event, Fault> {
        let update: [u8; 4] = payload.try_into().map_err(|_| size("WINDOW_UPDATE"))?;
        if head.stream >= self.next {
            return Err(Fault::protocol("a window is updated of a stream that was never opened"));
        }
        match u32::from_be_bytes(update) & LARGEST_WINDOW {
            0 => Err(Fault::protocol("a window is updated by nothing")),
            _ => Ok(Event::None),
        }
    }

    /// Fails when the server asks for more than it reads.
    fn bounded(&self, event: Event) -> Result<Event, Fault> {
        match self.unsent().len() > MOST_UNSENT {
            true => Err(Fault::new(code::ENHANCE_YOUR_CALM, "the server asks for more than it reads")),
            false => Ok(event),
        }
    }

    /// The slot of the stream of a frame; `None` where it was given up.
    fn find(&mut self, head: Head) -> Result<Option<usize>, Fault> {
        if let Some(slot) = self.slot(head.stream) {
            self.last = slot;
            return Ok(Some(slot));
        }
        if head.stream >= self.next || head.stream.is_multiple_of(2) {
            return Err(Fault::protocol(format!(
                "there is a frame on stream {}, which was never opened",
                head.stream
            )));
        }
        if !self.has_cancelled {
            return Err(Fault::new(code::STREAM_CLOSED, "there are frames behind the end of an answer"));
        }
        Ok(None)
    }

    /// Answers mostly come in the order of the requests, which is that of the slots.
    fn slot(&self, number: u32) -> Option<usize> {
        let next = if self.last + 1 < self.streams.len() { self.last + 1 } else { 0 };
        let is = |slot: &usize| self.numbers[*slot] == number;
        let near = [self.last, next].into_iter().find(is);
        near.or_else(|| self.numbers.iter().position(|known| *known == number)).filter(|_| number > 0)
    }
}

fn size(name: &str) -> Fault {
    Fault::new(code::FRAME_SIZE_ERROR, format!("{name} has a wrong number of bytes"))
}

fn goaway(head: Head, payload: &[u8]) -> Result<Event, Fault> {
    if head.stream != 0 {
        return Err(Fault::protocol("a GOAWAY frame has a stream"));
    }
    let Some(([a, b, c, d, code @ ..], _)) = payload.split_first_chunk::<8>() else {
        return Err(size("GOAWAY"));
    };
    let last = u32::from_be_bytes([*a, *b, *c, *d]) & LAST_STREAM;
    Ok(Event::GoAway { last, code: u32::from_be_bytes(*code) })
}
