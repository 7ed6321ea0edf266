//! Where all threads wait until every connection is open, so that one clock starts for all.

use std::sync::{Barrier, OnceLock};
use std::time::Instant;

pub(super) struct Gate {
    barrier: Barrier,
    began: OnceLock<Instant>,
}

impl Gate {
    pub(super) fn new(threads: u32) -> Self {
        Self { barrier: Barrier::new(threads as usize), began: OnceLock::new() }
    }

    /// Waits for all threads; the time at which they go on, the same for all.
    pub(super) fn pass(&self) -> Instant {
        self.barrier.wait();
        *self.began.get_or_init(Instant::now)
    }

    /// The time at which the threads went on; `None` before that.
    pub(super) fn began(&self) -> Option<Instant> {
        self.began.get().copied()
    }
}
