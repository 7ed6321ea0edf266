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

/// An order, with the channel of its answer. A thread that panics drops it.
#[derive(Clone)]
pub(crate) enum Order {
    /// Tries once to open each connection that is not open. The answer is how many are open.
    Open { opened: Sender<anyhow::Result<u64>> },
    /// Makes one slice of load: a warm-up, then what is measured. The answer is what was counted
    /// since the last slice.
    Load {
        warm_up: Duration,
        amount: Amount,
        /// One clock for all threads: the first that has the order starts it.
        began: Arc<OnceLock<Instant>>,
        counted: Sender<anyhow::Result<Tally>>,
    },
}

impl Worker<'_> {
    /// Follows orders until there are no more. Returns what was counted after the last slice.
    ///
    /// An order fails when the kernel refuses to wait or to set a timer.
    pub(crate) fn run(mut self, orders: &Receiver<Order>) -> Tally {
        let mut events = Events::with_capacity(EVENTS);
        for order in orders {
            // The thread that waits for an answer may have ended after an error of another one.
            match order {
                Order::Open { opened } => {
                    let done = self.open(&mut events);
                    let _ = opened.send(done.map(|()| self.open_connections()));
                }
                Order::Load { warm_up, amount, began, counted } => {
                    let begin = *began.get_or_init(Instant::now);
                    let done = self.load(&mut events, begin, warm_up, amount);
                    self.settle();
                    let _ = counted.send(done.map(|()| mem::take(&mut self.tally)));
                }
            }
        }
        self.check_for_extra_bytes();
        self.tally
    }

    /// Notices what has happened to the connections since the last order, and opens those that are
    /// not open, except in mode close, which opens them as needed.
    fn open(&mut self, events: &mut Events) -> anyhow::Result<()> {
        self.schedule = None;
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
    /// the silence.
    fn settle(&mut self) {
        let now = Instant::now();
        for index in 0..self.connections.len() {
            if self.connections[index].state == State::Opening {
                self.close(index, now, false);
            }
        }
        self.tally.open = self.open_connections();
    }

    fn open_connections(&self) -> u64 {
        self.connections.iter().filter(|connection| connection.state == State::Free).count() as u64
    }
}
