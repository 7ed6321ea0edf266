//! What the threads of a server know of each other: how many connections are open, and how far its end has come.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The life of a server whose connections are accepted by [`serve`](fn@super::serve).
pub struct Life {
    max_connections: usize,
    open: Mutex<usize>,
    closed: Condvar,
    draining: AtomicBool,
    ending: AtomicBool,
}

/// A connection's place among those that may be open. Dropping it frees the place.
pub struct Place(Arc<Life>);

impl Life {
    /// A server that serves, with so many connections at once.
    pub fn new(max_connections: usize) -> Arc<Self> {
        Arc::new(Self {
            max_connections,
            open: Mutex::new(0),
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
    pub(super) fn place(self: &Arc<Self>, bound: Duration) -> Option<Place> {
        let full = |open: &mut usize| *open >= self.max_connections;
        let waited = self.closed.wait_timeout_while(self.lock(), bound, full);
        let (mut open, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if full(&mut open) {
            return None;
        }
        *open += 1;
        Some(Place(Arc::clone(self)))
    }

    /// A place for one of the last connections, whether there is one or not.
    pub(super) fn extra_place(self: &Arc<Self>) -> Place {
        *self.lock() += 1;
        Place(Arc::clone(self))
    }

    /// Waits until a connection closes, or for `bound`.
    pub(super) fn wait_for_a_close(&self, bound: Duration) {
        drop(self.closed.wait_timeout(self.lock(), bound));
    }

    /// Waits until no connection is open, or for the deadline.
    pub(super) fn wait_until_empty(&self, deadline: Instant) {
        let bound = deadline.saturating_duration_since(Instant::now());
        drop(self.closed.wait_timeout_while(self.lock(), bound, |open| *open > 0));
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        // A count is whole after a panic too.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *self.0.lock() -= 1;
        self.0.closed.notify_all();
    }
}
