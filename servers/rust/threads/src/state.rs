//! What the threads of the server know of each other: how many connections are open, and whether it is about to end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The state of the whole server.
pub(crate) struct State {
    max_connections: usize,
    open: Mutex<usize>,
    closed: Condvar,
    draining: AtomicBool,
    ending: AtomicBool,
}

/// A connection's place among those that may be open. Dropping it frees the place.
pub(crate) struct Place(Arc<State>);

impl State {
    pub(crate) fn new(max_connections: usize) -> Self {
        Self {
            max_connections,
            open: Mutex::new(0),
            closed: Condvar::new(),
            draining: AtomicBool::new(false),
            ending: AtomicBool::new(false),
        }
    }

    /// From now on answers close their connections.
    pub(crate) fn begin_drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
        self.closed.notify_all();
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// From now on connections that wait for a request are closed.
    pub(crate) fn end(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }

    /// A place for one more connection; `None` when there was none for as long as `bound`.
    pub(crate) fn place(self: &Arc<Self>, bound: Duration) -> Option<Place> {
        let full = |open: &mut usize| *open >= self.max_connections;
        let waited = self.closed.wait_timeout_while(self.lock(), bound, full);
        let (mut open, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if full(&mut open) {
            return None;
        }
        *open += 1;
        Some(Place(Arc::clone(self)))
    }

    /// Waits until a connection closes, or for `bound`.
    pub(crate) fn wait_for_a_close(&self, bound: Duration) {
        drop(self.closed.wait_timeout(self.lock(), bound));
    }

    /// Waits until no connection is open, or for the deadline.
    pub(crate) fn wait_until_empty(&self, deadline: Instant) {
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
