//! The state that an HTTP/2 connection and its service share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts the request bodies that have yet to arrive on a connection. Each stream may have one.
#[derive(Clone, Default)]
pub struct OpenBodies(Arc<AtomicUsize>);

/// A body that has yet to arrive, until this is dropped.
pub struct OpenBody(Arc<AtomicUsize>);

impl OpenBodies {
    /// Counts one more body.
    pub fn open(&self) -> OpenBody {
        self.0.fetch_add(1, Ordering::Relaxed);
        OpenBody(Arc::clone(&self.0))
    }

    /// Whether the connection waits for a body.
    pub(crate) fn are_any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

impl Drop for OpenBody {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
