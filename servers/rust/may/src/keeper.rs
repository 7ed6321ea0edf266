//! Keeps time for all connections: one thread wakes those whose time has come, so that no wait needs a timer of its own.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use anyhow::Context;
use may::io::WaitIoWaker;

/// How late a deadline is noticed.
const LOOK_AFTER: Duration = Duration::from_millis(100);

/// The thread that keeps time, from outside.
pub(crate) struct Keeper {
    began: Instant,
    calls: Mutex<Calls>,
    called: Condvar,
}

/// What connections want of the keeper.
#[derive(Default)]
struct Calls {
    arrivals: Vec<Weak<Watch>>,
    giving_way: Vec<Arc<Watch>>,
    everybody: bool,
}

/// A connection, as the keeper knows it. It is forgotten when the connection drops it.
pub(crate) struct Watch {
    waker: WaitIoWaker,
    /// Milliseconds after the keeper began.
    deadline: AtomicU64,
}

impl Keeper {
    /// Starts the thread.
    pub(crate) fn start() -> anyhow::Result<Arc<Self>> {
        let keeper =
            Arc::new(Self { began: Instant::now(), calls: Mutex::default(), called: Condvar::new() });
        let watching = Arc::clone(&keeper);
        let builder = std::thread::Builder::new().name("keeper".into());
        builder.spawn(move || watching.keep()).context("cannot start the thread that keeps time")?;
        Ok(keeper)
    }

    /// Has a connection be woken at its deadlines.
    pub(crate) fn watch(&self, waker: WaitIoWaker) -> Arc<Watch> {
        let watch = Arc::new(Watch { waker, deadline: AtomicU64::new(u64::MAX) });
        self.lock().arrivals.push(Arc::downgrade(&watch));
        watch
    }

    /// Has it be woken by then.
    pub(crate) fn set_deadline(&self, watch: &Watch, deadline: Option<Instant>) {
        watch
            .deadline
            .store(deadline.map_or(u64::MAX, |deadline| self.milliseconds(deadline)), Ordering::Relaxed);
    }

    /// Has a connection that has more to do be woken after others have had their turn. may's own way to yield comes back
    /// before the events of other connections are looked at.
    pub(crate) fn wake_soon(&self, watch: &Arc<Watch>) {
        self.lock().giving_way.push(Arc::clone(watch));
        self.called.notify_one();
    }

    /// Wakes all connections, since the server ends.
    pub(crate) fn wake_everybody(&self) {
        self.lock().everybody = true;
        self.called.notify_one();
    }

    fn keep(&self) {
        let mut watches = Vec::new();
        let mut look = Instant::now() + LOOK_AFTER;
        loop {
            let calls = self.wait(look);
            watches.extend(calls.arrivals);
            for watch in calls.giving_way {
                watch.waker.wakeup();
            }
            let now = Instant::now();
            if now >= look || calls.everybody {
                look = now + LOOK_AFTER;
                let due = if calls.everybody { u64::MAX } else { self.milliseconds(now) };
                watches.retain(|watch: &Weak<Watch>| {
                    watch.upgrade().inspect(|watch| watch.wake_if_due(due)).is_some()
                });
            }
        }
    }

    /// Waits until `look`, or until somebody calls.
    fn wait(&self, look: Instant) -> Calls {
        let bound = look.saturating_duration_since(Instant::now());
        let quiet = |calls: &mut Calls| calls.giving_way.is_empty() && !calls.everybody;
        let waited = self.called.wait_timeout_while(self.lock(), bound, quiet);
        let (mut calls, _) = waited.unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *calls)
    }

    fn milliseconds(&self, time: Instant) -> u64 {
        u64::try_from(time.saturating_duration_since(self.began).as_millis()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Calls> {
        // The lists are whole after a panic too: each change to them is one call.
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    fn wake_if_due(&self, milliseconds: u64) {
        if self.deadline.load(Ordering::Relaxed) <= milliseconds {
            self.waker.wakeup();
        }
    }
}
