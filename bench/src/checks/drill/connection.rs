//! A connection of a drill's client over any protocol. It sends requests, which may be sent at once
//! or be cut short, and reads their answers in order.
//!
//! Requests that are sent at once are pipelined over HTTP/1.1, and have a stream each over HTTP/2.
//! An HTTP/1.1 server announces its close by an answer with `Connection: close`, and answers
//! nothing after it. An HTTP/2 server announces it by GOAWAY, which names the last stream that it
//! answers.

use std::collections::VecDeque;

use anyhow::{bail, ensure};
use conformance::{Expected, Http2Client, Response, StreamEnd};

use crate::servers::client::Client;
use crate::servers::stream::wire;
use crate::store::record::Protocol;

/// The initial window, in bytes, of a client that reads its answers (RFC 9113, section 6.9.2).
pub(super) const WINDOW: u32 = 65_535;

/// The bytes of half a request body. A whole body fits into every server's window.
const HALF: usize = 500;

/// The most streams that a client has open: some servers do not limit them.
const MOST_STREAMS: usize = 250;

pub(super) struct Connection {
    pub(super) client: Client,
    protocol: Protocol,
    http2: Option<Http2>,
    /// Whether the server of HTTP/1.1 has announced that it closes.
    is_closing: bool,
}

/// The HTTP/2 state of a connection.
pub(super) struct Http2 {
    pub(super) frames: Http2Client,
    /// The streams whose answers are due, in the order of the requests.
    asked: VecDeque<u32>,
}

impl Connection {
    /// Sends the first bytes of a client of the protocol, and does not wait for the server.
    /// `window` is the window for answers over HTTP/2.
    pub(super) fn new(mut client: Client, protocol: Protocol, window: u32) -> anyhow::Result<Self> {
        let frames = wire(protocol).http2_client();
        let http2 = frames.map(|frames| Http2 { frames, asked: VecDeque::new() });
        if http2.is_some() {
            client.send(&Http2Client::opening(window))?;
        }
        Ok(Self { client, protocol, http2, is_closing: false })
    }

    /// Waits for the server's part of a TLS handshake, and for its HTTP/2 SETTINGS.
    pub(super) fn establish(&mut self) -> anyhow::Result<()> {
        self.client.establish(self.protocol)?;
        while self.http2.as_ref().is_some_and(|http2| !http2.frames.is_open()) {
            self.receive()?;
        }
        Ok(())
    }

    /// The protocol of the connection.
    pub(super) fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The HTTP/2 state; `None` over HTTP/1.1.
    pub(super) fn http2(&mut self) -> Option<&mut Http2> {
        self.http2.as_mut()
    }

    /// Sends bytes as they are.
    pub(super) fn send(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.client.send(bytes)
    }

    /// Sends a request for `path` that keeps the connection.
    pub(super) fn ask(&mut self, path: &str) -> anyhow::Result<()> {
        self.ask_all([path])
    }

    /// Sends requests for these paths in one write.
    pub(super) fn ask_all<'a>(&mut self, paths: impl IntoIterator<Item = &'a str>) -> anyhow::Result<()> {
        let requests = self.requests(paths);
        self.send(&requests)
    }

    /// Sends a request for `path` after which an HTTP/1.1 server has to close the connection.
    /// HTTP/2 has no such request: the client closes.
    pub(super) fn ask_last(&mut self, path: &str) -> anyhow::Result<()> {
        if self.http2.is_some() {
            return self.ask(path);
        }
        self.send(format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").as_bytes())
    }

    /// Returns the bytes of requests for these paths, and expects their answers. The caller sends
    /// the bytes.
    pub(super) fn requests<'a>(&mut self, paths: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
        let request = |path: &str| match &mut self.http2 {
            None => format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n").into_bytes(),
            Some(http2) => http2.get(path),
        };
        paths.into_iter().flat_map(request).collect()
    }

    /// Sends a part of a request's head.
    pub(super) fn start_head(&mut self) -> anyhow::Result<()> {
        let head = self.requests(["/half"]);
        let part = head.get(..head.len() / 2).unwrap_or_default();
        self.send(part)
    }

    /// Sends the head of a request, and the first half of its body.
    pub(super) fn start_body(&mut self) -> anyhow::Result<()> {
        let half = "x".repeat(HALF);
        let bytes = match &mut self.http2 {
            None => format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{half}", 2 * HALF)
                .into_bytes(),
            Some(Http2 { frames, asked }) => {
                let (stream, head) = frames.post(Some(2 * HALF as u64));
                asked.push_back(stream);
                [head, frames.content(stream, half.as_bytes(), false)].concat()
            }
        };
        self.send(&bytes)
    }

    /// Sends the second half. Fails when the server has closed, which it may do after an answer.
    pub(super) fn finish_body(&mut self) -> anyhow::Result<()> {
        let half = "x".repeat(HALF).into_bytes();
        let bytes = match &mut self.http2 {
            None => half,
            Some(Http2 { frames, asked }) => {
                asked.back().map(|stream| frames.content(*stream, &half, true)).unwrap_or_default()
            }
        };
        self.send(&bytes)
    }

    /// Reads the next answer. Fails when it is not the greeting for `path`, or does not come.
    pub(super) fn expect(&mut self, path: &str) -> anyhow::Result<()> {
        ensure!(self.is_answered(path)?, "the server closed without an answer, as it had announced");
        Ok(())
    }

    /// Does what [`Connection::expect`] does, but returns false if the server has announced that it
    /// does not answer this request, which can then be sent again over another connection.
    pub(super) fn is_answered(&mut self, path: &str) -> anyhow::Result<bool> {
        let Some(response) = self.response()? else { return Ok(false) };
        match Expected::greeting(path).mismatch(&response) {
            Some(wrong) => bail!("a wrong answer for {path}: {wrong}"),
            None => Ok(true),
        }
    }

    /// Reads the next answer, whatever it is. Returns `None` if the server has announced that it
    /// gives none.
    pub(super) fn response(&mut self) -> anyhow::Result<Option<Response>> {
        if self.http2.is_some() {
            return self.response_on_stream();
        }
        if self.is_closing {
            return Ok(None);
        }
        let response = self.client.answer()?;
        self.is_closing = response.closes();
        Ok(Some(response))
    }

    /// Reads the answer on the next stream that expects one. Returns `None` if the server does not
    /// process the request.
    fn response_on_stream(&mut self) -> anyhow::Result<Option<Response>> {
        loop {
            let Some(Http2 { frames, asked }) = &mut self.http2 else { return Ok(None) };
            let Some(stream) = asked.front() else { bail!("no answer is due") };
            let end = frames.take(*stream);
            if end.is_some() {
                asked.pop_front();
            }
            match end {
                None => self.receive()?,
                Some(StreamEnd::Answered(response)) => return Ok(Some(response)),
                Some(StreamEnd::Unprocessed) => return Ok(None),
                Some(StreamEnd::Reset(code)) => bail!("the server reset the stream with {code}"),
            }
        }
    }

    /// Waits for bytes of the server, and processes HTTP/2 frames. Fails when the server has closed
    /// before.
    pub(super) fn receive(&mut self) -> anyhow::Result<()> {
        ensure!(!self.client.has_ended(), "the server closed without an answer");
        self.client.receive()?;
        self.take_frames()
    }

    /// Processes the bytes that have arrived, without waiting.
    pub(super) fn receive_now(&mut self) -> anyhow::Result<()> {
        self.client.receive_now();
        self.take_frames()
    }

    fn take_frames(&mut self) -> anyhow::Result<()> {
        let Some(Http2 { frames, .. }) = &mut self.http2 else { return Ok(()) };
        let arrived = std::mem::take(self.client.unread());
        let replies = frames.receive(&arrived).map_err(anyhow::Error::msg)?;
        if !replies.is_empty() {
            // Fails when the server has closed, which the next read reports too.
            let _ = self.client.send(&replies);
        }
        Ok(())
    }

    /// Whether the client can send another request: the server has neither closed nor announced a
    /// close.
    pub(super) fn is_usable(&mut self) -> bool {
        let is_whole = self.receive_now().is_ok();
        let is_ending = self.http2.as_ref().map_or(self.is_closing, |http2| http2.frames.is_ending());
        is_whole && !is_ending && !self.client.has_ended()
    }

    /// Reads to the end of the stream. Fails when an answer arrives.
    pub(super) fn expect_end(&mut self) -> anyhow::Result<()> {
        while !self.client.has_ended() {
            self.receive()?;
        }
        ensure!(self.client.unread().is_empty(), "the server sent more than was asked for");
        Ok(())
    }

    /// Whether unread bytes or the end of the stream have arrived.
    pub(super) fn is_readable(&self) -> bool {
        self.client.is_readable()
    }

    /// Shuts down the sending side of the socket.
    pub(super) fn half_close(&self) -> anyhow::Result<()> {
        self.client.half_close()
    }

    /// Closes with a reset.
    pub(super) fn reset(self) -> anyhow::Result<()> {
        self.client.reset()
    }
}

impl Http2 {
    /// The number of streams that the server allows at once, but at most `MOST_STREAMS`.
    pub(super) fn most_streams(&mut self) -> usize {
        let allowed = self.frames.most_streams().and_then(|most| usize::try_from(most).ok());
        allowed.map_or(MOST_STREAMS, |allowed| allowed.min(MOST_STREAMS))
    }

    /// Returns the bytes of a request for `path`, and expects its answer.
    pub(super) fn get(&mut self, path: &str) -> Vec<u8> {
        let (stream, bytes) = self.frames.get(path);
        self.asked.push_back(stream);
        bytes
    }
}
