//! The orders to a thread: to open its connections, and to make load. Between two orders the thread
//! waits without a timeout, sends nothing, and reads nothing.

use std::mem;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use mio::Events;

use super::{EVENTS, TICK, Worker};
use crate::amount::Amount;
use crate::connection::{Connection, State};
use crate::tally::Tally;

/// An order, with the channel for its answer. A thread that panics drops the channel.
#[derive(Clone)]
pub(crate) enum Order {
    /// Tries once to open each connection that is not open. The answer is how many are open.
    Open { opened: Sender<anyhow::Result<u64>> },
    /// Makes one slice of load: a warm-up, then the measured time. The answer is a tally of the
    /// counts since the last slice.
    Load {
        slice: LoadSlice,
        /// One clock for all threads: the first thread that receives the order starts it.
        began: Arc<OnceLock<Instant>>,
        counted: Sender<anyhow::Result<Tally>>,
    },
}

/// One slice of load.
#[derive(Clone, Copy)]
pub(crate) struct LoadSlice {
    /// The instant to begin at; `None` begins at once.
    pub(crate) start_at: Option<Instant>,
    pub(crate) warm_up: Duration,
    pub(crate) amount: Amount,
}

impl<const PLAIN: bool> Worker<'_, PLAIN> {
    /// Follows orders until there are no more. Returns the counts since the last slice.
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
                Order::Load { slice, began, counted } => {
                    let begin = *began.get_or_init(|| self.clock_start(slice.start_at));
                    let done = self.make(&mut events, begin, slice);
                    self.settle();
                    let _ = counted.send(done.map(|()| mem::replace(&mut self.tally, Tally::new(self.plan))));
                }
            }
        }
        self.check_for_extra_bytes();
        self.end_all();
        self.tally
    }

    /// The instant at which the clock starts. When the instant to begin at has passed, a closed
    /// loop counts from now. An open loop still counts from that instant, as its requests are due
    /// from then on.
    fn clock_start(&self, start_at: Option<Instant>) -> Instant {
        let now = Instant::now();
        match (start_at, self.plan.rate) {
            (None, _) => now,
            (Some(start), Some(_)) => start,
            (Some(start), None) => start.max(now),
        }
    }

    /// Waits until the clock starts, and makes the slice.
    fn make(&mut self, events: &mut Events, begin: Instant, slice: LoadSlice) -> anyhow::Result<()> {
        let LoadSlice { start_at, warm_up, amount } = slice;
        if let Some(start) = start_at {
            if !self.wait_until(begin, events)? {
                self.tally.stopped = Some(Instant::now());
                return Ok(());
            }
            self.tally.late = Some(Instant::now().saturating_duration_since(start));
        }
        self.load(events, begin, warm_up, amount)
    }

    /// Waits until `begin`, and keeps the connections open meanwhile. Returns false when a signal
    /// has come.
    fn wait_until(&mut self, begin: Instant, events: &mut Events) -> anyhow::Result<bool> {
        let mut next_tick = Instant::now() + TICK;
        while !self.interrupted.load(Ordering::Relaxed) {
            let now = Instant::now();
            if now >= begin {
                return Ok(true);
            }
            if now >= next_tick {
                self.tick(now);
                self.connect_down();
                next_tick = now + TICK;
            }
            self.timer.arm(begin)?;
            self.wait(events, TICK)?;
            events.iter().for_each(|event| self.handle(event));
        }
        Ok(false)
    }

    /// Handles the events since the last order, and opens the connections that are not open. In
    /// modes close and close-after-N connections are opened as needed instead.
    fn open(&mut self, events: &mut Events) -> anyhow::Result<()> {
        self.schedule = None;
        self.catch_up(events)?;
        self.connect_down();
        let is_opening = |connection: &Connection| connection.is_opening();
        while self.connections.iter().any(is_opening) && !self.interrupted.load(Ordering::Relaxed) {
            self.wait(events, TICK)?;
            events.iter().for_each(|event| self.handle(event));
            self.tick(Instant::now());
        }
        Ok(())
    }

    /// Begins to open each connection that is not open, except in modes close and close-after-N.
    fn connect_down(&mut self) {
        if self.plan.close_after.is_some() {
            return;
        }
        for index in 0..self.connections.len() {
            if self.connections[index].state == State::Down {
                self.connect(index, Instant::now());
            }
        }
    }

    /// Handles the events that wait. A connection that the server has closed becomes `Down`, and
    /// bytes that have arrived answer no request.
    fn catch_up(&mut self, events: &mut Events) -> anyhow::Result<()> {
        loop {
            self.wait(events, Duration::ZERO)?;
            if events.is_empty() {
                return Ok(());
            }
            events.iter().for_each(|event| self.handle(event));
        }
    }

    /// Closes connections that are still being opened: their time to connect would include the wait
    /// until the next order.
    fn settle(&mut self) {
        let now = Instant::now();
        for index in 0..self.connections.len() {
            if self.connections[index].is_opening() {
                self.close(index, now, false);
            }
        }
        self.tally.open = self.open_connections();
    }

    /// Ends the connections. With TLS or HTTP/2, the server is notified.
    fn end_all(&mut self) {
        let now = Instant::now();
        for index in 0..self.connections.len() {
            if self.connections[index].state == State::Free {
                self.say_goodbye(index);
            }
            self.connections[index].close(now);
        }
    }

    fn open_connections(&self) -> u64 {
        self.connections.iter().filter(|connection| connection.state == State::Free).count() as u64
    }
}
