//! The deadlines of a worker's connections. All are checked at intervals, so that no wait needs its
//! own timer or has to read the clock.

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

/// The time between two checks of all connections and of the server's stage. A deadline may be
/// noticed up to twice this time late, since the time of a wait begins at the first check.
const INTERVAL: Duration = Duration::from_millis(100);

/// Ticks once per [`INTERVAL`].
pub(crate) struct Ticker(PollFd<TimerFd>);

/// The deadlines of all connections of a worker.
#[derive(Default)]
pub(crate) struct Deadlines(RefCell<Vec<Weak<Deadline>>>);

/// The deadline of one connection. It is forgotten when the connection drops it.
pub(crate) struct Deadline {
    waiting: Cell<WaitingFor>,
    /// `None` for a wait that was not checked yet.
    time: Cell<Option<Instant>>,
    is_due: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Ticker {
    /// Starts the timer. Fails when there is no descriptor for it.
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
        // If the ring cannot wait for the timer, the thread blocks in the read.
        let _ = self.0.read_ready().await;
        let _ = self.0.wait();
    }
}

impl Deadlines {
    /// Adds a deadline for a connection, which waits for a request.
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

    /// Wakes the connections whose deadline has passed. In a server that is ending, the time for a
    /// request is at most the grace of the drain.
    pub(crate) fn check(&self, timeouts: &Timeouts, is_ending: bool) {
        let now = Instant::now();
        self.0.borrow_mut().retain(|deadline| {
            deadline.upgrade().inspect(|deadline| deadline.check(now, timeouts, is_ending)).is_some()
        });
    }
}

impl Deadline {
    /// Begins a wait. A repeated wait for a head continues: its time runs from the first byte.
    pub(crate) fn begin(&self, waiting: WaitingFor) {
        if waiting == WaitingFor::Head && self.waiting.get() == WaitingFor::Head {
            return;
        }
        self.waiting.set(waiting);
        self.time.set(None);
        self.is_due.set(false);
    }

    /// Returns the output of `future`, or `None` when the deadline of the wait passes first.
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
