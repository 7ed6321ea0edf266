//! The deadlines of a worker's connections. All are checked now and then, so that no wait needs a
//! timer of its own, nor has to read the clock.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use compio::runtime::fd::PollFd;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use shared::http::limits::DRAIN_GRACE;
use shared::http::{Timeouts, WaitingFor};

/// How often all connections are checked, and the server's stage is read. A deadline is noticed
/// late by up to twice this time, as a wait's time begins at the first check.
const INTERVAL: Duration = Duration::from_millis(100);

/// Ticks once per [`INTERVAL`].
pub(crate) struct Ticker(PollFd<TimerFd>);

/// The deadlines of all connections of a worker.
#[derive(Default)]
pub(crate) struct Deadlines(RefCell<Vec<Weak<Deadline>>>);

/// The deadline of one connection. It is forgotten when the connection drops it.
pub(crate) struct Deadline {
    waiting: Cell<WaitingFor>,
    /// None for a wait that was not checked yet.
    time: Cell<Option<Instant>>,
    is_due: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Ticker {
    /// Fails when there is no descriptor for a timer.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let start = || {
            let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_CLOEXEC)?;
            timer.set(Expiration::Interval(INTERVAL.into()), TimerSetTimeFlags::empty())?;
            PollFd::new(timer)
        };
        start().map(Self).context("cannot start a timer")
    }

    /// Waits for the next tick.
    pub(crate) async fn tick(&self) {
        // Where the ring cannot wait for the timer, the thread blocks in the read.
        let _ = self.0.read_ready().await;
        let _ = self.0.wait();
    }
}

impl Deadlines {
    /// A deadline for a connection, which waits for a request.
    pub(crate) fn add(&self) -> Rc<Deadline> {
        let deadline = Rc::new(Deadline {
            waiting: Cell::new(WaitingFor::Request),
            time: Cell::default(),
            is_due: Cell::default(),
            waker: RefCell::default(),
        });
        self.0.borrow_mut().push(Rc::downgrade(&deadline));
        deadline
    }

    /// Wakes the connections whose deadline has passed. In a server that is ending, a request has
    /// no longer than the grace of the drain.
    pub(crate) fn check(&self, timeouts: &Timeouts, is_ending: bool) {
        let now = Instant::now();
        self.0.borrow_mut().retain(|deadline| {
            deadline.upgrade().inspect(|deadline| deadline.check(now, timeouts, is_ending)).is_some()
        });
    }
}

impl Deadline {
    /// Begins a wait. That for more of a head is the same wait: its time runs from the first byte.
    pub(crate) fn begin(&self, waiting: WaitingFor) {
        if waiting == WaitingFor::Head && self.waiting.get() == WaitingFor::Head {
            return;
        }
        self.waiting.set(waiting);
        self.time.set(None);
        self.is_due.set(false);
    }

    /// The output of `future`; `None` when the time of the wait passes before that.
    pub(crate) async fn limit<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if self.is_due.get() => Poll::Ready(None),
            Poll::Pending => {
                self.register(context);
                Poll::Pending
            }
        })
        .await
    }

    fn register(&self, context: &Context) {
        let mut waker = self.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            *waker = Some(context.waker().clone());
        }
    }

    fn check(&self, now: Instant, timeouts: &Timeouts, is_ending: bool) {
        let waiting = self.waiting.get();
        let mut time = self.time.get().unwrap_or_else(|| now + timeouts.limit(waiting));
        if is_ending && waiting == WaitingFor::Request {
            time = time.min(now + DRAIN_GRACE);
        }
        self.time.set(Some(time));
        if now >= time
            && !self.is_due.replace(true)
            && let Some(waker) = self.waker.borrow().as_ref()
        {
            waker.wake_by_ref();
        }
    }
}
