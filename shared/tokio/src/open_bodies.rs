//! What a connection of HTTP/2 and its service know of each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The bodies of requests that are still to come on a connection, of which each stream may have one.
#[derive(Clone, Default)]
pub struct OpenBodies(Arc<AtomicUsize>);

/// One of them, until it is dropped.
pub struct OpenBody(Arc<AtomicUsize>);

impl OpenBodies {
    /// Counts one more.
    pub fn open(&self) -> OpenBody {
        self.0.fetch_add(1, Ordering::Relaxed);
        OpenBody(Arc::clone(&self.0))
    }

    /// Whether the connection waits for one.
    pub(crate) fn are_any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

impl Drop for OpenBody {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
