//! Request bodies far above the limit.

use std::io::{ErrorKind, Write};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use conformance::MAX_CONTENT;

use super::connection::{Connection, Http2};
use super::context::{DrillContext, Drilled, memory};
use super::definition::{Drill, OVER_ALL};
use crate::servers::client::TIMEOUT;

pub(super) const DRILL: Drill = Drill {
    name: "large-body",
    about: "bodies of 512 MiB, with a length and without one: memory grows by less than 2 MiB, and other clients are answered",
    protocols: OVER_ALL,
    run,
};

/// The bytes by which the server's peak resident memory may grow: some buffers, and memory that an
/// allocator keeps.
const MAX_GROWTH: u64 = 2 * MIB;

const MIB: u64 = 1024 * 1024;

const PIECE: usize = 64 * 1024;

/// Bytes between two checks of the memory, so that a server that keeps the body cannot fill the
/// machine.
const CHECK_EVERY: u64 = MIB;

/// The interval between two checks for an opened window.
const WINDOW_POLL: Duration = Duration::from_micros(20);

fn run(context: &DrillContext) -> anyhow::Result<String> {
    let size = context.pick(16, 512) * MIB;
    let mut running = context.start(&[])?;
    let before = peak(&running)?;

    for (what, length) in [("a body with a length", Some(size)), ("a body without a length", None)] {
        let mut upload = Upload { connection: running.endpoint.connect()?, size, length };
        upload.send(context, &running, before).context(what)?;
    }

    running.process.check_running()?;
    let growth = peak(&running)?.saturating_sub(before);
    Ok(format!("{}.{} MiB growth", growth / MIB, growth % MIB * 10 / MIB))
}

/// The result of sending a piece of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    Taken,
    /// The server wants no more: it has answered, or closed, or both.
    Refused,
}

struct Upload {
    connection: Connection,
    size: u64,
    /// The length that the request declares, if it declares one.
    length: Option<u64>,
}

impl Upload {
    /// Sends until the body is complete or the server wants no more, then sends a request on another
    /// connection. Fails as soon as the server's peak memory is too far above `before`.
    fn send(&mut self, context: &DrillContext, running: &Drilled, before: u64) -> anyhow::Result<()> {
        let stream = self.start()?;
        let mut looked = 0;
        let mut sent = 0;
        while sent < self.size {
            context.check_interrupted()?;
            let (taken, bytes) = match stream {
                None => (self.send_piece()?, PIECE),
                Some(stream) => (self.send_content(stream, sent)?, MAX_CONTENT),
            };
            if taken == Sent::Refused {
                break;
            }
            sent += bytes as u64;
            if sent - looked >= CHECK_EVERY {
                check_growth(running, before)?;
                looked = sent;
            }
        }
        running.endpoint.check_answers()?;
        check_growth(running, before)
    }

    /// Sends the head. Returns the stream, over HTTP/2.
    fn start(&mut self) -> anyhow::Result<Option<u32>> {
        if let Some(Http2 { frames, .. }) = self.connection.http2() {
            let (stream, head) = frames.post(self.length);
            self.connection.send(&head)?;
            return Ok(Some(stream));
        }
        let field = match self.length {
            Some(length) => format!("Content-Length: {length}"),
            None => "Transfer-Encoding: chunked".to_owned(),
        };
        self.connection.send(format!("POST / HTTP/1.1\r\nHost: h\r\n{field}\r\n\r\n").as_bytes())?;
        Ok(None)
    }

    /// Sends a piece over HTTP/1.1, as it is or as a chunk.
    fn send_piece(&mut self) -> anyhow::Result<Sent> {
        let piece = match self.length {
            Some(_) => "x".repeat(PIECE),
            None => format!("{PIECE:x}\r\n{}\r\n", "x".repeat(PIECE)),
        };
        match self.connection.client.stream.write_all(piece.as_bytes()) {
            Ok(()) => Ok(Sent::Taken),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                bail!("the server neither reads the body nor closes")
            }
            // The server may close, with an answer or without.
            Err(_) => Ok(Sent::Refused),
        }
    }

    /// Sends a frame of content once the server has opened its windows for it.
    fn send_content(&mut self, stream: u32, before: u64) -> anyhow::Result<Sent> {
        let began = Instant::now();
        loop {
            // Any error counts as a close.
            let is_open = self.connection.receive_now().is_ok() && !self.connection.client.has_ended();
            let Some(Http2 { frames, .. }) = self.connection.http2() else { bail!("there are no frames") };
            if !is_open || frames.take(stream).is_some() {
                return Ok(Sent::Refused);
            }
            if frames.room(stream) >= MAX_CONTENT as u64 {
                let is_last = before + MAX_CONTENT as u64 >= self.size;
                let content = frames.content(stream, &[b'x'; MAX_CONTENT], is_last);
                return Ok(match self.connection.send(&content) {
                    Ok(()) => Sent::Taken,
                    Err(_) => Sent::Refused,
                });
            }
            ensure!(
                began.elapsed() < TIMEOUT,
                "the server opens no window for the body, and does not answer"
            );
            std::thread::sleep(WINDOW_POLL);
        }
    }
}

fn check_growth(running: &Drilled, before: u64) -> anyhow::Result<()> {
    let growth = peak(running)?.saturating_sub(before);
    ensure!(growth < MAX_GROWTH, "memory has grown by {} MiB", growth / MIB);
    Ok(())
}

fn peak(running: &Drilled) -> anyhow::Result<u64> {
    Ok(memory(running)?.peak)
}
