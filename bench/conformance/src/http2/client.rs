//! The client's side of an HTTP/2 connection without a socket, for callers that send requests
//! outside the cases. It makes the bytes that are sent, and reads those of the server as strictly
//! as a case does.

use answers::Response;

use super::exchange::Exchange;
use super::frame::{self, Frame, MAX_WINDOW, PREFACE, WINDOW, code, code_name, flag, kind, setting};
use super::hpack::field;
use super::site::Site;
use crate::socket::Transport;
use crate::target::Target;

/// The most bytes of content of a frame, unless the server allows more (RFC 9113, section 4.2).
pub const MAX_CONTENT: usize = frame::MAX_PAYLOAD;

/// The client's state of an HTTP/2 connection.
pub struct Http2Client {
    got: Exchange,
    site: Site<'static>,
    /// The number of the next stream, which only rises.
    next: u32,
    /// Bytes of a frame that is not whole.
    bytes: Vec<u8>,
    /// Bytes of content that were sent on the connection.
    sent: u64,
    /// The last stream on which content was sent, and the bytes that were sent on it.
    sent_on: (u32, u64),
}

/// The result of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamEnd {
    /// The server has answered.
    Answered(Response),
    /// The server has not processed the request, as GOAWAY or REFUSED_STREAM says: it can be sent
    /// again (RFC 9113, section 8.7).
    Unprocessed,
    /// The server has reset the stream with this error code before it has answered.
    Reset(String),
}

impl Http2Client {
    /// Creates a connection on which nothing has been sent.
    pub(crate) fn new(transport: Transport) -> Self {
        let site = Site { transport, target: &Target::Greeting };
        Self { got: Exchange::new(4096), site, next: 1, bytes: Vec::new(), sent: 0, sent_on: (0, 0) }
    }

    /// The bytes that a client sends first: the preface, SETTINGS with this window for answers, and
    /// a window of the connection that no test uses up.
    pub fn opening(window: u32) -> Vec<u8> {
        let settings = [(setting::ENABLE_PUSH, 0), (setting::INITIAL_WINDOW_SIZE, window)];
        let connection = frame::window_update(0, MAX_WINDOW - WINDOW);
        [PREFACE, &frame::settings(&settings), &connection].concat()
    }

    /// The preface without its SETTINGS, which have to follow.
    pub fn preface() -> &'static [u8] {
        PREFACE
    }

    /// Opens a stream with a GET. Returns the number of the stream and the frame.
    pub fn get(&mut self, path: &str) -> (u32, Vec<u8>) {
        let stream = self.open();
        (stream, frame::request(stream, &self.site.block("GET", path)))
    }

    /// Opens a stream with the head of a POST, whose content follows. Returns the number of the
    /// stream and the frame. `length` is the value of `content-length`, if the field is sent.
    pub fn post(&mut self, length: Option<u64>) -> (u32, Vec<u8>) {
        let stream = self.open();
        let length = length.map(|length| field("content-length", length.to_string()));
        let block = [self.site.post(), length.unwrap_or_default()].concat();
        (stream, frame::opening(stream, &block))
    }

    /// Opens a stream with a GET that has a field of this length.
    pub fn get_with_field(&mut self, length: usize) -> Vec<u8> {
        let stream = self.open();
        let block = [self.site.get(), field("a", "x".repeat(length))].concat();
        let mut parts = block.chunks(MAX_CONTENT).peekable();
        let mut bytes = Vec::new();
        let (mut kind, mut flags) = (kind::HEADERS, flag::END_STREAM);
        while let Some(part) = parts.next() {
            flags |= if parts.peek().is_none() { flag::END_HEADERS } else { 0 };
            bytes.extend(frame::frame(kind, flags, stream, part));
            (kind, flags) = (kind::CONTINUATION, 0);
        }
        bytes
    }

    /// A DATA frame of a request, with at most [`MAX_CONTENT`] and [`Http2Client::room`] bytes.
    pub fn content(&mut self, stream: u32, bytes: &[u8], is_last: bool) -> Vec<u8> {
        let before = if self.sent_on.0 == stream { self.sent_on.1 } else { 0 };
        self.sent += bytes.len() as u64;
        self.sent_on = (stream, before + bytes.len() as u64);
        frame::frame(kind::DATA, if is_last { flag::END_STREAM } else { 0 }, stream, bytes)
    }

    /// RST_STREAM of a client that no longer wants an answer.
    pub fn cancel(stream: u32) -> Vec<u8> {
        frame::reset(stream, code::CANCEL)
    }

    /// Reads bytes of the server, and returns their acknowledgements. Fails if they break a rule.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        self.bytes.extend_from_slice(bytes);
        let (mut replies, mut parsed) = (Vec::new(), 0);
        loop {
            let rest = self.bytes.get(parsed..).unwrap_or_default();
            let frame = Frame::read(rest).map_err(|length| format!("a frame of {length} bytes"))?;
            let Some(frame) = frame else { break };
            replies.extend(self.got.take(&frame)?.unwrap_or_default());
            parsed += frame.len();
        }
        self.bytes.drain(..parsed);
        self.got.forget_names();
        Ok(replies)
    }

    /// Returns the result of the request on this stream, and forgets it; `None` until it is over.
    pub fn take(&mut self, stream: u32) -> Option<StreamEnd> {
        let end = self.end(stream)?;
        self.got.streams.remove(&stream);
        Some(end)
    }

    fn end(&self, stream: u32) -> Option<StreamEnd> {
        let got = self.got.streams.get(&stream);
        let reset = got.and_then(|stream| stream.reset);
        let answer = got.filter(|stream| stream.is_ended).and_then(|stream| stream.response.clone());
        match (answer, reset) {
            // A server may reset a stream after a whole answer (RFC 9113, section 8.1).
            (Some(response), _) => Some(StreamEnd::Answered(response)),
            (None, Some(code::REFUSED_STREAM)) => Some(StreamEnd::Unprocessed),
            (None, Some(code)) => Some(StreamEnd::Reset(code_name(code))),
            (None, None) => (stream > self.got.last_stream).then_some(StreamEnd::Unprocessed),
        }
    }

    /// Whether the server has sent its SETTINGS, and has acknowledged those of the client.
    pub fn is_open(&self) -> bool {
        self.got.settings.is_some() && self.got.acks > 0
    }

    /// Whether the server has sent GOAWAY: it processes no further request.
    pub fn is_ending(&self) -> bool {
        self.got.goaway.is_some()
    }

    /// The number of streams that the server allows at once; `None` if it does not limit them.
    pub fn most_streams(&self) -> Option<u32> {
        self.setting(setting::MAX_CONCURRENT_STREAMS)
    }

    /// Bytes of content that the server accepts on a stream. The stream has to be the last one with
    /// content, or one without content so far.
    pub fn room(&self, stream: u32) -> u64 {
        let granted = self.got.streams.get(&stream).map_or(0, |stream| stream.granted);
        let window = self.setting(setting::INITIAL_WINDOW_SIZE).unwrap_or(WINDOW);
        let sent = if self.sent_on.0 == stream { self.sent_on.1 } else { 0 };
        let of_stream = (u64::from(window) + granted).saturating_sub(sent);
        of_stream.min(self.got.room.saturating_sub(self.sent))
    }

    fn setting(&self, name: u16) -> Option<u32> {
        self.got.settings.as_ref()?.get(&name).copied()
    }

    fn open(&mut self) -> u32 {
        let stream = self.next;
        self.next += 2;
        stream
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_ends_by_an_answer_a_reset_or_a_goaway() {
        // `:status: 200` of the static table.
        let head = |stream| frame::request(stream, &[0x88]);
        let goaway = |last: u32| {
            frame::frame(kind::GOAWAY, 0, 0, &[last.to_be_bytes(), code::NO_ERROR.to_be_bytes()].concat())
        };
        let reset = |code| frame::reset(1, code);
        // A description, the bytes of the server after its SETTINGS, the end of stream 1, and
        // whether further requests can be sent.
        let cases: [(&str, Vec<u8>, Option<&str>, bool); 8] = [
            ("nothing", Vec::new(), None, true),
            ("an answer", head(1), Some("answered"), true),
            ("one on another stream", head(3), None, true),
            ("a refusal", reset(code::REFUSED_STREAM), Some("unprocessed"), true),
            ("a reset", reset(code::CANCEL), Some("CANCEL"), true),
            ("a reset after an answer", [head(1), reset(code::NO_ERROR)].concat(), Some("answered"), true),
            ("the end of later streams", goaway(1), None, false),
            ("the end of all", [goaway(MAX_WINDOW), goaway(0)].concat(), Some("unprocessed"), false),
        ];
        for (name, sent, expected, is_usable) in cases {
            let mut client = Http2Client::new(Transport::Plain);
            assert_eq!(client.get("/abc").0, 1);
            assert_eq!(client.receive(&frame::settings(&[])), Ok(frame::settings_ack()), "{name}");
            assert_eq!(client.receive(&sent), Ok(Vec::new()), "{name}");
            let end = client.take(1).map(|end| match end {
                StreamEnd::Answered(response) => {
                    assert_eq!(response.status, 200);
                    "answered".to_owned()
                }
                StreamEnd::Unprocessed => "unprocessed".to_owned(),
                StreamEnd::Reset(code) => code,
            });
            assert_eq!(end.as_deref(), expected, "{name}");
            assert_eq!(!client.is_ending(), is_usable, "{name}");
        }
    }

    #[test]
    fn content_fits_the_windows_of_its_stream_and_of_the_connection() {
        let mut client = Http2Client::new(Transport::Plain);
        let (stream, _) = client.post(None);
        client.receive(&frame::settings(&[(setting::INITIAL_WINDOW_SIZE, 100)])).unwrap();
        assert_eq!(client.room(stream), 100);
        client.content(stream, &[b'x'; 60], false);
        assert_eq!(client.room(stream), 40);
        client.receive(&frame::window_update(stream, MAX_WINDOW / 2)).unwrap();
        assert_eq!(client.room(stream), u64::from(WINDOW) - 60, "the window of the connection is smaller");
        client.receive(&frame::window_update(0, 10)).unwrap();
        assert_eq!(client.room(stream), u64::from(WINDOW) - 50);
    }
}
