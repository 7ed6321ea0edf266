//! The server's side of HTTP/2, frame by frame, for the scripts of tests.

use std::collections::VecDeque;

use super::server::{Client, greeting};

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;
pub(super) const ACK: u8 = 1;

/// The first bytes of a client of HTTP/2: its preface and its settings.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS_OF_VISIT: &[u8] = b"\0\x01\0\0\x10\0\0\x02\0\0\0\0";

/// A frame as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
    pub(super) payload: Vec<u8>,
}

/// A client that has begun HTTP/2.
pub(super) struct Peer<'a> {
    pub(super) client: &'a mut Client,
    /// The frames that are not requests, in order, which a script can examine.
    pub(super) others: VecDeque<Frame>,
}

impl<'a> Peer<'a> {
    /// Reads the first frames of a client, and sends nothing.
    pub(super) fn silent(client: &'a mut Client) -> Option<Self> {
        assert_eq!(client.bytes(PREFACE.len())?, PREFACE);
        let mut peer = Self { client, others: VecDeque::new() };
        let settings = peer.frame()?;
        assert_eq!((settings.kind, settings.payload.as_slice()), (SETTINGS, SETTINGS_OF_VISIT));
        let window = peer.frame()?;
        assert_eq!(
            (window.kind, window.stream, window.payload.as_slice()),
            (WINDOW_UPDATE, 0, b"\x7f\xff\0\0".as_slice())
        );
        Some(peer)
    }

    /// Reads the first frames of a client, and sends settings that allow this number of streams.
    pub(super) fn new(client: &'a mut Client, streams: u32) -> Option<Self> {
        let peer = Self::silent(client)?;
        peer.client.send_bytes(&settings(streams));
        Some(peer)
    }

    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.client.send_bytes(bytes);
    }

    /// The next frame; `None` at the end.
    pub(super) fn frame(&mut self) -> Option<Frame> {
        let head = self.client.bytes(9)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let payload = self.client.bytes(usize::try_from(length).unwrap())?;
        Some(Frame { kind: head[3], flags: head[4], stream, payload })
    }

    /// The stream and the path of the next request, and its number over all connections, from 1.
    pub(super) fn request(&mut self) -> Option<(u32, String, u64)> {
        loop {
            let frame = self.frame()?;
            if frame.kind != HEADERS {
                self.others.push_back(frame);
                continue;
            }
            assert_eq!(frame.flags, END_STREAM | END_HEADERS);
            let scheme = if self.client.is_tls() { 0x87 } else { 0x86 };
            assert_eq!(frame.payload[..3], [0x82, scheme, 4]);
            let path = &frame.payload[4..4 + usize::from(frame.payload[3])];
            let path = String::from_utf8(path.to_vec()).unwrap();
            return Some((frame.stream, path, self.client.count()));
        }
    }

    /// Answers all requests by `answer`.
    pub(super) fn answer_all(&mut self, answer: impl Fn(u32, &str) -> Vec<u8>) {
        while let Some((stream, path, _)) = self.request() {
            self.send(&answer(stream, &path));
        }
    }
}

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Settings that allow this number of streams.
pub(super) fn settings(streams: u32) -> Vec<u8> {
    frame(SETTINGS, 0, 0, &[b"\0\x03", streams.to_be_bytes().as_slice()].concat())
}

pub(super) fn goaway(last: u32, code: u32) -> Vec<u8> {
    frame(GOAWAY, 0, 0, &[last.to_be_bytes(), code.to_be_bytes()].concat())
}

pub(super) fn rst_stream(stream: u32, code: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &code.to_be_bytes())
}

/// A literal field without indexing. `index` is the index of its name, from 15 to 142.
pub(super) fn field(index: u8, value: &str) -> Vec<u8> {
    [&[0x0f, index - 15, u8::try_from(value.len()).unwrap()], value.as_bytes()].concat()
}

/// The header of a right answer with a body of this length.
pub(super) fn header(length: usize) -> Vec<u8> {
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    [vec![0x88], field(28, &length.to_string()), field(31, "text/plain"), field(33, date)].concat()
}

/// The right answer.
pub(super) fn right(stream: u32, path: &str) -> Vec<u8> {
    let body = greeting(path);
    let header = frame(HEADERS, END_HEADERS, stream, &header(body.len()));
    [header, frame(DATA, END_STREAM, stream, body.as_bytes())].concat()
}

/// An answer with the status 500, which is in the static table, and without a body.
pub(super) fn refusal(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_STREAM | END_HEADERS, stream, &[0x8e])
}
