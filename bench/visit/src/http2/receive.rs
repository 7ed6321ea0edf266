//! Handles the frames that a server sends (RFC 9113, section 6).

use std::mem;

use super::fault::{Fault, code};
use super::frame::{self, Head, flag, kind};
use super::session::{Event, LAST_STREAM, Session, Stream};
use super::settings::{self, FIRST_WINDOW, LARGEST_WINDOW};
use crate::check::OTHER_BYTES;
use crate::requests::Requests;

/// The longest header of an answer, with its CONTINUATION frames; the same as for HTTP/1.1.
pub(super) const LONGEST_BLOCK: usize = 64 * 1024;

/// The maximum number of unsent bytes: a server that asks for more without reading is given up.
pub(super) const MOST_UNSENT: usize = 1024 * 1024;

/// A window is updated when half of it is used, so that the server never waits for an update.
const STREAM_UPDATE: u32 = FIRST_WINDOW / 2;
const CONNECTION_UPDATE: u32 = LARGEST_WINDOW / 2;

impl Session {
    /// Handles a frame. After an error the connection has to be closed.
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
            // Priorities are ignored, and so are unknown frames (section 4.1).
            _ => Ok(Event::None),
        }
    }

    fn data(&mut self, head: Head, payload: &[u8], requests: &Requests) -> Result<Event, Fault> {
        let content = head.content(payload)?;
        // The length is at most 16,384.
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
        let wrong = |text: String| Err(Fault::protocol(text).in_request(request));
        if stream.status == 0 {
            return wrong("a body comes before its header".into());
        }
        let begin = stream.received;
        stream.received += content.len();
        match &requests.target(request).body {
            Some(body) if stream.status == 200 => {
                let expected = body.get(begin..).unwrap_or_default();
                if !expected.starts_with(content) {
                    let mut pairs = content.iter().zip(expected);
                    return wrong(match pairs.position(|(got, expected)| got != expected) {
                        Some(at) => format!("the body differs at byte {}", begin + at),
                        None => format!("the body has more than {} bytes", body.len()),
                    });
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
            return Err(Fault::new(code::FLOW_CONTROL_ERROR, text).in_request(request));
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

    /// Handles a whole block: the header of a final or an interim answer, or a trailer.
    fn header(&mut self, head: Head, block: &[u8], ends: bool, requests: &Requests) -> Result<Event, Fault> {
        let Some(slot) = self.find(head)? else {
            self.blocks.skip(block)?;
            return Ok(Event::None);
        };
        let stream = &mut self.streams[slot];
        let request = stream.batch.first;
        if stream.status > 0 {
            if !ends {
                return Err(Fault::protocol("an answer has a second header").in_request(request));
            }
            self.blocks.trailer(block).map_err(|fault| fault.in_request(request))?;
            return self.ended(slot, requests);
        }
        let header =
            self.blocks.header(block, requests.index(request)).map_err(|fault| fault.in_request(request))?;
        if header.status < 200 {
            return match ends {
                true => Err(Fault::protocol("an interim answer ends its stream").in_request(request)),
                false => Ok(Event::None),
            };
        }
        let expected = requests.target(request).status;
        if header.status < 300 && header.status != expected {
            let text = format!("the status is {}, not {expected}", header.status);
            return Err(Fault::protocol(text).in_request(request));
        }
        (stream.status, stream.length) = (header.status, header.length);
        if ends { self.ended(slot, requests) } else { Ok(Event::None) }
    }

    /// Handles the last frame of an answer. Fails when the length of the body is wrong.
    fn ended(&mut self, slot: usize, requests: &Requests) -> Result<Event, Fault> {
        let Stream { batch, status, length, received, .. } = self.streams[slot];
        let wrong = |text: String| Err(Fault::protocol(text).in_request(batch.first));
        if let Some(body) = &requests.target(batch.first).body
            && status == 200
            && received != body.len()
        {
            return wrong(format!("the body has {received} bytes, not {}", body.len()));
        }
        // A 304 may state the length of a body that it does not send.
        if let Some(length) = length.filter(|length| *length != received as u64 && status != 304) {
            return wrong(format!("the body has {received} bytes, and its Content-Length is {length}"));
        }
        if matches!(status, 204 | 304) && received > 0 {
            return wrong(format!("a {status} has a body"));
        }
        self.free_slot(slot);
        self.has_answered = true;
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

    /// Checks a WINDOW_UPDATE. A server's windows are for bodies of requests, and there are none.
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

    /// Returns the slot of the stream of a frame; `None` when the stream was given up.
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

    /// Finds the slot of a stream. Answers mostly come in the order of requests and of slots.
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

#[cfg(test)]
pub(super) mod tests {
    use std::time::Instant;

    use super::super::{request, split};
    use super::*;
    use crate::connection::Batch;
    use crate::head::Form;
    use visit_output::Mode;

    const BODY: &str = "Hello, visitor! You've requested: /a\n";

    pub(in crate::http2) fn requests() -> Requests {
        let form = Form { host: "h", fields: &[], mode: Mode::KeepAlive };
        Requests::new(&form, &["/a".to_owned()], None, &[])
    }

    pub(in crate::http2) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        frame::write(&mut out, kind, flags, stream, payload);
        out
    }

    /// A server's settings.
    pub(in crate::http2) fn settings() -> Vec<u8> {
        frame(kind::SETTINGS, 0, 0, b"\0\x03\0\0\0\x64")
    }

    /// A session whose server has sent its settings, with requests on streams 1, 3 and so on.
    pub(in crate::http2) fn asked(count: usize, requests: &Requests) -> Session {
        let mut session = Session::new(10, 1);
        session.begin();
        take(&mut session, &settings(), requests).unwrap();
        (0..count).for_each(|_| ask(&mut session));
        let length = session.unsent().len();
        session.sent(length);
        session
    }

    pub(in crate::http2) fn ask(session: &mut Session) {
        let batch = Batch { first: 0, count: 1, answered: 0, start: Instant::now(), measured: true };
        let frames = request::frames(false, "h", &[], ["/a"].into_iter()).unwrap();
        session.ask(batch, &frames[0]);
    }

    /// Returns the events of the frames, except [`Event::None`].
    pub(in crate::http2) fn take(
        session: &mut Session,
        mut bytes: &[u8],
        requests: &Requests,
    ) -> Result<Vec<String>, Fault> {
        let mut events = Vec::new();
        while let Some((head, payload)) = split(bytes)? {
            bytes = &bytes[frame::HEAD + payload.len()..];
            events.push(match session.receive(head, payload, requests)? {
                Event::None => continue,
                Event::Settings => "settings".to_owned(),
                Event::Answered { status, .. } => format!("answered {status}"),
                Event::Reset { batch, is_refused } => format!("reset {} {is_refused}", batch.is_some()),
                Event::GoAway { last, code } => format!("goaway {last} {code}"),
            });
        }
        assert!(bytes.is_empty(), "frames are whole");
        Ok(events)
    }

    pub(in crate::http2) fn header(stream: u32) -> Vec<u8> {
        let block = b"\x88\x0f\x10\x0atext/plain\x0f\x12\x1dSun, 06 Nov 1994 08:49:37 GMT";
        frame(kind::HEADERS, flag::END_HEADERS, stream, block)
    }

    pub(in crate::http2) fn right(stream: u32) -> Vec<u8> {
        [header(stream), frame(kind::DATA, flag::END_STREAM, stream, BODY.as_bytes())].concat()
    }

    #[test]
    fn answers_may_come_in_any_order_and_mixed() {
        let requests = requests();
        let orders: [[u32; 5]; 4] = [[1, 3, 5, 7, 9], [9, 7, 5, 3, 1], [5, 1, 9, 3, 7], [3, 1, 5, 9, 7]];
        for order in orders {
            let mut session = asked(5, &requests);
            assert_eq!((session.busy(), session.capacity()), (5, 5));
            let all: Vec<u8> = order.iter().flat_map(|stream| right(*stream)).collect();
            assert_eq!(take(&mut session, &all, &requests), Ok(vec!["answered 200".to_owned(); 5]));
            // The slots are used again, by streams with other numbers.
            (0..3).for_each(|_| ask(&mut session));
            let headers: Vec<u8> = [15, 11, 13].into_iter().flat_map(header).collect();
            let bodies = |part: &str, flags| -> Vec<u8> {
                [11, 15, 13]
                    .into_iter()
                    .flat_map(|stream| frame(kind::DATA, flags, stream, part.as_bytes()))
                    .collect()
            };
            let (first, second) = BODY.split_at(7);
            let mixed = [headers, bodies(first, 0), bodies(second, flag::END_STREAM)].concat();
            assert_eq!(take(&mut session, &mixed, &requests), Ok(vec!["answered 200".to_owned(); 3]));
            assert_eq!((session.busy(), session.capacity()), (0, 10));
        }
    }

    #[test]
    fn wrong_frames_end_the_connection() {
        let requests = requests();
        let goaway = frame(kind::GOAWAY, 0, 0, &[0; 8]);
        let cases: [(&str, Vec<u8>, u32, &str); 27] = [
            ("DATA on no stream", frame(kind::DATA, 0, 0, b""), 1, "stream 0, which was never opened"),
            ("DATA on an even stream", frame(kind::DATA, 0, 2, b""), 1, "stream 2, which was never"),
            ("DATA on a later stream", frame(kind::DATA, 0, 5, b""), 1, "stream 5, which was never"),
            ("HEADERS on no stream", header(0), 1, "stream 0, which was never opened"),
            ("HEADERS on a later stream", header(5), 1, "stream 5, which was never"),
            ("two headers", header(1).repeat(2), 1, "a second header"),
            ("DATA before its header", frame(kind::DATA, 0, 1, b"H"), 1, "before its header"),
            ("DATA behind the end", [right(1), frame(kind::DATA, 0, 1, b"")].concat(), 5, "behind the end"),
            ("too much padding", frame(kind::DATA, flag::PADDED, 1, b"\x05a"), 1, "more padding than bytes"),
            ("RST_STREAM of none", frame(kind::RST_STREAM, 0, 0, &[0; 4]), 1, "never opened"),
            ("RST_STREAM of a later one", frame(kind::RST_STREAM, 0, 5, &[0; 4]), 1, "never opened"),
            ("a short RST_STREAM", frame(kind::RST_STREAM, 0, 1, &[0; 3]), 6, "RST_STREAM has a wrong"),
            ("SETTINGS of a stream", frame(kind::SETTINGS, 0, 1, b""), 1, "SETTINGS frame has a stream"),
            ("a full acknowledgement", frame(kind::SETTINGS, flag::ACK, 0, &[0; 6]), 6, "a wrong number"),
            ("a wrong setting", frame(kind::SETTINGS, 0, 0, b"\0\x02\0\0\0\x01"), 1, "ENABLE_PUSH"),
            ("PING of a stream", frame(kind::PING, 0, 1, &[0; 8]), 1, "a PING frame has a stream"),
            ("a long PING", frame(kind::PING, 0, 0, &[0; 9]), 6, "PING has a wrong number"),
            ("GOAWAY of a stream", frame(kind::GOAWAY, 0, 1, &[0; 8]), 1, "a GOAWAY frame has a stream"),
            ("a short GOAWAY", frame(kind::GOAWAY, 0, 0, &[0; 7]), 6, "GOAWAY has a wrong number"),
            ("no update", frame(kind::WINDOW_UPDATE, 0, 0, &[0; 4]), 1, "updated by nothing"),
            ("a short update", frame(kind::WINDOW_UPDATE, 0, 0, &[1; 3]), 6, "WINDOW_UPDATE has a wrong"),
            ("an early update", frame(kind::WINDOW_UPDATE, 0, 9, &[1; 4]), 1, "never opened"),
            ("a push", frame(kind::PUSH_PROMISE, 0, 1, &[0; 4]), 1, "the server pushes"),
            ("a long PRIORITY", frame(kind::PRIORITY, 0, 1, &[0; 6]), 6, "PRIORITY frame has not 5"),
            ("CONTINUATION alone", frame(kind::CONTINUATION, 0, 1, b""), 1, "continues nothing"),
            (
                "an interrupted header",
                [frame(kind::HEADERS, 0, 1, b"\x88"), goaway].concat(),
                1,
                "interrupted by another frame",
            ),
            (
                "a header continued elsewhere",
                [frame(kind::HEADERS, 0, 1, b"\x88"), frame(kind::CONTINUATION, flag::END_HEADERS, 3, b"")]
                    .concat(),
                1,
                "interrupted by another frame",
            ),
        ];
        for (name, bytes, code, text) in cases {
            let fault = take(&mut asked(2, &requests), &bytes, &requests).unwrap_err();
            assert!(fault.code == code && fault.text.contains(text), "{name}: {fault:?}");
        }
        let mut session = Session::new(1, 1);
        session.begin();
        let fault = take(&mut session, &frame(kind::PING, 0, 0, &[0; 8]), &requests).unwrap_err();
        assert_eq!(fault.text, "the first frame is not SETTINGS");
    }

    #[test]
    fn what_a_server_does_is_an_event() {
        let requests = requests();
        let reset = |code: u32| frame(kind::RST_STREAM, 0, 1, &code.to_be_bytes());
        let goaway = frame(kind::GOAWAY, 0, 0, b"\x80\0\0\x03\0\0\0\x0bwhy");
        let cases: [(&str, Vec<u8>, &[&str]); 8] = [
            ("settings", settings(), &["settings"]),
            ("an acknowledgement", frame(kind::SETTINGS, flag::ACK, 0, b""), &[]),
            ("an answer", right(3), &["answered 200"]),
            ("no body", frame(kind::HEADERS, 0x5, 1, b"\x8d"), &["answered 404"]),
            ("a reset", reset(2), &["reset true false"]),
            ("a refused stream", reset(7), &["reset true true"]),
            ("a reset behind the end", [right(1), reset(0)].concat(), &["answered 200", "reset false false"]),
            ("goaway", goaway, &["goaway 3 11"]),
        ];
        for (name, bytes, expected) in cases {
            let events = take(&mut asked(2, &requests), &bytes, &requests).unwrap();
            assert_eq!(events, expected, "{name}");
        }
    }

    #[test]
    fn the_numbers_of_streams_end() {
        let requests = requests();
        let mut session = asked(0, &requests);
        session.next = LAST_STREAM - 2;
        for number in [LAST_STREAM - 2, LAST_STREAM] {
            assert!(session.capacity() > 0 && !session.is_used_up());
            ask(&mut session);
            assert_eq!(take(&mut session, &right(number), &requests), Ok(vec!["answered 200".to_owned()]));
        }
        assert!(session.capacity() == 0 && session.is_used_up() && session.busy() == 0);
        session.begin();
        assert!(!session.is_used_up());
    }

    #[test]
    fn windows_are_updated_before_they_are_used_up() {
        let requests = requests();
        let mut session = asked(1, &requests);
        session.received = CONNECTION_UPDATE - 10_001;
        // The body of a 404 may be anything.
        take(&mut session, &frame(kind::HEADERS, flag::END_HEADERS, 1, b"\x8d"), &requests).unwrap();
        let part = frame(kind::DATA, 0, 1, &[0; 10_000]);
        let update = |stream, update: u32| frame(kind::WINDOW_UPDATE, 0, stream, &update.to_be_bytes());
        let expected = [vec![], update(0, CONNECTION_UPDATE + 9_999), vec![], update(1, 40_000), vec![]];
        for expected in expected {
            take(&mut session, &part, &requests).unwrap();
            assert_eq!(session.unsent(), expected);
            session.sent(expected.len());
        }
        // A frame without content uses the window too.
        session.streams[0].unacknowledged = FIRST_WINDOW;
        let fault = take(&mut session, &frame(kind::DATA, flag::PADDED, 1, &[0]), &requests).unwrap_err();
        assert_eq!((fault.code, fault.request), (code::FLOW_CONTROL_ERROR, Some(0)));
    }

    #[test]
    fn no_bytes_make_it_panic_or_grow() {
        let requests = requests();
        let mut state = 1_u64;
        let mut random = |below: usize| {
            // Knuth's linear congruential generator, whose high bits are good enough.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % below
        };
        for _ in 0..20_000 {
            let mut session = asked(3, &requests);
            for _ in 0..20 {
                let mut bytes = match random(3) {
                    0 => right(u32::try_from(random(8)).unwrap()),
                    1 => settings(),
                    _ => {
                        let [kind, flags, stream, length] = [random(11), random(64), random(8), random(20)];
                        let [kind, flags] = [kind, flags].map(|byte| u8::try_from(byte).unwrap());
                        frame(kind, flags, u32::try_from(stream).unwrap(), &vec![0; length])
                    }
                };
                for _ in 0..random(4) {
                    let at = random(bytes.len());
                    bytes[at] = u8::try_from(random(256)).unwrap();
                }
                let mut rest = bytes.as_slice();
                while let Ok(Some((head, payload))) = split(rest) {
                    rest = &rest[frame::HEAD + payload.len()..];
                    if session.receive(head, payload, &requests).is_err() {
                        break;
                    }
                }
                assert!(session.block.len() <= LONGEST_BLOCK && session.busy() <= 3);
            }
        }
    }

    #[test]
    fn a_server_that_does_not_read_is_given_up() {
        let requests = requests();
        let mut session = asked(1, &requests);
        let pings = frame(kind::PING, 0, 0, b"12345678").repeat(1000);
        let ends = (0..100).find_map(|_| take(&mut session, &pings, &requests).err());
        assert_eq!(ends.unwrap().text, "the server asks for more than it reads");
        assert!(session.unsent().len() <= MOST_UNSENT + 17);
    }
}
