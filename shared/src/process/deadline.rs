//! One thread wakes all connections whose deadline has passed, so that no wait needs a timer.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::lifecycle::Lifecycle;

/// How late a passed deadline is noticed, at most.
const INTERVAL: Duration = Duration::from_millis(100);

/// Wakes a connection, from any thread.
pub trait Wake: Send + Sync + 'static {
    /// Makes the connection continue. It may find that there is nothing to do.
    fn wake(&self);
}

/// The thread that wakes connections at their deadlines, as those see it.
pub struct DeadlineThread<W> {
    began: Instant,
    calls: Mutex<Calls<W>>,
    called: Condvar,
}

/// What connections ask of the thread.
struct Calls<W> {
    added: Vec<Weak<Deadline<W>>>,
    yielding: Vec<Arc<Deadline<W>>>,
    wake_all: bool,
}

/// The deadline of one connection. The thread forgets it when the connection drops it.
pub struct Deadline<W> {
    waker: W,
    /// In milliseconds after the thread began.
    time: AtomicU64,
}

impl<W: Wake> DeadlineThread<W> {
    /// Starts the thread. It also wakes all connections at each new stage of the server. Fails when
    /// no thread can be started.
    pub fn start(lifecycle: &Lifecycle) -> anyhow::Result<Arc<Self>> {
        let this = Arc::new(Self { began: Instant::now(), calls: Mutex::default(), called: Condvar::new() });
        let running = Arc::clone(&this);
        let builder = std::thread::Builder::new().name("deadlines".into());
        builder.spawn(move || running.run()).context("cannot start the thread for deadlines")?;
        let woken = Arc::clone(&this);
        lifecycle.on_change(move || woken.wake_all());
        Ok(this)
    }

    /// A deadline for a connection, not yet set. It is woken at each new stage already; a stage that
    /// was read before this call may have passed unnoticed.
    pub fn add(&self, waker: W) -> Arc<Deadline<W>> {
        let deadline = Arc::new(Deadline { waker, time: AtomicU64::new(u64::MAX) });
        self.lock().added.push(Arc::downgrade(&deadline));
        deadline
    }

    /// Sets when the connection is woken. `None`: not by time.
    pub fn set(&self, deadline: &Deadline<W>, time: Option<Instant>) {
        let time = time.map_or(u64::MAX, |time| self.milliseconds(time));
        deadline.time.store(time, Ordering::Relaxed);
    }

    /// Wakes a connection that has more to do, once other connections have had their turn.
    pub fn wake_soon(&self, deadline: &Arc<Deadline<W>>) {
        self.lock().yielding.push(Arc::clone(deadline));
        self.called.notify_one();
    }

    fn wake_all(&self) {
        self.lock().wake_all = true;
        self.called.notify_one();
    }

    fn run(&self) {
        let mut deadlines = Vec::new();
        let mut next = Instant::now() + INTERVAL;
        loop {
            let calls = self.wait(next);
            deadlines.extend(calls.added);
            for deadline in calls.yielding {
                deadline.waker.wake();
            }
            let now = Instant::now();
            if now >= next || calls.wake_all {
                next = now + INTERVAL;
                let due = if calls.wake_all { u64::MAX } else { self.milliseconds(now) };
                deadlines.retain(|deadline: &Weak<Deadline<W>>| {
                    deadline.upgrade().inspect(|deadline| deadline.wake_if_due(due)).is_some()
                });
            }
        }
    }

    /// Waits until `next`, or for a call that cannot wait as long.
    fn wait(&self, next: Instant) -> Calls<W> {
        let bound = next.saturating_duration_since(Instant::now());
        let is_quiet = |calls: &mut Calls<W>| calls.yielding.is_empty() && !calls.wake_all;
        let waited = self.called.wait_timeout_while(self.lock(), bound, is_quiet);
        let (mut calls, _) = waited.unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *calls)
    }

    fn milliseconds(&self, time: Instant) -> u64 {
        u64::try_from(time.saturating_duration_since(self.began).as_millis()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Calls<W>> {
        // Poisoning is ignored: each change to the lists is one call.
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W> Default for Calls<W> {
    fn default() -> Self {
        Self { added: Vec::new(), yielding: Vec::new(), wake_all: false }
    }
}

impl<W> Deadline<W> {
    /// What wakes the connection.
    pub fn waker(&self) -> &W {
        &self.waker
    }
}

impl<W: Wake> Deadline<W> {
    fn wake_if_due(&self, milliseconds: u64) {
        if self.time.load(Ordering::Relaxed) <= milliseconds {
            self.waker.wake();
        }
    }
}
