//! Records what a server sends on an HTTP/2 connection, read strictly (RFC 9113, sections 4 to 8).

use std::collections::BTreeMap;

use answers::Response;

use super::frame::{Frame, MAX_FRAME_SIZE, MAX_WINDOW, WINDOW, code, code_name, flag, kind, setting};
use super::hpack::{Decoder, HeaderField};
use super::script::Event;
use crate::client::Ending;

/// The numbers of first and of last frames that a description names. It also names all errors.
const NAMED: [usize; 2] = [8, 4];

/// What the server has sent.
pub(super) struct Exchange {
    pub(super) streams: BTreeMap<u32, Stream>,
    /// The code of the first GOAWAY with an error; `NO_ERROR` if there was only an orderly one.
    pub(super) goaway: Option<u32>,
    /// The last stream that the server processes: the largest identifier until GOAWAY names one.
    pub(super) last_stream: u32,
    pub(super) pongs: Vec<u64>,
    pub(super) acks: usize,
    /// Bytes of content that the client may send on the connection, as granted by the server.
    pub(super) room: u64,
    /// The server's settings, once they have arrived.
    pub(super) settings: Option<BTreeMap<u16, u32>>,
    /// The status of the answer, if the server answered with HTTP/1.1.
    pub(super) http_1: Option<u16>,
    pub(super) ending: Ending,
    /// Why the server's bytes are malformed, or what did not arrive in time.
    pub(super) malformed: Option<String>,
    decoder: Decoder,
    /// A short description of each frame.
    log: Vec<String>,
    /// A field block whose CONTINUATION has not arrived: its stream, its flags and its bytes.
    block: Option<(u32, u8, Vec<u8>)>,
}

/// What the server has sent on a stream.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// The head of the final answer, and its content as far as it has arrived.
    pub(super) response: Option<Response>,
    pub(super) is_ended: bool,
    pub(super) reset: Option<u32>,
    /// Bytes that the server has added to the window for the client's content.
    pub(super) granted: u64,
}

impl Stream {
    /// Whether the server sends nothing more on the stream.
    pub(super) fn is_over(&self) -> bool {
        self.is_ended || self.reset.is_some()
    }
}

impl Exchange {
    /// Creates an empty exchange. Answers may use a dynamic table of `table` bytes.
    pub(super) fn new(table: u32) -> Self {
        Self {
            streams: BTreeMap::new(),
            goaway: None,
            last_stream: MAX_WINDOW,
            pongs: Vec::new(),
            acks: 0,
            room: u64::from(WINDOW),
            settings: None,
            http_1: None,
            ending: Ending::Silent,
            malformed: None,
            decoder: Decoder::with_table(table),
            log: Vec::new(),
            block: None,
        }
    }

    /// Whether `event` has happened.
    pub(super) fn has(&self, event: Event) -> bool {
        let stream = |stream: u32| self.streams.get(&stream);
        match event {
            Event::Settings => self.settings.is_some(),
            Event::Acks(count) => self.acks >= count,
            Event::Pong(data) => self.pongs.contains(&data),
            Event::Head(id) => stream(id).is_some_and(|stream| stream.response.is_some()),
            Event::Content(id, count) => self.content(id) >= count,
            Event::End(id) => stream(id).is_some_and(|stream| stream.is_ended),
        }
    }

    /// The number of bytes of content on a stream; stream 0 stands for all streams.
    pub(super) fn content(&self, id: u32) -> usize {
        let of = |stream: &Stream| stream.response.as_ref().map_or(0, |response| response.body.len());
        if id == 0 { self.streams.values().map(of).sum() } else { self.streams.get(&id).map_or(0, of) }
    }

    /// Records a frame. Returns the acknowledgement of SETTINGS or PING. Fails on a malformed
    /// frame.
    pub(super) fn take(&mut self, frame: &Frame) -> Result<Option<Vec<u8>>, String> {
        self.log.push(name(frame));
        if self.settings.is_none() && (frame.kind != kind::SETTINGS || frame.has(flag::ACK)) {
            return Err(format!("expected SETTINGS as the first frame, got {}", name(frame)));
        }
        if self.block.is_some() && frame.kind != kind::CONTINUATION {
            return Err(format!("expected CONTINUATION, got {}", name(frame)));
        }
        if frame.stream.is_multiple_of(2) && frame.stream > 0 {
            return Err(format!("expected no stream of the server, got {}", name(frame)));
        }
        let of_stream = [kind::DATA, kind::HEADERS, kind::CONTINUATION, kind::RST_STREAM, kind::PRIORITY];
        let of_connection = [kind::SETTINGS, kind::PING, kind::GOAWAY];
        let is_elsewhere = frame.stream == 0 && of_stream.contains(&frame.kind)
            || frame.stream > 0 && of_connection.contains(&frame.kind);
        if is_elsewhere {
            return Err(format!("{} is not allowed there", name(frame)));
        }
        match frame.kind {
            kind::DATA => self.data(frame)?,
            kind::HEADERS => {
                let content = frame.content().ok_or("HEADERS with more padding than content")?;
                self.fragment(frame.stream, frame.flags, content)?;
            }
            kind::CONTINUATION => {
                let (stream, flags, mut block) = self.block.take().ok_or("CONTINUATION of no field block")?;
                if stream != frame.stream {
                    return Err("CONTINUATION of another stream".into());
                }
                block.extend_from_slice(frame.payload);
                self.fragment(stream, flags & flag::END_STREAM | frame.flags & flag::END_HEADERS, &block)?;
            }
            kind::RST_STREAM => {
                let code = frame.number(0).filter(|_| frame.payload.len() == 4);
                let code = code.ok_or("RST_STREAM whose length is not 4")?;
                self.streams.entry(frame.stream).or_default().reset.get_or_insert(code);
            }
            kind::PUSH_PROMISE => return Err("PUSH_PROMISE, and the client wants none".into()),
            kind::GOAWAY => {
                let code = frame.number(4).ok_or("GOAWAY that is too short")?;
                let last = frame.number(0).map_or(MAX_WINDOW, |last| last & MAX_WINDOW);
                self.last_stream = self.last_stream.min(last);
                // An orderly close may be followed by an error.
                if self.goaway.is_none_or(|before| before == code::NO_ERROR) {
                    self.goaway = Some(code);
                }
            }
            kind::WINDOW_UPDATE if frame.payload.len() != 4 => {
                return Err("WINDOW_UPDATE whose length is not 4".into());
            }
            kind::WINDOW_UPDATE if frame.number(0).map(|number| number & MAX_WINDOW) == Some(0) => {
                return Err("WINDOW_UPDATE by 0".into());
            }
            kind::WINDOW_UPDATE if frame.stream == 0 => {
                self.room += frame.number(0).map_or(0, |number| u64::from(number & MAX_WINDOW));
            }
            kind::WINDOW_UPDATE => {
                let granted = frame.number(0).map_or(0, |number| u64::from(number & MAX_WINDOW));
                self.streams.entry(frame.stream).or_default().granted += granted;
            }
            kind::SETTINGS => return self.settings(frame),
            kind::PING => return self.ping(frame),
            _ => {}
        }
        Ok(None)
    }

    fn settings(&mut self, frame: &Frame) -> Result<Option<Vec<u8>>, String> {
        if frame.has(flag::ACK) {
            self.acks += 1;
            return if frame.payload.is_empty() {
                Ok(None)
            } else {
                Err("SETTINGS with ACK and values".into())
            };
        }
        let (values, rest) = frame.payload.as_chunks::<6>();
        if !rest.is_empty() {
            return Err("SETTINGS whose length is no multiple of 6".into());
        }
        let settings = self.settings.get_or_insert_default();
        for [high, low, value @ ..] in values {
            let (name, value) = (u16::from_be_bytes([*high, *low]), u32::from_be_bytes(*value));
            let is_valid = match name {
                setting::ENABLE_PUSH => value == 0,
                setting::INITIAL_WINDOW_SIZE => value <= MAX_WINDOW,
                setting::MAX_FRAME_SIZE => (MAX_FRAME_SIZE..1 << 24).contains(&value),
                _ => true,
            };
            if !is_valid {
                return Err(format!("setting {name} is {value}"));
            }
            settings.insert(name, value);
        }
        Ok(Some(super::frame::settings_ack()))
    }

    fn ping(&mut self, frame: &Frame) -> Result<Option<Vec<u8>>, String> {
        let data: [u8; 8] = frame.payload.try_into().map_err(|_| "PING whose length is not 8".to_owned())?;
        if frame.has(flag::ACK) {
            self.pongs.push(u64::from_be_bytes(data));
            return Ok(None);
        }
        Ok(Some(super::frame::frame(kind::PING, flag::ACK, 0, &data)))
    }

    fn data(&mut self, frame: &Frame) -> Result<(), String> {
        let content = frame.content().ok_or("DATA with more padding than content")?;
        let stream = self.open(frame)?;
        let response = stream.response.as_mut().ok_or("DATA before the head of an answer")?;
        response.body.extend_from_slice(content);
        stream.is_ended = frame.has(flag::END_STREAM);
        if stream.is_ended { check_length(response) } else { Ok(()) }
    }

    /// Returns the stream of a frame that belongs to an answer. Fails when the stream is over.
    fn open(&mut self, frame: &Frame) -> Result<&mut Stream, String> {
        let stream = self.streams.entry(frame.stream).or_default();
        if stream.is_over() {
            return Err(format!("expected no more on the stream, got {}", name(frame)));
        }
        Ok(stream)
    }

    /// Takes a field block as far as it has arrived. `flags` are those of its HEADERS, with
    /// END_HEADERS once the block is whole.
    fn fragment(&mut self, stream: u32, flags: u8, block: &[u8]) -> Result<(), String> {
        if flags & flag::END_HEADERS == 0 {
            self.block = Some((stream, flags, block.to_vec()));
            return Ok(());
        }
        let frame = Frame { kind: kind::HEADERS, flags, stream, payload: &[] };
        let fields = self.decoder.decode(block).map_err(|error| format!("a field block: {error}"))?;
        if let (Some(named), Some((name, value))) = (self.log.last_mut(), fields.first())
            && name == b":status"
        {
            *named = format!("{} on stream {stream}", value.escape_ascii());
        }
        let stream = self.open(&frame)?;
        stream.is_ended = frame.has(flag::END_STREAM);
        if let Some(response) = &stream.response {
            // Trailers.
            let is_pseudo = |(name, _): &HeaderField| name.starts_with(b":");
            if !stream.is_ended || fields.iter().any(is_pseudo) {
                return Err("trailers that have pseudo-fields or do not end the answer".into());
            }
            return check_length(response);
        }
        let response = head(&fields)?;
        let status = response.status;
        if status < 200 {
            return if status == 101 || stream.is_ended {
                Err(format!("{status} that switches or ends the answer"))
            } else {
                Ok(())
            };
        }
        stream.response = Some(response);
        Ok(())
    }

    /// Drops the descriptions of the frames, of which a long connection has many.
    pub(super) fn forget_names(&mut self) {
        self.log.clear();
    }

    /// Describes the frames and the end of the connection.
    pub(super) fn describe(&self) -> String {
        let [first, last] = NAMED;
        let is_named = |(at, name): &(usize, &String)| {
            let is_error = name.starts_with("RST_STREAM") || name.starts_with("GOAWAY");
            *at < first || at + last >= self.log.len() || is_error
        };
        let named = self.log.iter().enumerate().filter(is_named);
        let mut words: Vec<String> = named.map(|(_, name)| name.clone()).collect();
        let more = self.log.len() - words.len();
        if more > 0 {
            words.insert(first, format!("{more} more"));
        }
        if let Some(status) = self.http_1 {
            words.push(format!("{status} of HTTP/1.1"));
        }
        if words.is_empty() {
            words.push("nothing".into());
        }
        let end = match self.ending {
            Ending::Open => " and the connection open",
            Ending::Eof => " and the connection closed",
            Ending::Reset => " and the connection reset",
            Ending::Silent => " and then neither an answer nor an end",
            Ending::Stopped | Ending::Switched => "",
        };
        words.join(", ") + end
    }
}

/// Describes a frame in a few words.
fn name(frame: &Frame) -> String {
    let ack = if frame.has(flag::ACK) { " with ACK" } else { "" };
    let of = |at| frame.number(at).map_or_else(String::new, code_name);
    let stream = frame.stream;
    match frame.kind {
        kind::DATA => format!("DATA of {} on stream {stream}", frame.payload.len()),
        kind::HEADERS => format!("HEADERS on stream {stream}"),
        kind::RST_STREAM => format!("RST_STREAM {} of stream {stream}", of(0)),
        kind::SETTINGS => format!("SETTINGS{ack}"),
        kind::PING => format!("PING{ack}"),
        kind::GOAWAY => {
            let debug = frame.payload.get(8..).filter(|debug| !debug.is_empty());
            let debug = debug.map_or_else(String::new, |debug| format!(" \"{}\"", debug.escape_ascii()));
            format!("GOAWAY {}{debug}", of(4))
        }
        kind::WINDOW_UPDATE => format!("WINDOW_UPDATE of stream {stream}"),
        kind => format!("a frame of type {kind} on stream {stream}"),
    }
}

/// Converts the head of an answer to HTTP/1.1, the form in which all answers are compared. Fails
/// when it is malformed (RFC 9113, section 8).
fn head(fields: &[HeaderField]) -> Result<Response, String> {
    let (status, fields) = match fields {
        [(name, status), fields @ ..] if name == b":status" => (status, fields),
        _ => return Err("an answer that does not begin with :status".into()),
    };
    let mut head = [b"HTTP/1.1 ", status.as_slice(), b" \r\n"].concat();
    for (name, value) in fields {
        let is_invalid = |byte: &u8| matches!(byte, 0..=0x20 | b'A'..=b'Z' | b':' | 0x7f..);
        let specific: [&[u8]; 5] =
            [b"connection", b"proxy-connection", b"keep-alive", b"transfer-encoding", b"upgrade"];
        if name.is_empty() || name.iter().any(is_invalid) || specific.contains(&name.as_slice()) {
            return Err(format!("an answer with the field {}", name.escape_ascii()));
        }
        head.extend([name.as_slice(), b": ", value, b"\r\n"].concat());
    }
    head.extend_from_slice(b"\r\n");
    match answers::parse(&head, true, true) {
        Ok(Some((response, _))) => Ok(response),
        Ok(None) => Err("an answer whose head is not whole".into()),
        Err(wrong) => Err(wrong),
    }
}

/// Fails when the content is not as long as the head says (RFC 9113, section 8.1.1). Empty content
/// is always right, since an answer to a HEAD may state a length.
fn check_length(response: &Response) -> Result<(), String> {
    let Some(length) = response.field("content-length") else { return Ok(()) };
    let got = response.body.len();
    if got > 0 && length != got.to_string() {
        return Err(format!("Content-Length is {length}, and the content has {got} bytes"));
    }
    Ok(())
}
