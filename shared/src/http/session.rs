//! Runs a connection over a stream, in the loop that threads, coroutines and event loops share.
//!
//! Servers differ in how a connection gets a thread. So the loop runs in turns. When the stream has
//! nothing to read or takes no more output, the turn ends: the caller may give the thread to
//! another connection, and the session continues in a later turn. An idle session holds no buffer.
//!
//! ```text
//!          ┌──── read ◀───┐ Yield: has had its share
//!          ▼              │ Readable: nothing to read
//! turn ─▶ advance ─▶ write┘ Writable: the client reads too slowly
//!                      │
//!                      └─ last answer ─▶ linger, where input may be unread ─▶ Over
//! ```

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use super::buffers::Buffers;
use super::connection::{Connection, Progress, Wants};
use super::limits;
use super::stream::Stream;
use super::timeouts::{Timeouts, WaitingFor};
use crate::lifecycle::Lifecycle;
use crate::tls::{Layered, Tls};

/// Requests answered per turn while other connections wait for the thread.
const REQUESTS_PER_TURN: usize = 32;

/// The stream and the state that a session needs for a turn.
pub struct Driver<'a, S, W> {
    /// The stream to the client.
    pub stream: &'a mut S,
    /// The thread's buffers.
    pub buffers: &'a mut Buffers,
    /// The times to wait for the client.
    pub timeouts: &'a Timeouts,
    /// The server's stage.
    pub lifecycle: &'a Lifecycle,
    /// Whether other connections wait for this thread.
    pub others_wait: W,
}

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The session is over: drop the stream.
    Over,
    /// Other connections wait, and this one has had its share: its next turn is after theirs.
    Yield,
    /// Nothing can be read. The next turn is due when something can, or at [`Session::deadline`].
    Readable,
    /// Nothing can be written. The next turn is due when it can, or at [`Session::deadline`].
    Writable,
}

/// The state of one connection between turns.
#[derive(Debug, Default)]
pub struct Session {
    /// `None` when the connection is not encrypted.
    tls: Option<Box<Tls>>,
    exchange: Exchange,
}

/// Requests and answers, whether encrypted or not.
#[derive(Debug, Default)]
struct Exchange {
    connection: Connection,
    phase: Phase,
    deadline: Option<Instant>,
    /// The part of a request that has been read. Empty for a session that waits for a request.
    input: Vec<u8>,
    /// Answers that the stream has not taken yet.
    output: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Open,
    /// The last answer is written. Further input is read and dropped: if it were left unread, a
    /// reset would overtake the answer.
    Lingering { bytes: usize },
}

impl Session {
    /// Creates a session whose client has to begin with a TLS handshake.
    pub fn over(tls: Tls) -> Self {
        Self { tls: Some(Box::new(tls)), ..Self::default() }
    }

    /// Returns the latest time for the next turn.
    pub fn deadline(&self) -> Option<Instant> {
        self.exchange.deadline
    }

    /// Whether a TLS handshake has to be completed before the first request.
    pub fn is_handshaking(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.is_handshaking())
    }

    /// Whether the session, between turns, waits for a request of which nothing has arrived.
    pub fn is_idle(&self) -> bool {
        let Exchange { connection, phase, input, output, .. } = &self.exchange;
        *phase == Phase::Open
            && input.is_empty()
            && output.is_empty()
            && !connection.is_in_body()
            && self.tls.as_ref().is_none_or(|tls| !tls.has_kept() && !tls.has_part())
    }

    /// Returns the bytes that the session's input and output take between turns.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn kept(&self) -> (usize, usize) {
        (self.exchange.input.capacity(), self.exchange.output.capacity())
    }

    /// Serves the connection until it is over, its stream would block, or it has had its share.
    pub fn turn<S: Stream, W: Fn() -> bool>(&mut self, driver: Driver<'_, S, W>) -> Turn {
        let Driver { stream, buffers, timeouts, lifecycle, others_wait } = driver;
        let stream = &mut Layered { tls: self.tls.as_deref_mut(), socket: stream };
        self.exchange.turn(Driver { stream, buffers, timeouts, lifecycle, others_wait })
    }
}

impl Exchange {
    fn turn<S: Stream, W: Fn() -> bool>(&mut self, mut driver: Driver<'_, S, W>) -> Turn {
        let driver = &mut driver;
        driver.buffers.load(&mut self.input, &mut self.output);
        let turn = loop {
            let turn = match self.phase {
                Phase::Open => self.serve(driver),
                Phase::Lingering { bytes } => self.linger(driver, bytes),
            };
            if let Some(turn) = turn {
                break turn;
            }
        };
        if turn == Turn::Over {
            driver.stream.notify_end();
        } else {
            driver.buffers.store(&mut self.input, &mut self.output);
        }
        turn
    }

    /// Reads, answers and writes. Returns `None` when the session has begun to linger.
    fn serve<S: Stream, W: Fn() -> bool>(&mut self, driver: &mut Driver<'_, S, W>) -> Option<Turn> {
        let mut answered = 0;
        let mut has_read = false;
        // Input and output that were kept between turns come before a read. Usually both are empty.
        let Buffers { input, output } = &driver.buffers;
        let has_kept = !input.is_empty() || !output.is_empty() || driver.stream.has_kept();
        let wants = if has_kept { Wants::Flush } else { Wants::Input };
        let mut progress = Progress { consumed: 0, answered: 0, wants };
        loop {
            if let Some(turn) = self.write(driver) {
                return Some(turn);
            }
            match progress.wants {
                Wants::Flush => {}
                Wants::Close => return self.close(driver),
                Wants::Input => {
                    // A client that sends a request in small pieces uses up its share with each.
                    let had_its_share = answered >= REQUESTS_PER_TURN || has_read && progress.answered == 0;
                    if had_its_share && (driver.others_wait)() {
                        return Some(Turn::Yield);
                    }
                    if let Some(turn) = self.read(driver) {
                        return Some(turn);
                    }
                    if self.phase != Phase::Open {
                        return None;
                    }
                    has_read = true;
                }
            }
            // When the buffer is full, there may be more to answer before the connection closes.
            let draining = driver.lifecycle.is_draining() && !driver.buffers.input.is_full();
            let Buffers { input, output } = driver.buffers;
            progress = self.connection.advance(input.unread(), output, draining);
            input.consume(progress.consumed);
            answered += progress.answered;
            if progress.answered > 0 {
                self.deadline = None;
            }
        }
    }

    /// Reads input. Returns `Some` when that ends the turn, because the session waits or is over.
    fn read<S: Stream, W>(&mut self, driver: &mut Driver<'_, S, W>) -> Option<Turn> {
        let input = &mut driver.buffers.input;
        let has_part = !input.is_empty() || driver.stream.has_part();
        let waiting = WaitingFor::input(self.connection.is_in_body(), has_part);
        // The clock is read before the stream only within a request: else each request would pay.
        if waiting != WaitingFor::Request && self.has_expired(driver.timeouts.limit(waiting)) {
            self.connection.time_out(&mut driver.buffers.output);
            return None;
        }
        match driver.stream.read(input.space()) {
            Ok(0) => Some(Turn::Over),
            Ok(bytes) => {
                input.extend(bytes);
                // The time for a head begins with its first byte; for a body, with each piece.
                if waiting != WaitingFor::Head {
                    self.deadline = None;
                }
                None
            }
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                    let is_over = waiting == WaitingFor::Request && self.has_been_idle(driver);
                    Some(if is_over { Turn::Over } else { Turn::Readable })
                }
                ErrorKind::Interrupted => {
                    // Part of a handshake or of a record may have arrived, and its time begins.
                    if waiting != WaitingFor::Head {
                        self.deadline = None;
                    }
                    None
                }
                // The client has broken a rule of TLS, and the alert that says so is sent.
                ErrorKind::InvalidData => self.begin_lingering(driver),
                _ => Some(Turn::Over),
            },
        }
    }

    /// Writes the output, and the bytes that the stream has kept. Returns `Some` when that ends the
    /// turn, because the client does not read or the session is over.
    fn write<S: Stream, W>(&mut self, driver: &mut Driver<'_, S, W>) -> Option<Turn> {
        let output = &mut driver.buffers.output;
        let mut written = 0;
        let turn = loop {
            let rest = output.get(written..).unwrap_or_default();
            let has_kept = driver.stream.has_kept();
            if rest.is_empty() && !has_kept {
                output.clear();
                return None;
            }
            match if has_kept { driver.stream.send_kept() } else { driver.stream.write(rest) } {
                Ok(0) => break Turn::Over,
                Ok(bytes) => {
                    written += if has_kept { 0 } else { bytes };
                    self.deadline = None;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if would_block(&error) => {
                    let has_expired = self.has_expired(driver.timeouts.limit(WaitingFor::Reader));
                    break if has_expired { Turn::Over } else { Turn::Writable };
                }
                Err(_) => break Turn::Over,
            }
        };
        output.drain(..written);
        Some(turn)
    }

    /// Closes at once after an answer that the client knows to be the last. Otherwise input may be
    /// unread or on its way, for which the kernel would send a reset, so the session lingers.
    fn close<S: Stream, W>(&mut self, driver: &mut Driver<'_, S, W>) -> Option<Turn> {
        let has_all = driver.buffers.input.is_empty() && !self.connection.has_rejected();
        if has_all && !driver.lifecycle.is_draining() {
            Some(Turn::Over)
        } else {
            self.begin_lingering(driver)
        }
    }

    fn begin_lingering<S: Stream, W>(&mut self, driver: &mut Driver<'_, S, W>) -> Option<Turn> {
        driver.stream.notify_end();
        if driver.stream.shut_down_writing().is_err() {
            return Some(Turn::Over);
        }
        driver.buffers.clear();
        self.deadline = Some(Instant::now() + limits::LINGER_TIME);
        self.phase = Phase::Lingering { bytes: 0 };
        None
    }

    fn linger<S: Stream, W>(&mut self, driver: &mut Driver<'_, S, W>, bytes: usize) -> Option<Turn> {
        if bytes > limits::LINGER_BYTES || self.has_expired(driver.timeouts.limit(WaitingFor::End)) {
            return Some(Turn::Over);
        }
        match driver.stream.discard(driver.buffers.input.space()) {
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

    /// Whether the time to wait for a request has passed. A server that is ending shortens it.
    fn has_been_idle<S, W>(&mut self, driver: &Driver<'_, S, W>) -> bool {
        let is_over = self.has_expired(driver.timeouts.limit(WaitingFor::Request));
        if driver.lifecycle.is_ending() {
            let last_call = Instant::now() + limits::DRAIN_GRACE;
            self.deadline = self.deadline.map(|deadline| deadline.min(last_call));
        }
        is_over
    }

    /// Whether `time` has passed since the first call of the present wait.
    fn has_expired(&mut self, time: Duration) -> bool {
        let now = Instant::now();
        now >= *self.deadline.get_or_insert(now + time)
    }
}

fn would_block(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
