//! What workers have in common: how many connections are open, and how far the server's end has come.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use shared::http::Pace;
use shared::http::limits::DRAIN_GRACE;

/// The life of the server.
pub(crate) struct Lifecycle {
    max_connections: usize,
    open: AtomicUsize,
    draining: AtomicBool,
    /// When connections that are still open are cut. Set once no more of them may come.
    cut: OnceLock<Instant>,
}

/// A connection's place among those that may be open. Dropping it frees the place.
pub(crate) struct ConnectionPermit(Arc<Lifecycle>);

impl Lifecycle {
    /// A server that serves, with so many connections at once.
    pub(crate) fn new(max_connections: usize) -> Arc<Self> {
        Arc::new(Self {
            max_connections,
            open: AtomicUsize::new(0),
            draining: AtomicBool::new(false),
            cut: OnceLock::new(),
        })
    }

    /// A place for one more connection, if there is one.
    pub(crate) fn place(self: &Arc<Self>) -> Option<ConnectionPermit> {
        let one_more = |open: usize| (open < self.max_connections).then_some(open + 1);
        self.open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        Some(ConnectionPermit(Arc::clone(self)))
    }

    /// A place for one of the last connections, whether there is one or not.
    pub(crate) fn extra_place(self: &Arc<Self>) -> ConnectionPermit {
        self.open.fetch_add(1, Ordering::Relaxed);
        ConnectionPermit(Arc::clone(self))
    }

    /// Has answers close their connections, blocks as long as connections are still accepted, and has the server end within
    /// `limit`. Workers that wait do not learn of it by themselves.
    pub(crate) fn drain(&self, limit: Duration) {
        let cut = Instant::now() + limit;
        self.draining.store(true, Ordering::Relaxed);
        thread::sleep(DRAIN_GRACE.min(limit));
        self.cut.get_or_init(|| cut);
    }

    /// When connections that are still open are cut, once no more of them may come.
    pub(crate) fn cut(&self) -> Option<Instant> {
        self.cut.get().copied()
    }
}

impl Pace for Lifecycle {
    /// A worker has other connections: none may keep it for as long as its client has something to send.
    fn others_wait(&self) -> bool {
        true
    }

    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    fn is_ending(&self) -> bool {
        self.cut().is_some()
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_once_it_is_dropped() {
        let lifecycle = Lifecycle::new(2);
        let (first, second) = (lifecycle.place(), lifecycle.place());
        assert!(first.is_some() && second.is_some() && lifecycle.place().is_none());
        drop(first);
        let third = lifecycle.place();
        assert!(third.is_some() && lifecycle.place().is_none());
    }

    #[test]
    fn the_last_connections_have_places_beyond_the_cap() {
        let lifecycle = Lifecycle::new(1);
        let (place, extra) = (lifecycle.place(), lifecycle.extra_place());
        drop(place);
        assert!(lifecycle.place().is_none());
        drop(extra);
        assert!(lifecycle.place().is_some());
    }
}
