//! Keeps time for all connections of an event loop or of coroutines: one thread wakes those whose time has come, so that no wait
//! needs a timer of its own.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use anyhow::Context;

/// How late a deadline is noticed.
const LOOK_AFTER: Duration = Duration::from_millis(100);

/// A way to have a connection go on, from any thread.
pub trait Wake: Send + Sync + 'static {
    /// Has it go on. It may find that there is nothing to do.
    fn wake(&self);
}

/// The thread that keeps time, from outside.
pub struct DeadlineThread<W> {
    began: Instant,
    calls: Mutex<Calls<W>>,
    called: Condvar,
}

/// What connections want of the keeper.
struct Calls<W> {
    arrivals: Vec<Weak<Deadline<W>>>,
    yielding: Vec<Arc<Deadline<W>>>,
    everybody: bool,
}

/// A connection, as the keeper knows it. It is forgotten when the connection drops it.
pub struct Deadline<W> {
    waker: W,
    /// Milliseconds after the keeper began.
    deadline: AtomicU64,
}

impl<W: Wake> DeadlineThread<W> {
    /// Starts the thread.
    pub fn start() -> anyhow::Result<Arc<Self>> {
        let keeper =
            Arc::new(Self { began: Instant::now(), calls: Mutex::default(), called: Condvar::new() });
        let watching = Arc::clone(&keeper);
        let builder = std::thread::Builder::new().name("keeper".into());
        builder.spawn(move || watching.keep()).context("cannot start the thread that keeps time")?;
        Ok(keeper)
    }

    /// Has a connection be woken at its deadlines.
    pub fn watch(&self, waker: W) -> Arc<Deadline<W>> {
        let watch = Arc::new(Deadline { waker, deadline: AtomicU64::new(u64::MAX) });
        self.lock().arrivals.push(Arc::downgrade(&watch));
        watch
    }

    /// Has it be woken by then, or some moments later.
    pub fn set_deadline(&self, watch: &Deadline<W>, deadline: Option<Instant>) {
        watch
            .deadline
            .store(deadline.map_or(u64::MAX, |deadline| self.milliseconds(deadline)), Ordering::Relaxed);
    }

    /// Has a connection that has more to do be woken at once, after others have had their turn.
    pub fn wake_soon(&self, watch: &Arc<Deadline<W>>) {
        self.lock().yielding.push(Arc::clone(watch));
        self.called.notify_one();
    }

    /// Wakes all connections, since the server ends.
    pub fn wake_everybody(&self) {
        self.lock().everybody = true;
        self.called.notify_one();
    }

    fn keep(&self) {
        let mut watches = Vec::new();
        let mut look = Instant::now() + LOOK_AFTER;
        loop {
            let calls = self.wait(look);
            watches.extend(calls.arrivals);
            for watch in calls.yielding {
                watch.waker.wake();
            }
            let now = Instant::now();
            if now >= look || calls.everybody {
                look = now + LOOK_AFTER;
                let due = if calls.everybody { u64::MAX } else { self.milliseconds(now) };
                watches.retain(|watch: &Weak<Deadline<W>>| {
                    watch.upgrade().inspect(|watch| watch.wake_if_due(due)).is_some()
                });
            }
        }
    }

    /// Waits until `look`, or until somebody calls.
    fn wait(&self, look: Instant) -> Calls<W> {
        let bound = look.saturating_duration_since(Instant::now());
        let quiet = |calls: &mut Calls<W>| calls.yielding.is_empty() && !calls.everybody;
        let waited = self.called.wait_timeout_while(self.lock(), bound, quiet);
        let (mut calls, _) = waited.unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *calls)
    }

    fn milliseconds(&self, time: Instant) -> u64 {
        u64::try_from(time.saturating_duration_since(self.began).as_millis()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Calls<W>> {
        // The lists are whole after a panic too: each change to them is one call.
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W> Default for Calls<W> {
    fn default() -> Self {
        Self { arrivals: Vec::new(), yielding: Vec::new(), everybody: false }
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
        if self.deadline.load(Ordering::Relaxed) <= milliseconds {
            self.waker.wake();
        }
    }
}
