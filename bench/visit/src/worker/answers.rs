//! Reads answers. They arrive on a connection in the order of its requests; anything else is wrong.

use std::mem;
use std::time::Instant;

use super::{EXTRA_BYTES_WAIT, Worker};
use crate::check;
use crate::connection::State;
use crate::tally::FailureKind;

impl<const PLAIN: bool> Worker<'_, PLAIN> {
    /// Reads bytes that have arrived. `ends` says that the end of the connection has arrived too.
    ///
    /// Events are edge-triggered, so reading stops when a read does not fill the buffer: later
    /// bytes cause another event. An end that arrived together with the bytes causes none, so with
    /// `ends` reading continues up to the end.
    pub(super) fn receive(&mut self, index: usize, ends: bool) {
        let mut scratch = mem::take(&mut self.scratch);
        loop {
            match self.connections[index].read(&mut scratch) {
                Ok(None) => break,
                Ok(Some(0)) => {
                    self.socket_ended(index);
                    break;
                }
                Ok(Some(length)) => {
                    let bytes = &scratch[..length];
                    let all_right = match PLAIN {
                        true => self.arrived(index, bytes),
                        false => self.arrived_layered(index, bytes),
                    };
                    if !all_right || (length < scratch.len() && !ends) {
                        break;
                    }
                }
                Err(_) => {
                    self.at_end(index, FailureKind::Reset);
                    break;
                }
            }
        }
        self.scratch = scratch;
    }

    /// Closes a connection because of a wrong answer. The first one is reported.
    #[cold]
    pub(super) fn wrong(&mut self, index: usize, wrong: String, now: Instant) {
        self.tally.mismatch.get_or_insert(wrong);
        match self.connections[index].state {
            State::Streams => self.fail_streams(index, FailureKind::Wrong, now),
            _ => self.fail(index, FailureKind::Wrong, now),
        }
    }

    /// Reads once more after the last answers: bytes that follow them answer no request.
    pub(super) fn check_for_extra_bytes(&mut self) {
        std::thread::sleep(EXTRA_BYTES_WAIT);
        for index in 0..self.connections.len() {
            if self.connections[index].state == State::Free {
                self.receive(index, false);
            }
        }
    }

    /// Handles bytes of answers that have arrived. Returns false when they were wrong.
    pub(super) fn arrived(&mut self, index: usize, bytes: &[u8]) -> bool {
        let now = Instant::now();
        let read = |worker: &mut Self, whole: &[u8]| match worker.tally.details {
            None => worker.read_answers::<false>(index, whole, now),
            Some(_) => worker.read_answers::<true>(index, whole, now),
        };
        let is_right = self.take(index, bytes, read, |worker, wrong, _| worker.wrong(index, wrong, now));
        if is_right {
            self.after_answers(index, now);
        }
        is_right
    }

    /// Handles bytes that have arrived, after the part of an answer or of a frame that arrived
    /// before. `read` returns the length of the whole answers or frames. When `read` fails, calls
    /// `wrong` and returns false.
    #[inline]
    pub(super) fn take<E>(
        &mut self,
        index: usize,
        bytes: &[u8],
        read: impl FnOnce(&mut Self, &[u8]) -> Result<usize, E>,
        wrong: impl FnOnce(&mut Self, E, &[u8]),
    ) -> bool {
        if self.is_measuring {
            self.tally.bytes_read += bytes.len() as u64;
        }
        let mut partial = mem::take(&mut self.connections[index].partial);
        let begins = partial.is_empty();
        if !begins {
            partial.extend_from_slice(bytes);
        }
        let whole = if begins { bytes } else { &partial };
        match read(self, whole) {
            Ok(taken) if begins => partial.extend_from_slice(&bytes[taken..]),
            Ok(taken) => drop(partial.drain(..taken)),
            Err(error) => {
                wrong(self, error, whole);
                return false;
            }
        }
        self.connections[index].partial = partial;
        true
    }

    /// Counts the whole answers at the start of `bytes` and returns their length. `DETAILED` says
    /// whether there are details to count: without them an answer costs no branch for them.
    fn read_answers<const DETAILED: bool>(
        &mut self,
        index: usize,
        bytes: &[u8],
        now: Instant,
    ) -> Result<usize, String> {
        let connection = &mut self.connections[index];
        let batch = &mut connection.batch;
        let mut at = 0;
        while at < bytes.len() {
            let number = batch.first.wrapping_add(batch.answered);
            let rest = &bytes[at..];
            if connection.state != State::Busy || batch.left() == 0 || connection.closes {
                let target = self.plan.requests.target(number);
                return Err(check::describe(target, "there are bytes that answer no request", rest));
            }
            let Some(answer) = self.checker.answer(number, rest, false)? else { break };
            at += answer.length;
            batch.answered += 1;
            connection.closes = answer.close;
            if batch.measured {
                self.tally.answered(answer.status, batch.start, now);
                if DETAILED && let Some(details) = &mut self.tally.details {
                    details.answered((&self.plan.requests, number), answer.status, batch.start, now);
                }
            }
        }
        Ok(at)
    }

    /// Continues with the rest of the batch, the next batch, or the end of the connection.
    fn after_answers(&mut self, index: usize, now: Instant) {
        let connection = &mut self.connections[index];
        let left = connection.batch.left();
        if connection.state != State::Busy || (left > 0 && !connection.closes) {
            return;
        }
        let varies = self.plan.requests.vary;
        if varies && connection.is_unsent(&self.plan.requests) {
            // The request was answered before it was sent whole, so no other request can follow.
            self.clear_batch(index);
            return self.close(index, now, true);
        }
        let closes = connection.closes || varies && self.plan.close_after == Some(connection.requests);
        if closes {
            (connection.state, connection.since) = (State::Closing, now);
        }
        if left > 0 && connection.batch.measured {
            self.tally.failed(FailureKind::Closed, left as u64, now);
        }
        self.clear_batch(index);
        if !closes {
            self.next_batch(index, now);
        }
    }

    #[cold]
    pub(super) fn at_end(&mut self, index: usize, kind: FailureKind) {
        let now = Instant::now();
        match self.connections[index].state {
            State::Busy => {
                if kind == FailureKind::Closed {
                    self.end_answer(index, now);
                }
                self.fail(index, kind, now);
            }
            State::Streams => self.fail_streams(index, kind, now),
            // The server closed an idle connection, as it may (RFC 9112, section 9.5).
            State::Free => {
                self.clear_batch(index);
                self.close(index, now, false);
            }
            // After an answer that announced the end, a reset is an end too.
            State::Closing => self.close(index, now, true),
            State::Handshaking => {
                self.handshake_failed(index, "the server closed the connection".into(), now);
            }
            State::Down | State::Opening => {}
        }
    }

    /// Counts an answer whose body ends with its connection, if there is one.
    fn end_answer(&mut self, index: usize, now: Instant) {
        let connection = &mut self.connections[index];
        let batch = &mut connection.batch;
        let number = batch.first.wrapping_add(batch.answered);
        if batch.left() == 0 || connection.partial.is_empty() {
            return;
        }
        if let Ok(Some(answer)) = self.checker.answer(number, &connection.partial, true) {
            batch.answered += 1;
            if batch.measured {
                self.tally.answered(answer.status, batch.start, now);
                if let Some(details) = &mut self.tally.details {
                    details.answered((&self.plan.requests, number), answer.status, batch.start, now);
                }
            }
        }
    }
}
