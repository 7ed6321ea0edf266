//! The life of a connection: opened, given a batch, freed, ended, and opened again.

use std::io::ErrorKind;
use std::time::Instant;

use mio::Token;

use super::Worker;
use crate::check;
use crate::connection::{Batch, Connection, State};
use crate::plan::Mode;
use crate::schedule::Schedule;
use crate::tally::Loss;

impl Worker<'_> {
    /// Begins to open a connection that is down.
    pub(super) fn connect(&mut self, index: usize, now: Instant) {
        let connection = &mut self.connections[index];
        (connection.state, connection.since) = (State::Opening, now);
        if let Err(error) = connection.open(self.plan.address, self.poll.registry(), Token(index)) {
            self.unconnected(index, error.kind(), now);
        }
    }

    /// A connection is open, or came to nothing. What can be read by now was sent before anything was asked.
    pub(super) fn opened(&mut self, index: usize, readable: bool, ends: bool) {
        let now = Instant::now();
        let connection = &mut self.connections[index];
        if let Err(error) = connection.check_open(self.plan.mode != Mode::Close) {
            return self.unconnected(index, error.kind(), now);
        }
        self.tally.connect.record(now - connection.since);
        (connection.state, connection.since) = (State::Free, now);
        if readable {
            self.receive(index, ends);
            if self.connections[index].state != State::Free {
                // It is over before anything was sent on it.
                return self.count_unconnected(ErrorKind::ConnectionAborted, now);
            }
        }
        if self.connections[index].batch.count > 0 {
            self.send_first(index);
        } else {
            self.free(index, now);
        }
    }

    /// A connection was not to be had. It is tried again at the next tick, so that nobody is hammered who does not listen.
    pub(super) fn unconnected(&mut self, index: usize, kind: ErrorKind, now: Instant) {
        self.count_unconnected(kind, now);
        self.clear(index);
        self.ended(index, now, false);
    }

    /// A connection has nothing to do: in a closed loop it goes on with the next batch, in an open one it waits.
    pub(super) fn free(&mut self, index: usize, now: Instant) {
        self.connections[index].state = State::Free;
        let depth = self.plan.mode.depth();
        match &mut self.schedule {
            Some(Schedule::Closed(quota)) => {
                if let Some((count, measured)) = quota.take(depth, now) {
                    self.begin(index, count, now, measured, now);
                }
            }
            Some(Schedule::Open(_)) => self.free.push_back(index),
            None => {}
        }
    }

    /// Gives a connection a batch, the latency of which counts from `start`. One that is down is opened for it.
    pub(super) fn begin(&mut self, index: usize, count: usize, start: Instant, measured: bool, now: Instant) {
        let first = self.next;
        self.next = self.next.wrapping_add(count);
        self.outstanding += 1;
        let connection = &mut self.connections[index];
        connection.assign(Batch { first, count, answered: 0, start, measured });
        match connection.state {
            State::Down => self.connect(index, now),
            _ => self.send_first(index),
        }
    }

    /// Sends what there is room for of a batch that is being sent.
    pub(super) fn send(&mut self, index: usize) {
        match self.connections[index].write(&self.plan.script) {
            Ok(bytes) if self.is_measuring => self.tally.bytes_written += bytes as u64,
            Ok(_) => {}
            Err(_) => self.lost(index, Loss::Reset, Instant::now()),
        }
    }

    /// A connection has ended under its batch, or is ended because of it.
    pub(super) fn lost(&mut self, index: usize, loss: Loss, now: Instant) {
        let Connection { batch, state, .. } = self.connections[index];
        if batch.measured && state == State::Busy && batch.left() > 0 {
            self.tally.lost(loss, batch.left() as u64, now);
        }
        self.clear(index);
        // One that speaks nonsense is not hammered either.
        self.ended(index, now, loss != Loss::Wrong);
    }

    /// A connection is over. With `again` its successor is opened at once, if there is more to send.
    pub(super) fn ended(&mut self, index: usize, now: Instant, again: bool) {
        self.connections[index].shut(now);
        if self.plan.mode == Mode::Close && matches!(self.schedule, Some(Schedule::Open(_))) {
            self.free.push_back(index);
        } else if again {
            self.reconnect(index, now);
        }
    }

    /// Opens a connection that is down, if there is more to send.
    pub(super) fn reconnect(&mut self, index: usize, now: Instant) {
        if self.sends_more(now) {
            self.connect(index, now);
        }
    }

    /// The server has not ended a connection that it had to end (RFC 9112, section 9.6).
    pub(super) fn unclosed(&mut self, index: usize, now: Instant) {
        let path = &self.plan.script.target(self.connections[index].batch.first).path;
        let wrong = check::describe(path, "the connection was not closed after the answer", &[]);
        self.wrong(index, wrong, now);
    }

    /// A batch is over, whatever came of it.
    pub(super) fn clear(&mut self, index: usize) {
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
        }
        self.send(index);
    }

    fn count_unconnected(&mut self, kind: ErrorKind, now: Instant) {
        if self.is_measuring {
            self.tally.unconnected(kind, now);
        }
        if let Some(Schedule::Closed(quota)) = &mut self.schedule {
            quota.give_up_one(now);
        }
    }
}
