//! One thread: its part of the connections, and the loop that sends and receives on them.

mod answers;
mod handshake;
mod orders;
mod sealed;
mod streams;
mod transitions;

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use mio::event::Event;
use mio::{Events, Poll, Token};

use super::amount::Amount;
use super::check::Checker;
use super::connection::{Batch, Connection, State};
use super::http2::Session;
use super::mix::Turns;
use super::plan::Plan;
use super::schedule::{Arrivals, Budget, Schedule, ThreadShare};
use super::tally::{FailureKind, Tally, cpu_time};
use super::timer::Timer;

/// The interval between checks for timeouts, interruptions and connections to reopen.
const TICK: Duration = Duration::from_millis(50);

/// The time for the last answers after an interruption: short, since the user waits for the end.
const INTERRUPT_GRACE: Duration = Duration::from_secs(1);

/// The time to wait for bytes after the last answers. It hardly lengthens a run.
const EXTRA_BYTES_WAIT: Duration = Duration::from_millis(20);

/// The size of the read buffer. Answers are far shorter, and a usual pipelined batch of them fits.
const SCRATCH_BYTES: usize = 64 * 1024;

/// The number of events taken from the kernel at once; more wait for the next poll.
const EVENTS: usize = 1024;

/// The token of the timer; the token of a connection is its index.
const TIMER: Token = Token(usize::MAX);

pub(super) use orders::{LoadSlice, Order};

/// One thread. With `PLAIN` it speaks HTTP/1.1 without TLS. The code of the other protocols is then
/// not compiled into the path of a request, and costs no instruction there.
pub(super) struct Worker<'a, const PLAIN: bool> {
    plan: &'a Plan,
    share: ThreadShare,
    interrupted: &'a AtomicBool,
    poll: Poll,
    timer: Timer,
    connections: Vec<Connection>,
    /// The HTTP/2 session of each connection; empty without HTTP/2.
    sessions: Vec<Session>,
    /// HTTP/2: requests that a server did not process, to be sent again on another connection.
    again: VecDeque<Batch>,
    /// HTTP/2 in an open loop: connections with something to write.
    unsent: Vec<usize>,
    /// HTTP/2 in an open loop: whether a connection is in `free`.
    queued: Vec<bool>,
    /// Open loop: free connections, the longest waiting first. Some of these may be closed by now.
    free: VecDeque<usize>,
    schedule: Option<Schedule>,
    checker: Checker<'a>,
    tally: Tally,
    scratch: Box<[u8]>,
    /// The decrypted bytes of `scratch`; empty without TLS.
    plain: Vec<u8>,
    /// The number of the next plain request, which determines its target.
    next: usize,
    /// The order of the kinds, where there are several.
    turns: Option<Turns<'a>>,
    outstanding: usize,
    /// The last time at which an arrival found no free connection.
    starved_until: Option<Instant>,
    is_measuring: bool,
    /// After an interruption: the time at which requests without an answer are given up.
    give_up_at: Option<Instant>,
}

impl<'a, const PLAIN: bool> Worker<'a, PLAIN> {
    /// A worker whose connections are not yet open. Fails when the kernel has no descriptors left.
    pub(super) fn new(
        plan: &'a Plan,
        share: ThreadShare,
        interrupted: &'a AtomicBool,
    ) -> anyhow::Result<Self> {
        let poll = Poll::new().context("cannot make a poll")?;
        let timer = Timer::new(poll.registry(), TIMER)?;
        let now = Instant::now();
        let connections = share.part_of(plan.connections.into());
        Ok(Self {
            plan,
            share,
            interrupted,
            poll,
            timer,
            connections: (0..connections).map(|_| Connection::new(now)).collect(),
            sessions: streams::sessions(plan, connections),
            again: VecDeque::new(),
            unsent: Vec::new(),
            queued: vec![false; usize::try_from(connections).unwrap_or_default()],
            free: VecDeque::new(),
            schedule: None,
            checker: Checker::new(&plan.requests),
            tally: Tally::new(plan),
            scratch: vec![0; SCRATCH_BYTES].into_boxed_slice(),
            plain: Vec::new(),
            next: 0,
            turns: plan.mix.as_ref().map(|mix| mix.turns(share)),
            outstanding: 0,
            starved_until: None,
            is_measuring: false,
            give_up_at: None,
        })
    }

    /// Starts the clock at `begin` and sends the first batches.
    fn start(&mut self, begin: Instant, warm_up: Duration, amount: Amount) {
        self.schedule = Some(match self.plan.rate {
            None => Schedule::Closed(Budget::new(amount, begin + warm_up, self.share)),
            Some(rate) => {
                let arrivals = Arrivals::new(amount, rate, begin, warm_up, self.share);
                Schedule::Open(arrivals.with_poisson(self.plan.poisson))
            }
        });
        self.is_measuring = warm_up.is_zero();
        if let Some(details) = &mut self.tally.details {
            details.begin(begin + warm_up);
        }
        for index in 0..self.connections.len() {
            let now = Instant::now();
            match self.connections[index].state {
                State::Free => self.first_batch(index, now),
                _ => self.close(index, now, true),
            }
        }
    }

    /// Sends and receives from `begin` until the end. What happens after the warm-up is measured.
    fn load(
        &mut self,
        events: &mut Events,
        begin: Instant,
        warm_up: Duration,
        amount: Amount,
    ) -> anyhow::Result<()> {
        // Without a warm-up the first batches count too: they are much of a short slice.
        let mut cpu_before = if warm_up.is_zero() { Some(cpu_time()?) } else { None };
        self.start(begin, warm_up, amount);
        let mut next_tick = Instant::now() + TICK;
        loop {
            let now = Instant::now();
            if cpu_before.is_none() && now >= begin + warm_up {
                cpu_before = Some(cpu_time()?);
                self.is_measuring = true;
            }
            if now >= next_tick {
                self.tick(now);
                next_tick = now + TICK;
            }
            self.issue()?;
            if !PLAIN {
                self.write_unsent();
            }
            if self.is_over(now) {
                break;
            }
            self.wait(events, next_tick - now)?;
            events.iter().for_each(|event| self.handle(event));
        }
        if let Some(details) = &mut self.tally.details {
            details.finish();
        }
        if let Some(before) = cpu_before {
            self.tally.cpu = cpu_time()?.saturating_sub(before);
        }
        Ok(())
    }

    /// Waits for events, at most for `bound`. A signal ends the wait without events.
    fn wait(&mut self, events: &mut Events, bound: Duration) -> anyhow::Result<()> {
        match self.poll.poll(events, Some(bound)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {
                events.clear();
                Ok(())
            }
            polled => polled.context("cannot wait for events"),
        }
    }

    fn handle(&mut self, event: &Event) {
        let Some(connection) = self.connections.get(event.token().0) else { return };
        let index = event.token().0;
        let ends = event.is_read_closed() || event.is_error();
        let readable = event.is_readable() || ends;
        match connection.state {
            State::Down => {}
            State::Opening => {
                if event.is_writable() || ends {
                    self.opened(index, readable, ends);
                }
            }
            State::Handshaking if !PLAIN => {
                if event.is_writable() {
                    self.flush(index);
                }
                if readable {
                    self.receive(index, ends);
                }
            }
            State::Streams if !PLAIN => {
                if event.is_writable() {
                    self.write_frames(index);
                }
                if readable {
                    self.receive(index, ends);
                }
            }
            _ => {
                if event.is_writable() && connection.state == State::Busy {
                    self.send(index);
                }
                if readable {
                    self.receive(index, ends);
                }
            }
        }
    }

    /// Open loop: sends the arrivals that are due, and sets the timer for the next one.
    fn issue(&mut self) -> anyhow::Result<()> {
        loop {
            let Some(Schedule::Open(arrivals)) = &mut self.schedule else { return Ok(()) };
            let Some(arrival) = arrivals.peek() else { return Ok(()) };
            let now = Instant::now();
            if arrival.time > now {
                return self.timer.arm(arrival.time);
            }
            if now - arrival.time >= self.plan.timeout {
                arrivals.advance();
                self.tally.errors.unsent += u64::from(arrival.measured);
                continue;
            }
            let Some(index) = self.next_free() else {
                self.starved_until = Some(now);
                return Ok(());
            };
            if let Some(Schedule::Open(arrivals)) = &mut self.schedule {
                arrivals.advance();
            }
            if arrival.measured {
                self.tally.lag.record(now - arrival.time);
                self.tally.waited += u64::from(self.starved_until.is_some_and(|until| arrival.time <= until));
            }
            self.begin(index, 1, arrival.time, arrival.measured, now);
            if !PLAIN && !self.sessions.is_empty() {
                self.took_arrival(index);
            }
        }
    }

    /// Open loop: returns the connection that has been free for the longest time. A connection that
    /// is opened on arrival is also free while it is down.
    fn next_free(&mut self) -> Option<usize> {
        if !PLAIN && !self.sessions.is_empty() {
            return self.next_free_stream();
        }
        loop {
            let index = self.free.pop_front()?;
            match self.connections[index].state {
                State::Free => return Some(index),
                State::Down if self.plan.opens_on_arrival() => return Some(index),
                _ => {}
            }
        }
    }

    /// Handles conditions that cause no event: timeouts, interruptions and connections to reopen.
    fn tick(&mut self, now: Instant) {
        if self.give_up_at.is_none() && self.interrupted.load(Ordering::Relaxed) {
            self.stop(now);
        }
        let given_up = self.give_up_at.is_some_and(|at| now >= at);
        let timeout = self.plan.timeout;
        for index in 0..self.connections.len() {
            let Connection { state, since, batch, .. } = &self.connections[index];
            let has_batch = batch.count > 0;
            let is_late = has_batch && now.saturating_duration_since(batch.start) >= timeout;
            let is_old = now.saturating_duration_since(*since) >= timeout;
            match state {
                State::Streams if given_up => self.fail_streams(index, FailureKind::CutOff, now),
                State::Busy if given_up => self.fail(index, FailureKind::CutOff, now),
                State::Busy if is_late => self.fail(index, FailureKind::Timeout, now),
                State::Opening if is_late || is_old || given_up => {
                    self.connect_failed(index, ErrorKind::TimedOut, now);
                }
                State::Handshaking if is_late || is_old || given_up => {
                    self.handshake_failed(index, "it was not over within the timeout".into(), now);
                }
                State::Closing if is_old => self.unclosed(index, now),
                State::Down if !self.plan.opens_on_arrival() || !self.again.is_empty() => {
                    self.reconnect(index, now);
                }
                _ => {}
            }
        }
        if !PLAIN {
            self.tick_streams(now, given_up);
        }
    }

    fn stop(&mut self, now: Instant) {
        match &mut self.schedule {
            Some(Schedule::Closed(budget)) => budget.stop(),
            Some(Schedule::Open(arrivals)) => self.tally.errors.unsent += arrivals.stop(now),
            None => return,
        }
        self.tally.stopped = Some(now);
        self.give_up_at = Some(now + INTERRUPT_GRACE);
    }

    /// Whether no request, no answer and no close by the server is left to wait for.
    fn is_over(&self, now: Instant) -> bool {
        let is_closing = |connection: &Connection| connection.state == State::Closing;
        let waits = || self.give_up_at.is_none() && self.connections.iter().any(is_closing);
        self.outstanding == 0 && !self.sends_more(now) && !waits()
    }

    /// Whether there is more to send. False before the start.
    fn sends_more(&self, now: Instant) -> bool {
        match &self.schedule {
            Some(Schedule::Closed(budget)) => !budget.is_over(now) || !self.again.is_empty(),
            Some(Schedule::Open(arrivals)) => !arrivals.is_over() || !self.again.is_empty(),
            None => false,
        }
    }
}
