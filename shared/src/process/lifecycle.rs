//! What the threads of a server know of each other: how many connections are open, and how far its end has come.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The life of a server whose connections are accepted by [`serve`](fn@super::serve).
pub struct Lifecycle {
    max_connections: usize,
    count: Mutex<Count>,
    closed: Condvar,
    draining: AtomicBool,
    ending: AtomicBool,
}

/// Connections that are open, and threads that wait for one to close.
#[derive(Default)]
struct Count {
    open: usize,
    waiting: usize,
}

/// A connection's place among those that may be open. Dropping it frees the place.
pub struct ConnectionPermit(Arc<Lifecycle>);

impl Lifecycle {
    /// A server that serves, with so many connections at once.
    pub fn new(max_connections: usize) -> Arc<Self> {
        Arc::new(Self {
            max_connections,
            count: Mutex::default(),
            closed: Condvar::new(),
            draining: AtomicBool::new(false),
            ending: AtomicBool::new(false),
        })
    }

    /// Whether answers close their connections.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Whether connections that wait for a request are soon closed.
    pub fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }

    pub(super) fn begin_drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    pub(super) fn end(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }

    /// A place for one more connection; `None` when there was none for as long as `bound`.
    pub(super) fn place(self: &Arc<Self>, bound: Duration) -> Option<ConnectionPermit> {
        let is_full = |count: &Count| count.open >= self.max_connections;
        let mut count = self.wait_while(bound, is_full);
        if is_full(&count) {
            return None;
        }
        count.open += 1;
        Some(ConnectionPermit(Arc::clone(self)))
    }

    /// A place for one of the last connections, whether there is one or not.
    pub(super) fn extra_place(self: &Arc<Self>) -> ConnectionPermit {
        self.lock().open += 1;
        ConnectionPermit(Arc::clone(self))
    }

    /// Waits until a connection closes, or for `bound`.
    pub(super) fn wait_for_a_close(&self, bound: Duration) {
        let open = self.lock().open;
        drop(self.wait_while(bound, |count| count.open >= open));
    }

    /// Waits until no connection is open, or for the deadline.
    pub(super) fn wait_until_empty(&self, deadline: Instant) {
        let bound = deadline.saturating_duration_since(Instant::now());
        drop(self.wait_while(bound, |count| count.open > 0));
    }

    /// Waits for a close while `condition` holds, and no longer than `bound`.
    fn wait_while(&self, bound: Duration, condition: impl Fn(&Count) -> bool) -> MutexGuard<'_, Count> {
        let mut count = self.lock();
        if !condition(&count) {
            return count;
        }
        count.waiting += 1;
        let waited = self.closed.wait_timeout_while(count, bound, |count| condition(count));
        let (mut count, _) = waited.unwrap_or_else(PoisonError::into_inner);
        count.waiting -= 1;
        count
    }

    fn lock(&self) -> MutexGuard<'_, Count> {
        // Counts are whole after a panic too.
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut count = self.0.lock();
        count.open -= 1;
        // A call of the kernel's, which hardly any close has need of.
        if count.waiting > 0 {
            self.0.closed.notify_all();
        }
    }
}
