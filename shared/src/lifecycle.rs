//! The lifecycle of a server: its stage, the connections that it may have open, and its drain.
//!
//! Every server has one [`Lifecycle`], which all its threads and tasks share. It is the same for
//! blocking threads, event loops, coroutines and tasks, since it knows no runtime: a thread waits
//! for it by parking, a task by its [`Waker`], and an event loop is told by a callback.
//!
//! ```text
//!           SIGTERM               grace (0.5 s)                 limit (10 s)
//! Serving ──────────▶ Draining ────────────────▶ Ending ────────────────────────▶ Over
//! accepts             accepts                    accepts only what the            cuts what is
//!                     answers close              kernel has already accepted,     still open
//!                     their connections          and closes idle connections
//! ```
//!
//! A server ends as soon as its last connection is closed in `Ending`, and at the latest in `Over`.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// The stage of a server between its start and its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Stage {
    /// The server accepts connections and keeps them open.
    Serving,
    /// Each answer closes its connection; connections are still accepted, so that clients which
    /// are connecting get an answer and not a reset.
    Draining,
    /// Idle connections are closed; only those that the kernel has already accepted are accepted.
    Ending,
    /// Connections that are still open are cut.
    Over,
}

/// A server's stage and its open connections.
pub struct Lifecycle {
    stage: AtomicU8,
    max_connections: usize,
    /// Open connections, and [`AWAITED`] in the same atomic, so that a close costs one instruction.
    open: AtomicUsize,
    /// Woken when a connection closes, and at each new stage.
    close_waiters: Mutex<Vec<Waker>>,
    /// Woken at each new stage.
    stage_waiters: Mutex<Vec<Waker>>,
    /// Called at each new stage.
    listeners: Mutex<Vec<Listener>>,
}

type Listener = Box<dyn Fn() + Send>;

/// The bit of [`Lifecycle::open`] that is set when [`Lifecycle::close_waiters`] may not be empty.
const AWAITED: usize = 1 << (usize::BITS - 1);

/// A permit for one open connection, which is returned when the permit is dropped.
pub struct ConnectionPermit(Arc<Lifecycle>);

impl Lifecycle {
    /// Creates the lifecycle of a server with at most `max_connections` open connections.
    pub fn new(max_connections: usize) -> Arc<Self> {
        Arc::new(Self {
            stage: AtomicU8::new(Stage::Serving as u8),
            max_connections,
            open: AtomicUsize::new(0),
            close_waiters: Mutex::default(),
            stage_waiters: Mutex::default(),
            listeners: Mutex::default(),
        })
    }

    /// The present stage.
    pub fn stage(&self) -> Stage {
        match self.stage.load(Ordering::Relaxed) {
            0 => Stage::Serving,
            1 => Stage::Draining,
            2 => Stage::Ending,
            _ => Stage::Over,
        }
    }

    /// Whether each answer closes its connection.
    pub fn is_draining(&self) -> bool {
        self.stage() >= Stage::Draining
    }

    /// Whether connections that wait for a request are closed.
    pub fn is_ending(&self) -> bool {
        self.stage() >= Stage::Ending
    }

    /// Calls `listener` at each new stage, once it is visible, on the thread that begins it.
    pub fn on_change(&self, listener: impl Fn() + Send + 'static) {
        lock(&self.listeners).push(Box::new(listener));
    }

    /// Begins a stage, and wakes everything that waits.
    pub fn begin(&self, stage: Stage) {
        self.stage.store(stage as u8, Ordering::Relaxed);
        let waiters = std::mem::take(&mut *lock(&self.stage_waiters));
        waiters.into_iter().for_each(Waker::wake);
        self.wake_close_waiters();
        lock(&self.listeners).iter().for_each(|listener| listener());
    }

    /// Ends the server: goes through its stages, and blocks until the last of them has begun,
    /// `limit` after the call. Connections are accepted for `grace`.
    pub fn drain(&self, grace: Duration, limit: Duration) {
        let deadline = Instant::now() + limit;
        self.begin(Stage::Draining);
        thread::sleep(grace.min(limit));
        self.begin(Stage::Ending);
        thread::sleep(deadline.saturating_duration_since(Instant::now()));
        self.begin(Stage::Over);
    }

    /// The number of open connections.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed) & !AWAITED
    }

    /// Returns a permit for one more connection, or `None` while the maximum is open.
    pub fn permit(self: &Arc<Self>) -> Option<ConnectionPermit> {
        let one_more = |open: usize| (open & !AWAITED < self.max_connections).then_some(open + 1);
        self.open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        Some(ConnectionPermit(Arc::clone(self)))
    }

    /// Returns a permit over the maximum, for a connection that the kernel has already accepted.
    pub fn extra_permit(self: &Arc<Self>) -> ConnectionPermit {
        self.open.fetch_add(1, Ordering::Relaxed);
        ConnectionPermit(Arc::clone(self))
    }

    /// Whether another connection may be opened.
    pub fn has_permit(&self) -> bool {
        self.open() < self.max_connections
    }

    /// Whether no connection is open, or the server is over.
    pub fn has_ended(&self) -> bool {
        self.open() == 0 || self.stage() == Stage::Over
    }

    /// Waits in a task until `stage` or a later stage has begun.
    pub async fn reached(&self, stage: Stage) {
        poll_fn(|context| {
            let mut waiters = lock(&self.stage_waiters);
            // The stage is read under the lock, so that a stage that begins later finds the waker.
            if self.stage() >= stage {
                return Poll::Ready(());
            }
            register(&mut waiters, context);
            Poll::Pending
        })
        .await;
    }

    /// Waits in a task until `condition` holds, evaluated at each close and at each new stage.
    pub async fn until(&self, condition: impl Fn() -> bool) {
        poll_fn(|context| self.poll_until(context, &condition)).await;
    }

    /// Blocks this thread until `condition`, evaluated at each close and stage, holds, or for
    /// `limit`.
    pub fn wait_until(&self, limit: Duration, condition: impl Fn() -> bool) {
        if condition() {
            return;
        }
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        let mut left = limit;
        while self.poll_until(&mut context, &condition).is_pending() {
            if left.is_zero() {
                return lock(&self.close_waiters).retain(|other| !other.will_wake(&waker));
            }
            let began = Instant::now();
            thread::park_timeout(left);
            left = left.saturating_sub(began.elapsed());
        }
    }

    /// Ready once `condition` holds. Until then, the next close or new stage calls the waker.
    fn poll_until(&self, context: &mut Context, condition: impl Fn() -> bool) -> Poll<()> {
        if condition() {
            return Poll::Ready(());
        }
        let mut waiters = lock(&self.close_waiters);
        register(&mut waiters, context);
        // A close from here on finds the waker; the condition sees an earlier close.
        self.open.fetch_or(AWAITED, Ordering::Relaxed);
        if condition() { Poll::Ready(()) } else { Poll::Pending }
    }

    #[cold]
    fn wake_close_waiters(&self) {
        let mut waiters = lock(&self.close_waiters);
        self.open.fetch_and(!AWAITED, Ordering::Relaxed);
        let woken = std::mem::take(&mut *waiters);
        drop(waiters);
        woken.into_iter().for_each(Waker::wake);
    }
}

impl ConnectionPermit {
    /// The lifecycle of the server that the connection belongs to.
    pub fn lifecycle(&self) -> &Arc<Lifecycle> {
        &self.0
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        if self.0.open.fetch_sub(1, Ordering::Relaxed) & AWAITED != 0 {
            self.0.wake_close_waiters();
        }
    }
}

/// Wakes a thread that has parked.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn register(waiters: &mut Vec<Waker>, context: &Context) {
    if !waiters.iter().any(|waiter| waiter.will_wake(context.waker())) {
        waiters.push(context.waker().clone());
    }
}

/// Poisoning is ignored: no critical section of this crate leaves a value inconsistent.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wait takes this long only when it is never woken.
    const BOUND: Duration = Duration::from_secs(60);

    #[test]
    fn a_permit_is_free_again_once_it_is_dropped() {
        let lifecycle = Lifecycle::new(2);
        let (first, second) = (lifecycle.permit(), lifecycle.permit());
        assert!(first.is_some() && second.is_some() && lifecycle.permit().is_none());
        drop(first);
        let third = lifecycle.permit();
        assert!(third.is_some() && lifecycle.permit().is_none());
    }

    #[test]
    fn extra_permits_exceed_the_maximum() {
        let lifecycle = Lifecycle::new(1);
        let (permit, extra) = (lifecycle.permit(), lifecycle.extra_permit());
        drop(permit);
        assert!(lifecycle.permit().is_none());
        drop(extra);
        assert!(lifecycle.permit().is_some());
    }

    #[test]
    fn a_thread_that_waits_is_woken_by_a_close_and_by_a_stage() {
        let lifecycle = Lifecycle::new(1);
        let permit = lifecycle.permit();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| lifecycle.wait_until(BOUND, || lifecycle.has_permit()));
            drop(permit);
            waiting.join().unwrap();
            let permit = lifecycle.permit();
            assert!(permit.is_some());
            let waiting = scope.spawn(|| lifecycle.wait_until(BOUND, || lifecycle.has_ended()));
            lifecycle.begin(Stage::Over);
            waiting.join().unwrap();
            drop(permit);
        });
        assert_eq!((lifecycle.open(), lock(&lifecycle.close_waiters).len()), (0, 0));
    }

    #[test]
    fn a_wait_that_times_out_leaves_no_waker_behind() {
        let lifecycle = Lifecycle::new(1);
        lifecycle.wait_until(Duration::from_millis(1), || false);
        assert_eq!(lock(&lifecycle.close_waiters).len(), 0);
    }

    #[test]
    fn a_drain_goes_through_every_stage() {
        let lifecycle = Lifecycle::new(1);
        let (seen, stages) = std::sync::mpsc::channel();
        let observed = Arc::clone(&lifecycle);
        lifecycle.on_change(move || seen.send(observed.stage()).unwrap());
        lifecycle.drain(Duration::ZERO, Duration::ZERO);
        let stages: Vec<_> = stages.try_iter().collect();
        assert_eq!(stages, [Stage::Draining, Stage::Ending, Stage::Over]);
    }
}
