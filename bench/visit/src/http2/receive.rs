//! What a connection does with the frames of a server (RFC 9113, section 6).

use std::mem;

use super::fault::{Fault, code};
use super::frame::{self, Head, flag, kind};
use super::session::{Event, LAST_STREAM, Session, Stream};
use super::settings::{self, FIRST_WINDOW, LARGEST_WINDOW};
use crate::check::OTHER_BYTES;
use crate::requests::Requests;

/// The longest header of an answer, with its CONTINUATION frames: as of one of HTTP/1.1.
const LONGEST_BLOCK: usize = 64 * 1024;

/// What may wait to be written: a server that asks for more without reading is given up.
const MOST_UNSENT: usize = 1024 * 1024;

/// The server may send half of a window without an update, so that it never waits for one.
const STREAM_UPDATE: u32 = FIRST_WINDOW / 2;
const CONNECTION_UPDATE: u32 = LARGEST_WINDOW / 2;

impl Session {
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
