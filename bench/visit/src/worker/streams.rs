//! The load over HTTP/2: a stream that is answered sends the next request, or waits for an arrival.
//! A connection sends in one write all frames that follow from one read, or arrivals that are due
//! together.

use std::mem;
use std::time::Instant;

use super::Worker;
use crate::check;
use crate::connection::{Batch, State};
use crate::http2::{self, Event, Fault, Session, code};
use crate::schedule::Schedule;
use crate::tally::FailureKind;

impl<const PLAIN: bool> Worker<'_, PLAIN> {
    /// Begins HTTP/2 on an open connection. Requests can be sent once the server has sent its
    /// settings.
    pub(super) fn begin_session(&mut self, index: usize) {
        self.sessions[index].begin();
        self.write_frames(index);
    }

    /// Handles bytes of frames that have arrived. Returns false when they were wrong, or the
    /// connection has ended with them.
    pub(super) fn arrived_frames(&mut self, index: usize, bytes: &[u8]) -> bool {
        let now = Instant::now();
        let read = |worker: &mut Self, whole: &[u8]| worker.read_frames(index, whole, now);
        let faulty = |worker: &mut Self, fault: Fault, whole: &[u8]| worker.faulty(index, &fault, whole, now);
        self.take(index, bytes, read, faulty) && self.after_frames(index, now)
    }

    /// Opens streams for the requests that can be sent now. Requests that another connection did
    /// not process come first.
    pub(super) fn fill(&mut self, index: usize, now: Instant) {
        while self.stream_capacity(index) > 0 {
            if let Some(batch) = self.again.pop_front() {
                self.ask(index, batch);
                continue;
            }
            match &mut self.schedule {
                Some(Schedule::Closed(budget)) => match budget.take(1, now) {
                    Some((count, measured)) => self.begin(index, count, now, measured, now),
                    None => break,
                },
                Some(Schedule::Open(_)) => {
                    self.queue(index);
                    break;
                }
                None => break,
            }
        }
    }

    /// Opens a stream for a request that is sent for the first time.
    pub(super) fn ask_first(&mut self, index: usize, batch: Batch) {
        if batch.measured {
            self.tally.sent += 1;
            if let Some(details) = &mut self.tally.details {
                details.sent(&self.plan.requests, batch.first);
            }
        }
        self.ask(index, batch);
    }

    /// Writes the unsent bytes of the sessions, as far as the sockets take them.
    pub(super) fn write_unsent(&mut self) {
        while let Some(index) = self.unsent.pop() {
            self.write_frames(index);
        }
    }

    pub(super) fn write_frames(&mut self, index: usize) {
        let (session, connection) = (&mut self.sessions[index], &mut self.connections[index]);
        match connection.put(session.unsent()) {
            Ok(bytes) => {
                session.sent(bytes);
                if self.is_measuring {
                    self.tally.bytes_written += bytes as u64;
                }
            }
            Err(_) => self.at_end(index, FailureKind::Reset),
        }
    }

    /// Open loop: returns the connection with a free stream that has waited for the longest time. A
    /// connection that is opened on arrival is also free while it is down.
    pub(super) fn next_free_stream(&mut self) -> Option<usize> {
        loop {
            let index = self.free.pop_front()?;
            self.queued[index] = false;
            match self.connections[index].state {
                State::Free | State::Streams if self.stream_capacity(index) > 0 => return Some(index),
                State::Down if self.plan.opens_on_arrival() => return Some(index),
                _ => {}
            }
        }
    }

    /// Open loop: after an arrival, queues the connection again if it has free streams.
    pub(super) fn took_arrival(&mut self, index: usize) {
        self.unsent.push(index);
        if self.stream_capacity(index) > 0 {
            self.queue(index);
        }
    }

    /// Tells the server that the connection ends.
    pub(super) fn say_goodbye(&mut self, index: usize) {
        if let Some(session) = self.sessions.get_mut(index) {
            session.say_goodbye(code::NO_ERROR);
            self.write_frames(index);
        }
    }

    /// Open loop: lets a connection wait for an arrival, unless it waits already.
    pub(super) fn queue(&mut self, index: usize) {
        if !mem::replace(&mut self.queued[index], true) {
            self.free.push_back(index);
        }
    }

    /// Fails all requests of a connection, and closes it.
    pub(super) fn fail_streams(&mut self, index: usize, kind: FailureKind, now: Instant) {
        for batch in self.sessions[index].take_all() {
            self.fail_stream(&batch, kind, now);
        }
        self.clear_batch(index);
        // After a wrong answer the next tick reconnects, so that a broken server is not flooded.
        self.close(index, now, kind != FailureKind::Wrong);
    }

    /// Handles requests that are overdue or given up, which cause no event.
    pub(super) fn tick_streams(&mut self, now: Instant, given_up: bool) {
        let timeout = self.plan.timeout;
        let is_late = |batch: &Batch| now.saturating_duration_since(batch.start) >= timeout;
        for batch in mem::take(&mut self.again) {
            match (given_up, is_late(&batch)) {
                (true, _) => self.fail_stream(&batch, FailureKind::CutOff, now),
                (_, true) => self.fail_stream(&batch, FailureKind::Timeout, now),
                _ => self.again.push_back(batch),
            }
        }
        for index in 0..self.sessions.len() {
            if self.connections[index].state != State::Streams {
                continue;
            }
            if given_up {
                self.fail_streams(index, FailureKind::CutOff, now);
                continue;
            }
            let late = self.sessions[index].take_late(is_late);
            if !late.is_empty() {
                late.iter().for_each(|batch| self.fail_stream(batch, FailureKind::Timeout, now));
                self.after_frames(index, now);
            }
        }
    }

    /// The number of streams that a connection can open now.
    fn stream_capacity(&self, index: usize) -> usize {
        let capacity = self.sessions[index].capacity();
        let left = self.plan.close_after.map(|most| most.saturating_sub(self.connections[index].requests));
        capacity.min(left.map_or(usize::MAX, usize::from))
    }

    /// Opens a stream. Its frame is written later.
    fn ask(&mut self, index: usize, batch: Batch) {
        let Some(asks) = &self.plan.http2 else { return };
        let frame = &asks.frames[self.plan.requests.index(batch.first)];
        self.sessions[index].ask(batch, frame);
        self.connections[index].state = State::Streams;
    }

    /// Handles the whole frames at the start of `bytes`, and returns their length.
    fn read_frames(&mut self, index: usize, bytes: &[u8], now: Instant) -> Result<usize, Fault> {
        let requests = &self.plan.requests;
        let mut at = 0;
        while let Some((head, payload)) = http2::split(&bytes[at..])? {
            at += http2::HEAD + payload.len();
            match self.sessions[index].receive(head, payload, requests)? {
                Event::None | Event::Settings => {}
                Event::Answered { batch, status } => self.answered(&batch, status, now),
                Event::Reset { batch, is_refused } => {
                    self.tally.http2.rst_stream += 1;
                    self.tally.http2.refused_stream += u64::from(is_refused);
                    if let Some(batch) = batch {
                        self.fail_stream(&batch, FailureKind::Reset, now);
                    }
                }
                Event::GoAway { last, code } => self.leaves(index, last, code, now),
            }
        }
        Ok(at)
    }

    fn answered(&mut self, batch: &Batch, status: u16, now: Instant) {
        self.outstanding -= 1;
        if batch.measured {
            self.tally.answered(status, batch.start, now);
            if let Some(details) = &mut self.tally.details {
                details.answered((&self.plan.requests, batch.first), status, batch.start, now);
            }
        }
    }

    /// Handles GOAWAY: the server accepts no new streams. Requests that it did not process are sent
    /// again, unless it ends the connection because of an error.
    fn leaves(&mut self, index: usize, last: u32, error: u32, now: Instant) {
        self.tally.http2.goaway += 1;
        let session = &mut self.sessions[index];
        session.leave();
        let unprocessed = session.take_unprocessed(last);
        if error == code::NO_ERROR {
            self.tally.http2.asked_again += unprocessed.len() as u64;
            self.again.extend(unprocessed);
        } else {
            unprocessed.iter().for_each(|batch| self.fail_stream(batch, FailureKind::Reset, now));
        }
    }

    /// Continues after frames: with the first requests, the next requests, or the end of the
    /// connection. Returns false when the connection is closed.
    fn after_frames(&mut self, index: usize, now: Instant) -> bool {
        let session = &self.sessions[index];
        match self.connections[index].state {
            State::Handshaking if session.is_leaving() => {
                let why = "the server ended the connection before the first request (GOAWAY)";
                self.handshake_failed(index, why.into(), now);
                return false;
            }
            // A server that allows no streams yet may do so later.
            State::Handshaking if session.capacity() > 0 => self.established(index, now),
            State::Free | State::Streams => {}
            State::Handshaking | State::Closing | State::Opening | State::Busy | State::Down => {
                self.write_frames(index);
                return self.connections[index].state != State::Down;
            }
        }
        self.fill(index, now);
        let session = &self.sessions[index];
        let is_last = Some(self.connections[index].requests) == self.plan.close_after;
        if session.busy() > 0 {
            self.connections[index].state = State::Streams;
        } else if session.is_leaving() || session.is_used_up() {
            // A connection without any answer waits for the next tick, so as not to flood a server.
            let again = session.has_answered();
            self.close(index, now, again);
            return false;
        } else if is_last {
            self.end_session(index, now);
        } else {
            self.connections[index].state = State::Free;
        }
        self.write_frames(index);
        self.connections[index].state != State::Down
    }

    /// Sends the first request, if there is one, once the server has sent its settings.
    fn established(&mut self, index: usize, now: Instant) {
        let connection = &mut self.connections[index];
        (connection.state, connection.since) = (State::Free, now);
        if connection.batch.count > 0 {
            let batch = mem::replace(&mut connection.batch.count, 0);
            let batch = Batch { count: batch, ..connection.batch };
            self.ask_first(index, batch);
        }
    }

    /// Sends GOAWAY after the last request of a connection: the server then has to close it.
    fn end_session(&mut self, index: usize, now: Instant) {
        self.say_goodbye(index);
        let connection = &mut self.connections[index];
        if connection.state != State::Down {
            (connection.state, connection.since) = (State::Closing, now);
            connection.end();
        }
    }

    fn fail_stream(&mut self, batch: &Batch, kind: FailureKind, now: Instant) {
        self.outstanding -= 1;
        if batch.measured {
            self.tally.failed(kind, 1, now);
        }
    }

    /// Handles wrong bytes of a server: tells the server, and closes the connection.
    fn faulty(&mut self, index: usize, fault: &Fault, bytes: &[u8], now: Instant) {
        let state = self.connections[index].state;
        if state == State::Handshaking && !self.sessions[index].is_settled() {
            let shown = bytes[..bytes.len().min(60)].escape_ascii();
            let why = format!("the server does not speak HTTP/2: {}; it sent \"{shown}\"", fault.text);
            return self.handshake_failed(index, why, now);
        }
        self.sessions[index].say_goodbye(fault.code);
        self.write_frames(index);
        let requests = &self.plan.requests;
        let target = requests.target(fault.request.unwrap_or(0));
        let wrong = match fault.request {
            Some(_) => format!("{} {}: {}", target.method, target.path, fault.text),
            None => check::describe(target, &fault.text, bytes),
        };
        self.wrong(index, wrong, now);
    }
}

/// The session of each connection; empty without HTTP/2.
pub(super) fn sessions(plan: &crate::plan::Plan, connections: u64) -> Vec<Session> {
    let Some(asks) = &plan.http2 else { return Vec::new() };
    let streams = usize::try_from(asks.streams).unwrap_or(1);
    (0..connections).map(|_| Session::new(streams, plan.requests.targets.len())).collect()
}
