//! A connection over a blocking stream: the loop that threads and coroutines share.
//!
//! What differs between servers is how a connection gets its thread. So the loop runs in turns: when the stream has
//! nothing to read or takes nothing more, the turn ends, and the caller may give the thread to somebody else and take
//! the session up again later. A session that waits for a request holds no buffer.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use super::buffers::Buffers;
use super::connection::{Connection, Progress, Wants};
use super::limits;

/// Requests answered in one turn while others wait for the thread.
const REQUESTS_A_TURN: usize = 32;

/// A stream whose reads and writes may end with `WouldBlock` or `TimedOut`, at which a turn ends.
pub trait Stream: Read + Write {
    /// Ends the sending side, so that the client reads an end after the last answer.
    fn shutdown(&self, how: Shutdown) -> std::io::Result<()>;
}

impl Stream for TcpStream {
    fn shutdown(&self, how: Shutdown) -> std::io::Result<()> {
        Self::shutdown(self, how)
    }
}

/// What a session has to know of the server that it is part of.
pub trait Pace {
    /// Whether other connections wait for this thread.
    fn others_wait(&self) -> bool;
    /// Whether answers close their connections, because the server is about to end.
    fn is_draining(&self) -> bool;
    /// Whether connections that wait for a request are soon closed, because the server ends.
    fn is_ending(&self) -> bool;
}

/// How long a session waits for its client.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// From a head's first byte to its last.
    pub head: Duration,
    /// For a first or a next request.
    pub idle: Duration,
    /// For a client that does not read.
    pub write: Duration,
}

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The session is over: drop the stream.
    Over,
    /// Others wait, and this connection has had its share: take it up after them.
    Yield,
    /// The stream has nothing to read. Take the session up when it has, or at the [`Session::deadline`].
    Readable,
    /// The stream takes no more. Take the session up when it does, or at the [`Session::deadline`].
    Writable,
}

/// One connection between turns.
#[derive(Debug, Default)]
pub struct Session {
    connection: Connection,
    phase: Phase,
    deadline: Option<Instant>,
    /// Half of a request, or answers that the client does not take: empty for a session that waits for a request.
    pub(super) input: Vec<u8>,
    pub(super) output: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Open,
    /// The last answer is written; input is dropped so that the kernel's reset does not overtake it.
    Lingering { bytes: usize },
}

impl Session {
    /// When the session has to be taken up again at the latest.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Whether the session, between turns, waits for a request of which nothing has come.
    pub fn is_idle(&self) -> bool {
        self.phase == Phase::Open
            && self.input.is_empty()
            && self.output.is_empty()
            && !self.connection.is_in_body()
    }

    /// Bytes of input and of output that the session keeps between turns.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn kept(&self) -> (usize, usize) {
        (self.input.capacity(), self.output.capacity())
    }

    /// Serves the connection until it is over, or the stream would block, or it has had its share.
    pub fn turn(
        &mut self,
        stream: &mut impl Stream,
        buffers: &mut Buffers,
        times: &Timeouts,
        pace: &impl Pace,
    ) -> Turn {
        buffers.lend(self);
        let turn = loop {
            let turn = match self.phase {
                Phase::Open => self.serve(stream, buffers, times, pace),
                Phase::Lingering { bytes } => self.linger(stream, buffers, bytes),
            };
            if let Some(turn) = turn {
                break turn;
            }
        };
        if turn != Turn::Over {
            buffers.take_back(self);
        }
        turn
    }

    /// Reads, answers and writes; `None` when the session has begun to linger.
    fn serve(
        &mut self,
        stream: &mut impl Stream,
        buffers: &mut Buffers,
        times: &Timeouts,
        pace: &impl Pace,
    ) -> Option<Turn> {
        let mut answered = 0;
        let mut has_read = false;
        // What was kept between turns is written before anything is added to it.
        let mut progress = Progress { consumed: 0, answered: 0, wants: Wants::Flush };
        loop {
            if let Some(turn) = self.write(stream, buffers, times) {
                return Some(turn);
            }
            match progress.wants {
                Wants::Flush => {}
                Wants::Close => return self.close(stream, buffers, pace),
                Wants::Input => {
                    // Whoever sends a request in crumbs has had its share with each of them.
                    let had_its_share = answered >= REQUESTS_A_TURN || has_read && progress.answered == 0;
                    if had_its_share && pace.others_wait() {
                        return Some(Turn::Yield);
                    }
                    if let Some(turn) = self.read(stream, buffers, times, pace) {
                        return Some(turn);
                    }
                    has_read = true;
                }
            }
            // When the buffer is full there is more to answer before the connection may close.
            let draining = pace.is_draining() && !buffers.input.is_full();
            progress = self.connection.advance(buffers.input.unread(), &mut buffers.output, draining);
            buffers.input.consume(progress.consumed);
            answered += progress.answered;
            if progress.answered > 0 {
                self.deadline = None;
            }
        }
    }

    /// Reads what is there. A turn that it ends is one that waits, or the session's last.
    fn read(
        &mut self,
        stream: &mut impl Stream,
        buffers: &mut Buffers,
        times: &Timeouts,
        pace: &impl Pace,
    ) -> Option<Turn> {
        let within = !buffers.input.is_empty() || self.connection.is_in_body();
        // Only half of a request is worth a look at the clock before the stream has been asked.
        if within && self.has_expired(if self.connection.is_in_body() { times.idle } else { times.head }) {
            self.connection.time_out(&mut buffers.output);
            return None;
        }
        match stream.read(buffers.input.space()) {
            Ok(0) => Some(Turn::Over),
            Ok(bytes) => {
                buffers.input.extend(bytes);
                // The time for a head begins with its first byte; that of a body with each piece.
                if !within || self.connection.is_in_body() {
                    self.deadline = None;
                }
                None
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => None,
            Err(error) if would_block(&error) => {
                let is_over = !within && self.has_been_idle(times, pace);
                Some(if is_over { Turn::Over } else { Turn::Readable })
            }
            Err(_) => Some(Turn::Over),
        }
    }

    /// Writes the output; a turn where the stream takes no more of it.
    fn write(&mut self, stream: &mut impl Stream, buffers: &mut Buffers, times: &Timeouts) -> Option<Turn> {
        let mut written = 0;
        let turn = loop {
            match stream.write(buffers.output.get(written..).filter(|rest| !rest.is_empty())?) {
                Ok(0) => break Turn::Over,
                Ok(bytes) => {
                    written += bytes;
                    self.deadline = None;
                    if written == buffers.output.len() {
                        buffers.output.clear();
                        return None;
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if would_block(&error) => {
                    break if self.has_expired(times.write) { Turn::Over } else { Turn::Writable };
                }
                Err(_) => break Turn::Over,
            }
        };
        buffers.output.drain(..written);
        Some(turn)
    }

    /// Closes at once after an answer that the client knows to be the last; otherwise more input may be there or come, which
    /// makes the kernel send a reset, so the session lingers.
    fn close(&mut self, stream: &mut impl Stream, buffers: &mut Buffers, pace: &impl Pace) -> Option<Turn> {
        if buffers.input.is_empty() && !self.connection.has_rejected() && !pace.is_draining() {
            return Some(Turn::Over);
        }
        if stream.shutdown(Shutdown::Write).is_err() {
            return Some(Turn::Over);
        }
        buffers.clear();
        self.deadline = Some(Instant::now() + limits::LINGER_TIME);
        self.phase = Phase::Lingering { bytes: 0 };
        None
    }

    fn linger(&mut self, stream: &mut impl Stream, buffers: &mut Buffers, bytes: usize) -> Option<Turn> {
        if bytes > limits::LINGER_BYTES || self.has_expired(limits::LINGER_TIME) {
            return Some(Turn::Over);
        }
        match stream.read(buffers.input.space()) {
            Ok(0) => Some(Turn::Over),
            Ok(more) => {
                self.phase = Phase::Lingering { bytes: bytes + more };
                None
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => None,
            Err(error) if would_block(&error) => Some(Turn::Readable),
            Err(_) => Some(Turn::Over),
        }
    }

    /// Whether a request has been waited for long enough, which a server that ends makes shorter.
    fn has_been_idle(&mut self, times: &Timeouts, pace: &impl Pace) -> bool {
        let is_over = self.has_expired(times.idle);
        if pace.is_ending() {
            let last_call = Instant::now() + limits::DRAIN_GRACE;
            self.deadline = self.deadline.map(|deadline| deadline.min(last_call));
        }
        is_over
    }

    /// Whether the time for what is waited for has passed. The first call begins it.
    fn has_expired(&mut self, time: Duration) -> bool {
        let now = Instant::now();
        now >= *self.deadline.get_or_insert(now + time)
    }
}

fn would_block(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
