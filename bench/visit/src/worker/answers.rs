//! What arrives on a connection: answers, in the order of the requests, and nothing else.

use std::mem;
use std::time::Instant;

use super::{LAST_LOOK, Worker};
use crate::check;
use crate::connection::State;
use crate::plan::Mode;
use crate::tally::Loss;

impl Worker<'_> {
    /// Reads what there is. `ends` says that the connection's end is among it.
    ///
    /// Events come once for each change. So reading stops when less came than there was room for: whatever comes later
    /// is told of again. An end that came together with the bytes is not, which is what `ends` is for.
    pub(super) fn receive(&mut self, index: usize, ends: bool) {
        let mut scratch = mem::take(&mut self.scratch);
        loop {
            match self.connections[index].read(&mut scratch) {
                Ok(None) => break,
                Ok(Some(0)) => {
                    self.at_end(index, Loss::Closed);
                    break;
                }
                Ok(Some(length)) => {
                    let goes_on = self.arrived(index, &scratch[..length]);
                    if !goes_on || (length < scratch.len() && !ends) {
                        break;
                    }
                }
                Err(_) => {
                    self.at_end(index, Loss::Reset);
                    break;
                }
            }
        }
        self.scratch = scratch;
    }

    /// Says what is wrong with what came, if it is the first, and ends the connection.
    pub(super) fn wrong(&mut self, index: usize, wrong: String, now: Instant) {
        self.tally.mismatch.get_or_insert(wrong);
        self.lost(index, Loss::Wrong, now);
    }

    /// After the end: bytes behind the last answers are an answer too many, which a server that is one ahead has given.
    pub(super) fn look_for_more(&mut self) {
        std::thread::sleep(LAST_LOOK);
        for index in 0..self.connections.len() {
            if self.connections[index].state == State::Free {
                self.receive(index, false);
            }
        }
    }

    /// Bytes have come; whether the connection goes on.
    fn arrived(&mut self, index: usize, bytes: &[u8]) -> bool {
        let now = Instant::now();
        if self.is_measuring {
            self.tally.bytes_read += bytes.len() as u64;
        }
        let mut partial = mem::take(&mut self.connections[index].partial);
        let read = if partial.is_empty() {
            let read = self.read_answers(index, bytes, now);
            if let Ok(taken) = read {
                partial.extend_from_slice(&bytes[taken..]);
            }
            read
        } else {
            partial.extend_from_slice(bytes);
            let read = self.read_answers(index, &partial, now);
            if let Ok(taken) = read {
                partial.drain(..taken);
            }
            read
        };
        self.connections[index].partial = partial;
        match read {
            Ok(_) => {
                self.go_on(index, now);
                true
            }
            Err(wrong) => {
                self.wrong(index, wrong, now);
                false
            }
        }
    }

    /// Counts the whole answers at the start of `bytes`; how many bytes they are. An error says what is wrong.
    fn read_answers(&mut self, index: usize, bytes: &[u8], now: Instant) -> Result<usize, String> {
        let connection = &mut self.connections[index];
        let batch = &mut connection.batch;
        let mut at = 0;
        while at < bytes.len() {
            let number = batch.first.wrapping_add(batch.answered);
            let rest = &bytes[at..];
            if connection.state != State::Busy || batch.left() == 0 || connection.closes {
                let path = &self.plan.script.target(number).path;
                return Err(check::describe(path, "there are bytes that nobody asked for", rest));
            }
            let Some(answer) = self.checker.answer(number, rest, false)? else { break };
            at += answer.length;
            batch.answered += 1;
            connection.closes = answer.close;
            if batch.measured {
                self.tally.answered(answer.status, batch.start, now);
            }
        }
        Ok(at)
    }

    /// What follows after answers: more of the same batch, the next one, or the end of the connection.
    fn go_on(&mut self, index: usize, now: Instant) {
        let connection = &mut self.connections[index];
        let left = connection.batch.left();
        if connection.state != State::Busy || (left > 0 && !connection.closes) {
            return;
        }
        let closes = connection.closes || self.plan.mode == Mode::Close;
        if closes {
            (connection.state, connection.since) = (State::Closing, now);
        }
        if left > 0 && connection.batch.measured {
            self.tally.lost(Loss::Closed, left as u64, now);
        }
        self.clear(index);
        if !closes {
            self.free(index, now);
        }
    }

    /// The connection has ended.
    fn at_end(&mut self, index: usize, loss: Loss) {
        let now = Instant::now();
        match self.connections[index].state {
            State::Busy => {
                if loss == Loss::Closed {
                    self.end_answer(index, now);
                }
                self.lost(index, loss, now);
            }
            // The server is tired of waiting, which is its right. It is opened again at the next tick.
            State::Free => {
                self.clear(index);
                self.ended(index, now, false);
            }
            // After its answer and the word that it closes, a reset is as good an end as any.
            State::Closing => self.ended(index, now, true),
            State::Down | State::Opening => {}
        }
    }

    /// Counts the answer that ends with its connection, if there is one.
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
            }
        }
    }
}
