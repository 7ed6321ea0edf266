//! Keeps time for a worker's connections: it looks at all of them now and then, so that no wait needs a timer of its own, nor
//! has to read the clock.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use compio::runtime::fd::PollFd;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use shared::http::Timeouts;
use shared::http::limits::{DRAIN_GRACE, LINGER_TIME};

/// How often all connections are looked at, in which the stage of the server is noticed too. A deadline is noticed late by up to
/// twice this time, as a wait's time begins when it is first seen.
const LOOK_AFTER: Duration = Duration::from_millis(100);

/// What a connection waits for, which says how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// The first bytes of a request.
    Request,
    /// The rest of a head.
    Head,
    /// A piece of a body.
    Body,
    /// A client that takes an answer.
    Write,
    /// A client that takes note of the last answer.
    Linger,
}

/// Ticks whenever it is time to look.
pub(crate) struct Clock(PollFd<TimerFd>);

/// All connections of a worker.
#[derive(Default)]
pub(crate) struct DeadlineThread {
    watches: RefCell<Vec<Weak<Deadline>>>,
}

/// A connection, as the keeper knows it. It is forgotten when the connection drops it.
pub(crate) struct Deadline {
    wait: Cell<Wait>,
    /// None for a wait that the keeper has not seen yet.
    deadline: Cell<Option<Instant>>,
    is_due: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Clock {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let start = || {
            let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_CLOEXEC)?;
            timer.set(Expiration::Interval(LOOK_AFTER.into()), TimerSetTimeFlags::empty())?;
            PollFd::new(timer)
        };
        start().map(Self).context("cannot start a timer")
    }

    /// Waits until it is time.
    pub(crate) async fn tick(&self) {
        // If the ring could not wait for it, the thread would, in the read.
        let _ = self.0.read_ready().await;
        let _ = self.0.wait();
    }
}

impl DeadlineThread {
    /// Has a connection be watched.
    pub(crate) fn watch(&self) -> Rc<Deadline> {
        let watch = Rc::new(Deadline {
            wait: Cell::new(Wait::Request),
            deadline: Cell::default(),
            is_due: Cell::default(),
            waker: RefCell::default(),
        });
        self.watches.borrow_mut().push(Rc::downgrade(&watch));
        watch
    }

    /// Wakes the connections whose time has passed. In a server that is ending, requests are waited for a moment only.
    pub(crate) fn look(&self, times: &Timeouts, is_ending: bool) {
        let now = Instant::now();
        self.watches
            .borrow_mut()
            .retain(|watch| watch.upgrade().inspect(|watch| watch.look(now, times, is_ending)).is_some());
    }
}

impl Deadline {
    /// Begins a wait. A head's time goes on when it is waited for again: it runs from the first byte, whatever comes after that.
    pub(crate) fn begin(&self, wait: Wait) {
        if wait == Wait::Head && self.wait.get() == Wait::Head {
            return;
        }
        self.wait.set(wait);
        self.deadline.set(None);
        self.is_due.set(false);
    }

    /// What comes of `future`; `None` when the time of the wait has passed before that.
    pub(crate) async fn wait<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if self.is_due.get() => Poll::Ready(None),
            Poll::Pending => {
                self.be_woken(context);
                Poll::Pending
            }
        })
        .await
    }

    fn be_woken(&self, context: &Context) {
        let mut waker = self.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            *waker = Some(context.waker().clone());
        }
    }

    fn look(&self, now: Instant, times: &Timeouts, is_ending: bool) {
        let wait = self.wait.get();
        let mut deadline = self.deadline.get().unwrap_or_else(|| now + wait.time(times));
        if is_ending && wait == Wait::Request {
            deadline = deadline.min(now + DRAIN_GRACE);
        }
        self.deadline.set(Some(deadline));
        if now >= deadline
            && !self.is_due.replace(true)
            && let Some(waker) = self.waker.borrow().as_ref()
        {
            waker.wake_by_ref();
        }
    }
}

impl Wait {
    fn time(self, times: &Timeouts) -> Duration {
        match self {
            Self::Request | Self::Body => times.idle,
            Self::Head => times.head,
            Self::Write => times.write,
            Self::Linger => LINGER_TIME,
        }
    }
}
