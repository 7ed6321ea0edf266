//! The common start of all threads: none sends before every connection of every thread is open.

use std::sync::{Barrier, OnceLock};
use std::time::Instant;

pub(super) struct StartBarrier {
    barrier: Barrier,
    began: OnceLock<Instant>,
}

impl StartBarrier {
    pub(super) fn new(threads: u32) -> Self {
        Self { barrier: Barrier::new(threads as usize), began: OnceLock::new() }
    }

    /// Waits for all threads. Returns the start time, which is the same for all of them.
    pub(super) fn wait(&self) -> Instant {
        self.barrier.wait();
        *self.began.get_or_init(Instant::now)
    }

    pub(super) fn began(&self) -> Option<Instant> {
        self.began.get().copied()
    }
}
