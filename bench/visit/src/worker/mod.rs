//! One thread: its share of the connections, and the loop that serves them.

mod answers;
mod life;

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use mio::event::Event;
use mio::{Events, Poll, Token};

use super::check::Checker;
use super::connection::{Connection, State};
use super::gate::Gate;
use super::plan::{Mode, Plan};
use super::schedule::{Arrivals, Quota, Schedule, Share};
use super::tally::{Loss, Tally, cpu_time};
use super::timer::Timer;

/// How often timeouts, lost connections and interruptions are looked for. So late a timeout may be.
const TICK: Duration = Duration::from_millis(50);

/// Time for last answers once somebody has interrupted.
const PATIENCE: Duration = Duration::from_secs(1);

/// Time for bytes that nobody asked for to arrive behind the last answers.
const LAST_LOOK: Duration = Duration::from_millis(20);

/// Bytes that are read at once; answers are far shorter, and a whole pipelined batch of them fits.
const SCRATCH_BYTES: usize = 64 * 1024;

/// Events that are taken from the kernel at once.
const EVENTS: usize = 1024;

/// What stands for the timer among the connections' numbers.
const TIMER: Token = Token(usize::MAX);

/// One thread's share of the load.
pub(super) struct Worker<'a> {
    plan: &'a Plan,
    share: Share,
    interrupted: &'a AtomicBool,
    poll: Poll,
    timer: Timer,
    connections: Vec<Connection>,
    /// Open loop: connections without a request, those that have waited longest first. One that has ended since may still
    /// stand in it.
    free: VecDeque<usize>,
    /// `None` until the clock has started.
    schedule: Option<Schedule>,
    checker: Checker<'a>,
    tally: Tally,
    scratch: Box<[u8]>,
    /// The number of the next request, which says what it asks for.
    next: usize,
    /// Connections with a batch.
    outstanding: usize,
    /// Until when arrivals had to wait for a free connection.
    starved_until: Option<Instant>,
    is_measuring: bool,
    /// When no more answers are waited for, after an interruption.
    cut_at: Option<Instant>,
}

impl<'a> Worker<'a> {
    pub(super) fn new(plan: &'a Plan, share: Share, interrupted: &'a AtomicBool) -> anyhow::Result<Self> {
        let poll = Poll::new().context("cannot make a poll")?;
        let timer = Timer::new(poll.registry(), TIMER)?;
        let now = Instant::now();
        let connections = share.of(plan.connections.into());
        Ok(Self {
            plan,
            share,
            interrupted,
            poll,
            timer,
            connections: (0..connections).map(|_| Connection::new(now)).collect(),
            free: VecDeque::new(),
            schedule: None,
            checker: Checker::new(&plan.script),
            tally: Tally::new()?,
            scratch: vec![0; SCRATCH_BYTES].into_boxed_slice(),
            next: 0,
            outstanding: 0,
            starved_until: None,
            is_measuring: false,
            cut_at: None,
        })
    }

    /// Opens the connections, waits for the other threads, and sends and receives until the end.
    pub(super) fn run(mut self, gate: &Gate) -> anyhow::Result<Tally> {
        let mut events = Events::with_capacity(EVENTS);
        let opened = self.open_all(&mut events);
        // Also after an error: the other threads wait there.
        let begin = gate.pass();
        opened?;
        self.start(begin);
        self.load(&mut events, begin + self.plan.warm_up)?;
        self.look_for_more();
        Ok(self.tally)
    }

    /// Tries once to open each connection that is kept.
    fn open_all(&mut self, events: &mut Events) -> anyhow::Result<()> {
        if self.plan.mode == Mode::Close {
            return Ok(());
        }
        for index in 0..self.connections.len() {
            self.connect(index, Instant::now());
        }
        let is_opening = |connection: &Connection| connection.state == State::Opening;
        while self.connections.iter().any(is_opening) && !self.interrupted.load(Ordering::Relaxed) {
            self.wait(events, TICK)?;
            events.iter().for_each(|event| self.handle(event));
            self.tick(Instant::now());
        }
        self.tally.opened = self.connections.iter().filter(|open| open.state == State::Free).count() as u64;
        Ok(())
    }

    /// Starts the clock at `begin`.
    fn start(&mut self, begin: Instant) {
        let Plan { amount, warm_up, .. } = *self.plan;
        self.schedule = Some(match self.plan.rate {
            None => Schedule::Closed(Quota::new(amount, begin + warm_up, self.share)),
            Some(rate) => Schedule::Open(Arrivals::new(amount, rate, begin, warm_up, self.share)),
        });
        self.is_measuring = warm_up.is_zero();
        for index in 0..self.connections.len() {
            let now = Instant::now();
            match self.connections[index].state {
                State::Free => self.free(index, now),
                _ => self.ended(index, now, true),
            }
        }
    }

    fn load(&mut self, events: &mut Events, start: Instant) -> anyhow::Result<()> {
        let mut cpu_before = None;
        let mut next_tick = Instant::now() + TICK;
        loop {
            let now = Instant::now();
            if cpu_before.is_none() && now >= start {
                cpu_before = Some(cpu_time()?);
                self.is_measuring = true;
            }
            if now >= next_tick {
                self.tick(now);
                next_tick = now + TICK;
            }
            self.issue()?;
            if self.is_over(now) {
                break;
            }
            self.wait(events, next_tick - now)?;
            events.iter().for_each(|event| self.handle(event));
        }
        if let Some(before) = cpu_before {
            self.tally.cpu = cpu_time()?.saturating_sub(before);
        }
        Ok(())
    }

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
            State::Free | State::Busy | State::Closing => {
                if event.is_writable() && connection.state == State::Busy {
                    self.send(index);
                }
                if readable {
                    self.receive(index, ends);
                }
            }
        }
    }

    /// Open loop: sends what is due while a connection is free, and has the timer wake for what is due next.
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
        }
    }

    fn next_free(&mut self) -> Option<usize> {
        let expected = if self.plan.mode == Mode::Close { State::Down } else { State::Free };
        loop {
            let index = self.free.pop_front()?;
            if self.connections[index].state == expected {
                return Some(index);
            }
        }
    }

    /// Looks after what no event tells of.
    fn tick(&mut self, now: Instant) {
        if self.cut_at.is_none() && self.interrupted.load(Ordering::Relaxed) {
            self.stop(now);
        }
        let is_cut = self.cut_at.is_some_and(|at| now >= at);
        let timeout = self.plan.timeout;
        for index in 0..self.connections.len() {
            let Connection { state, since, batch, .. } = &self.connections[index];
            let has_batch = batch.count > 0;
            let is_late = has_batch && now.saturating_duration_since(batch.start) >= timeout;
            let is_old = now.saturating_duration_since(*since) >= timeout;
            match state {
                State::Busy if is_cut => self.lost(index, Loss::CutOff, now),
                State::Busy if is_late => self.lost(index, Loss::Timeout, now),
                State::Opening if is_late || is_old || is_cut => {
                    self.unconnected(index, ErrorKind::TimedOut, now);
                }
                State::Closing if is_old => self.unclosed(index, now),
                State::Down if self.plan.mode == Mode::KeepAlive || self.plan.rate.is_none() => {
                    self.reconnect(index, now);
                }
                _ => {}
            }
        }
    }

    /// Sends no more.
    fn stop(&mut self, now: Instant) {
        match &mut self.schedule {
            Some(Schedule::Closed(quota)) => quota.stop(),
            Some(Schedule::Open(arrivals)) => self.tally.errors.unsent += arrivals.stop(now),
            None => return,
        }
        self.tally.stopped = Some(now);
        self.cut_at = Some(now + PATIENCE);
    }

    /// Whether there is nothing more to wait for: answers, and the ends of connections that the server has to end.
    fn is_over(&self, now: Instant) -> bool {
        let is_closing = |connection: &Connection| connection.state == State::Closing;
        let waits = || self.cut_at.is_none() && self.connections.iter().any(is_closing);
        self.outstanding == 0 && !self.sends_more(now) && !waits()
    }

    fn sends_more(&self, now: Instant) -> bool {
        match &self.schedule {
            Some(Schedule::Closed(quota)) => !quota.is_over(now),
            Some(Schedule::Open(arrivals)) => !arrivals.is_over(),
            None => false,
        }
    }
}
