//! A client that sends frames, whether they are right or wrong, and reads what the server does.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::exchange::{Exchange, Stream};
use super::frame::{Frame, MAX_PAYLOAD, setting};
use super::mismatch::is_right;
use super::script::{DRIPS, Event, Finish, Frames, MOST_STREAMS, PROBE, Step};
use crate::case::delayed;
use crate::client::{Ending, READ_TIME};
use crate::settings::{Settings, Timeouts};
use crate::socket::{Client, Link, Socket, Transport};

/// The most bytes that are read per exchange: a server that never stops cannot fill the memory.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Plays `script` on a new connection to `address`. The last write also contains a probe, which is
/// one more request. The exchange ends when the probe is answered and each stream of the case is
/// over, or with the connection. Fails when it cannot connect.
pub(super) fn exchange(
    address: SocketAddr,
    transport: Transport,
    script: &Frames,
    settings: &Settings,
) -> std::io::Result<Exchange> {
    let mut connection = Connection::open(address, transport, settings.response_timeout, script.table)?;
    let (last, steps) = match script.steps.split_last() {
        Some((Step::Send(last), steps)) if script.finish == Finish::Probe => (last.as_slice(), steps),
        _ => (&[][..], script.steps.as_slice()),
    };
    connection.link.end += script.pauses(&settings.timeouts);
    for step in steps {
        connection.play(step, &settings.timeouts);
    }
    match script.finish {
        // One write, so that the server reads both together on every run.
        Finish::Probe => connection.send(&[last, &script.probe].concat()),
        Finish::Wait | Finish::WaitFor(_) => {}
    }
    let deadline = Instant::now()
        + match script.finish {
            Finish::WaitFor(timeout) => settings.time_for(timeout),
            Finish::Probe | Finish::Wait => settings.response_timeout,
        };
    connection.link.end = connection.link.end.max(deadline);
    while connection.is_under_way() && !connection.is_settled(script) && connection.receive(deadline) {}
    let got = &mut connection.got;
    if got.ending == Ending::Silent && got.has(Event::End(PROBE)) {
        got.ending = Ending::Open;
    }
    Ok(connection.got)
}

pub(super) struct Connection {
    link: Link,
    pub(super) got: Exchange,
    bytes: Vec<u8>,
    /// The number of bytes that have been read as frames.
    parsed: usize,
    /// Whether the client acknowledges nothing.
    is_silent: bool,
}

impl Client for Connection {
    fn link(&mut self) -> &mut Link {
        &mut self.link
    }

    fn is_under_way(&self) -> bool {
        self.got.ending == Ending::Silent
    }

    fn read(&mut self) {
        let ended = self.link.socket.read(&mut self.bytes);
        let wrong =
            if self.bytes.len() > MAX_BYTES { Err("the frames do not end".to_owned()) } else { self.parse() };
        if let Err(wrong) = wrong {
            self.stop(wrong);
        }
        if self.is_under_way() {
            self.got.ending = ended.map_or(Ending::Silent, Ending::from);
        }
    }
}

impl Connection {
    /// Connects to `address`. `table` is the size in bytes of the dynamic table for answers.
    pub(super) fn open(
        address: SocketAddr,
        transport: Transport,
        timeout: Duration,
        table: u32,
    ) -> std::io::Result<Self> {
        let (socket, failure) = Socket::connect(address, transport, timeout)?;
        let mut got = Exchange::new(table);
        if failure.is_some() {
            (got.malformed, got.ending) = (failure, Ending::Stopped);
        }
        let link = Link { socket, timeout, end: Instant::now() + timeout * 4 };
        Ok(Self { link, got, bytes: Vec::new(), parsed: 0, is_silent: false })
    }

    /// Whether the case expects nothing more.
    fn is_settled(&self, script: &Frames) -> bool {
        if self.got.goaway.is_some() {
            return false;
        }
        let is_over = |stream| self.got.streams.get(&stream).is_some_and(Stream::is_over);
        match script.finish {
            Finish::Probe if !is_over(PROBE) => false,
            Finish::Probe => is_right(script, &self.got, Ending::Open) || script.streams().all(is_over),
            Finish::Wait => is_right(script, &self.got, Ending::Silent),
            Finish::WaitFor(_) => false,
        }
    }

    fn play(&mut self, step: &Step, timeouts: &Timeouts) {
        match step {
            Step::Send(bytes) => self.send(bytes),
            Step::Yield => std::thread::sleep(READ_TIME),
            Step::Await(event) => self.wait_for(*event),
            Step::Silence => self.is_silent = true,
            Step::Pause(timeout, tenths) => self.pause(timeouts.get(*timeout) * *tenths / 10),
            Step::Drip(timeout, bytes) => {
                for _ in 0..DRIPS {
                    self.send(bytes);
                    self.pause(timeouts.get(*timeout) / 10);
                }
            }
            Step::AtMost(stream, most) => {
                let content = self.got.content(*stream);
                if content > *most {
                    self.stop(format!(
                        "expected at most {most} bytes of content within the window, got {content}"
                    ));
                }
            }
            Step::Rounds(rounds) => self.play_rounds(rounds),
            Step::Unfinished(bytes) => {
                let unfinished = self.got.streams.iter().filter(|(_, stream)| !stream.is_over());
                let least =
                    unfinished.map(|(stream, _)| *stream).min_by_key(|stream| self.got.content(*stream));
                match least {
                    Some(stream) => self.send(&bytes(stream)),
                    None => self.stop("expected no more content than the window of the connection".into()),
                }
            }
            Step::Upload(count, block) => {
                (0..*count).for_each(|number| self.upload(1 + 2 * number, block));
            }
            Step::Exceed(block) => {
                self.wait_for(Event::Settings);
                let limit = self.got.settings.as_ref();
                let limit = limit.and_then(|limits| limits.get(&setting::MAX_CONCURRENT_STREAMS).copied());
                if let Some(limit) = limit.filter(|limit| *limit < MOST_STREAMS) {
                    let open = |number| super::frame::request(1 + 2 * number, block);
                    self.send(&(0..=limit).flat_map(open).collect::<Vec<u8>>());
                }
            }
        }
    }

    /// Reads for this time.
    fn pause(&mut self, time: Duration) {
        let deadline = Instant::now() + time;
        while self.is_under_way() && self.receive(deadline) {}
    }

    fn play_rounds(&mut self, rounds: &[(Vec<u8>, Vec<u32>)]) {
        let mut times = Vec::new();
        for (requests, streams) in rounds {
            self.link.socket.delay_acknowledgements();
            let start = Instant::now();
            self.send(requests);
            for stream in streams {
                self.wait_for(Event::End(*stream));
            }
            times.push(start.elapsed());
        }
        if let Some(wrong) = delayed(times).filter(|_| self.is_under_way()) {
            self.stop(wrong);
        }
    }

    /// Sends a request with content, and waits until its stream is over, whatever the answer is.
    fn upload(&mut self, stream: u32, block: &[u8]) {
        let deadline = Instant::now() + self.link.timeout;
        while self.is_under_way() && self.got.room < MAX_PAYLOAD as u64 {
            if !self.receive(deadline) {
                self.stop("expected the window of the connection to be opened again".into());
            }
        }
        self.got.room = self.got.room.saturating_sub(MAX_PAYLOAD as u64);
        let content = super::frame::last_data(stream, &[b'x'; MAX_PAYLOAD]);
        self.send(&[super::frame::opening(stream, block), content].concat());
        let is_over = |got: &Exchange| got.streams.get(&stream).is_some_and(Stream::is_over);
        while self.is_under_way() && !is_over(&self.got) {
            if !self.receive(deadline) {
                self.stop(format!("expected an answer on stream {stream}"));
            }
        }
    }

    pub(super) fn wait_for(&mut self, event: Event) {
        let deadline = Instant::now() + self.link.timeout;
        while self.is_under_way() && !self.got.has(event) {
            if !self.receive(deadline) {
                self.stop(format!("expected {event} before the client sends more"));
            }
        }
    }

    fn stop(&mut self, wrong: String) {
        self.got.malformed = Some(wrong);
        self.got.ending = Ending::Stopped;
    }

    /// Reads the whole frames, and acknowledges SETTINGS and PING.
    fn parse(&mut self) -> Result<(), String> {
        if self.got.settings.is_none() && self.bytes.starts_with(b"HTTP/1") {
            let status = self.bytes.get(9..12).and_then(|status| std::str::from_utf8(status).ok());
            self.got.http_1 = status.and_then(|status| status.parse().ok());
            return Ok(());
        }
        let mut replies = Vec::new();
        loop {
            let rest = self.bytes.get(self.parsed..).unwrap_or_default();
            let frame = Frame::read(rest).map_err(|length| {
                format!("expected no more than SETTINGS_MAX_FRAME_SIZE, got a frame of {length} bytes")
            })?;
            let Some(frame) = frame else { break };
            let length = frame.len();
            if let Some(reply) = self.got.take(&frame)? {
                replies.extend(reply);
            }
            self.parsed += length;
        }
        if !self.is_silent {
            // Fails when the server has closed, which the next read reports too.
            let _ = self.link.socket.write(&replies);
        }
        Ok(())
    }
}
