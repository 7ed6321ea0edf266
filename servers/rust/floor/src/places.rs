//! How many connections may be open at once, over all workers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The places that there are for connections.
pub(crate) struct Permits {
    free: AtomicUsize,
}

/// A connection's place. Dropping it frees the place.
pub(crate) struct ConnectionPermit(Arc<Permits>);

impl Permits {
    /// So many places, all free.
    pub(crate) fn new(count: usize) -> Arc<Self> {
        Arc::new(Self { free: AtomicUsize::new(count) })
    }

    /// A free place, if there is one.
    pub(crate) fn take(self: &Arc<Self>) -> Option<ConnectionPermit> {
        let one_less = |free: usize| free.checked_sub(1);
        self.free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).ok()?;
        Some(ConnectionPermit(Arc::clone(self)))
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        self.0.free.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_once_it_is_dropped() {
        let places = Permits::new(2);
        let (first, second) = (places.take(), places.take());
        assert!(first.is_some() && second.is_some() && places.take().is_none());
        drop(first);
        let third = places.take();
        assert!(third.is_some() && places.take().is_none());
    }
}
