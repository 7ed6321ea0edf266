//! What a thread is told to do: to open its connections, and to make load. Between two orders it
//! waits without a timeout, sends nothing, and reads nothing.

use std::mem;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use mio::Events;

use super::{EVENTS, TICK, Worker};
use crate::connection::{Connection, State};
use crate::mode::Mode;
use crate::plan::Amount;
use crate::tally::Tally;

#[derive(Clone)]
pub(crate) enum Order {
    /// Tries once to open each connection that is not open.
    Open,
    /// Makes one slice of load: a warm-up, then what is measured.
    Load {
        warm_up: Duration,
        amount: Amount,
        /// One clock for all threads: the first that has the order starts it.
        began: Arc<OnceLock<Instant>>,
    },
}

impl Worker<'_> {
    /// Follows orders until there are no more. The counts of each order go to `tallies`. Returns
    /// what was counted after the last one.
    ///
    /// An order fails when the kernel refuses to wait or to set a timer.
    pub(crate) fn run(mut self, orders: &Receiver<Order>, tallies: &Sender<anyhow::Result<Tally>>) -> Tally {
        let mut events = Events::with_capacity(EVENTS);
        for order in orders {
            let done = match order {
                Order::Open => self.open(&mut events),
                Order::Load { warm_up, amount, began } => {
                    let begin = *began.get_or_init(Instant::now);
                    self.start(begin, warm_up, amount);
                    self.load(&mut events, begin + warm_up)
                }
            };
            self.settle();
            if tallies.send(done.map(|()| mem::take(&mut self.tally))).is_err() {
                break;
            }
        }
        self.check_for_extra_bytes();
        self.tally
    }

    /// Notices what has happened to the connections since the last order, and opens those that are
    /// not open, except in mode close, which opens them as needed.
    fn open(&mut self, events: &mut Events) -> anyhow::Result<()> {
        (self.schedule, self.is_measuring) = (None, true);
        self.catch_up(events)?;
        if self.plan.mode == Mode::Close {
            return Ok(());
        }
        for index in 0..self.connections.len() {
            if self.connections[index].state == State::Down {
                self.connect(index, Instant::now());
            }
        }
        let is_opening = |connection: &Connection| connection.state == State::Opening;
        while self.connections.iter().any(is_opening) && !self.interrupted.load(Ordering::Relaxed) {
            self.wait(events, TICK)?;
            events.iter().for_each(|event| self.handle(event));
            self.tick(Instant::now());
        }
        Ok(())
    }

    /// Handles the events that are there. A connection that the server has closed becomes `Down`,
    /// and bytes are an answer to no request.
    fn catch_up(&mut self, events: &mut Events) -> anyhow::Result<()> {
        loop {
            self.wait(events, Duration::ZERO)?;
            if events.is_empty() {
                return Ok(());
            }
            events.iter().for_each(|event| self.handle(event));
        }
    }

    /// Before the silence: closes what is still opening, since its time to connect would include
    /// the silence, and counts what is open.
    fn settle(&mut self) {
        let now = Instant::now();
        for index in 0..self.connections.len() {
            match self.connections[index].state {
                State::Opening => self.close(index, now, false),
                State::Free => self.tally.open += 1,
                State::Down | State::Busy | State::Closing => {}
            }
        }
    }
}
