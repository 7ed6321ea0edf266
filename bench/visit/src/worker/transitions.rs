//! The state transitions of a connection, see [`State`]: opened, given batches, closed, reopened.

use std::io::ErrorKind;
use std::time::Instant;

use mio::Token;
use visit_output::Mode;

use super::Worker;
use crate::check;
use crate::connection::{Batch, Connection, State};
use crate::mix::Turns;
use crate::schedule::Schedule;
use crate::tally::FailureKind;

/// The size of the buffer for an answer that came before its request was sent whole.
const ANSWER_BYTES: usize = 4096;

impl<const PLAIN: bool> Worker<'_, PLAIN> {
    pub(super) fn connect(&mut self, index: usize, now: Instant) {
        let connection = &mut self.connections[index];
        (connection.state, connection.since) = (State::Opening, now);
        if let Err(error) = connection.open(self.plan.address, self.poll.registry(), Token(index)) {
            self.connect_failed(index, error.kind(), now);
        }
    }

    /// Handles the end of a connect. Bytes that can be read by now were sent before any request.
    pub(super) fn opened(&mut self, index: usize, readable: bool, ends: bool) {
        let now = Instant::now();
        let connection = &mut self.connections[index];
        let no_delay = !PLAIN || self.plan.mode != Mode::Close;
        if let Err(error) = connection.check_open(no_delay) {
            return self.connect_failed(index, error.kind(), now);
        }
        self.tally.connect.record(now - connection.since);
        if !PLAIN {
            return self.greet(index, now, readable, ends);
        }
        (connection.state, connection.since) = (State::Free, now);
        if readable {
            self.receive(index, ends);
            if self.connections[index].state != State::Free {
                // The connection was closed before anything was sent.
                return self.count_connect_failure(ErrorKind::ConnectionAborted, now);
            }
        }
        self.first_batch(index, now);
    }

    /// Sends the first requests of a connection, which may have been opened for one of them.
    pub(super) fn first_batch(&mut self, index: usize, now: Instant) {
        if !PLAIN && !self.sessions.is_empty() {
            self.fill(index, now);
            return self.write_frames(index);
        }
        if self.connections[index].batch.count > 0 {
            self.send_first(index);
        } else {
            self.next_batch(index, now);
        }
    }

    /// Handles a failed connect. The next tick tries again, so that a closed port is not flooded.
    pub(super) fn connect_failed(&mut self, index: usize, kind: ErrorKind, now: Instant) {
        self.count_connect_failure(kind, now);
        self.clear_batch(index);
        self.close(index, now, false);
    }

    /// Gives a connection without a batch the next one, or lets it wait for an arrival.
    pub(super) fn next_batch(&mut self, index: usize, now: Instant) {
        self.connections[index].state = State::Free;
        let depth = self.plan.mode.depth();
        match &mut self.schedule {
            Some(Schedule::Closed(budget)) => {
                if let Some((count, measured)) = budget.take(depth, now) {
                    self.begin(index, count, now, measured, now);
                }
            }
            Some(Schedule::Open(_)) => self.free.push_back(index),
            None => {}
        }
    }

    /// Gives a connection a batch, whose latency counts from `start`. Opens it when it is down.
    pub(super) fn begin(&mut self, index: usize, count: usize, start: Instant, measured: bool, now: Instant) {
        let first = self.next;
        if self.plan.requests.vary {
            return self.begin_varying(index, start, measured, now);
        }
        self.next = first.wrapping_add(count);
        self.begin_batch(index, Batch { first, count, answered: 0, start, measured }, now);
    }

    /// Does the same for one request that depends on more than the number of the last one.
    #[cold]
    fn begin_varying(&mut self, index: usize, start: Instant, measured: bool, now: Instant) {
        let connection = &mut self.connections[index];
        connection.requests = connection.requests.saturating_add(1);
        let is_last = Some(connection.requests) == self.plan.close_after;
        let first = match self.turns.as_mut().map_or(0, Turns::next) {
            0 => {
                let next = self.next;
                self.next = next.wrapping_add(1);
                self.plan.requests.number(next, is_last)
            }
            kind => self.plan.requests.number_of_kind(kind, is_last),
        };
        let batch = Batch { first, count: 1, answered: 0, start, measured };
        if !PLAIN && !self.sessions.is_empty() && self.connections[index].state != State::Down {
            self.outstanding += 1;
            return self.ask_first(index, batch);
        }
        self.begin_batch(index, batch, now);
    }

    #[inline]
    fn begin_batch(&mut self, index: usize, batch: Batch, now: Instant) {
        self.outstanding += 1;
        let connection = &mut self.connections[index];
        connection.assign(batch);
        match connection.state {
            State::Down => self.connect(index, now),
            _ => self.send_first(index),
        }
    }

    pub(super) fn send(&mut self, index: usize) {
        match self.connections[index].write::<PLAIN>(&self.plan.requests) {
            Ok(bytes) if self.is_measuring => self.tally.bytes_written += bytes as u64,
            Ok(_) => {}
            Err(_) => self.write_failed(index),
        }
    }

    /// Handles a failed write. A server that refuses a request may answer, and reset the
    /// connection, before it has read all of it.
    #[cold]
    fn write_failed(&mut self, index: usize) {
        if self.plan.mix.is_some() {
            if self.scratch.is_empty() {
                // A read of the previous answer is using the buffer, and puts it back.
                self.scratch = Box::new([0; ANSWER_BYTES]);
            }
            self.receive(index, true);
        }
        if self.connections[index].state == State::Busy {
            self.fail(index, FailureKind::Reset, Instant::now());
        }
    }

    /// Fails the rest of the batch of a connection, and closes it.
    pub(super) fn fail(&mut self, index: usize, kind: FailureKind, now: Instant) {
        let Connection { batch, state, .. } = self.connections[index];
        if batch.measured && state == State::Busy && batch.left() > 0 {
            self.tally.failed(kind, batch.left() as u64, now);
        }
        self.clear_batch(index);
        // After a wrong answer the next tick reconnects, so that a broken server is not flooded.
        self.close(index, now, kind != FailureKind::Wrong);
    }

    /// Closes a connection. With `again` it is reopened at once, if there is more to send.
    pub(super) fn close(&mut self, index: usize, now: Instant, again: bool) {
        self.connections[index].close(now);
        if let Some(session) = self.sessions.get_mut(index) {
            session.abandon();
        }
        if self.plan.close_after.is_some() && matches!(self.schedule, Some(Schedule::Open(_))) {
            match self.sessions.is_empty() {
                true => self.free.push_back(index),
                false => self.queue(index),
            }
        } else if again {
            self.reconnect(index, now);
        }
    }

    pub(super) fn reconnect(&mut self, index: usize, now: Instant) {
        if self.sends_more(now) {
            self.connect(index, now);
        }
    }

    /// Handles a connection that the server had to close, and did not (RFC 9112, section 9.6).
    pub(super) fn unclosed(&mut self, index: usize, now: Instant) {
        let target = self.plan.requests.target(self.connections[index].batch.first);
        let wrong = check::describe(target, "the connection was not closed after the answer", &[]);
        self.wrong(index, wrong, now);
    }

    /// Ends the batch of a connection, answered or not.
    pub(super) fn clear_batch(&mut self, index: usize) {
        let batch = &mut self.connections[index].batch;
        if batch.count > 0 {
            (batch.count, batch.answered) = (0, 0);
            self.outstanding -= 1;
        }
    }

    fn send_first(&mut self, index: usize) {
        let connection = &mut self.connections[index];
        connection.state = State::Busy;
        if connection.batch.measured {
            self.tally.sent += connection.batch.count as u64;
            if let Some(details) = &mut self.tally.details {
                details.sent(&self.plan.requests, connection.batch.first);
            }
        }
        self.send(index);
    }

    fn count_connect_failure(&mut self, kind: ErrorKind, now: Instant) {
        if self.is_measuring {
            self.tally.connect_failed(kind, now);
        }
        if let Some(Schedule::Closed(budget)) = &mut self.schedule {
            budget.give_up_one(now);
        }
    }
}
