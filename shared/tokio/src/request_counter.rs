//! What a connection's stream and its service know of each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use shared::http::{Admitted, Next};

use crate::lifecycle::{Lifecycle, Stage};

/// The requests of one connection that passed to the framework, and those that its service has answered.
///
/// The stream and the service run in one task, so nothing here has to be ordered.
pub struct RequestCounter {
    lifecycle: Arc<Lifecycle>,
    /// Counted without end; only their difference counts.
    passed: AtomicU32,
    answered: AtomicU32,
    /// The last request that passed closes the connection.
    closes: AtomicBool,
    /// A whole request waits behind those that passed.
    more: AtomicBool,
    /// The last request that passed has a body.
    body: AtomicBool,
    /// Nothing has come for some time.
    quiet: AtomicBool,
}

impl RequestCounter {
    pub(crate) fn new(lifecycle: Arc<Lifecycle>) -> Self {
        let zero = || AtomicU32::new(0);
        let no = || AtomicBool::new(false);
        Self {
            lifecycle,
            passed: zero(),
            answered: zero(),
            closes: no(),
            more: no(),
            body: no(),
            quiet: no(),
        }
    }

    /// Counts an answer, which a service does once a request. True when that answer has to close the connection: because
    /// the client asked for it, or because the server ends and no other request waits.
    pub fn answer(&self) -> bool {
        let answered = self.answered.load(Ordering::Relaxed).wrapping_add(1);
        self.answered.store(answered, Ordering::Relaxed);
        answered == self.passed.load(Ordering::Relaxed)
            && (self.closes.load(Ordering::Relaxed)
                || self.lifecycle.stage() >= Stage::Draining && !self.more.load(Ordering::Relaxed))
    }

    /// Whether the request to be answered has a body. What a framework takes for one may be something else.
    pub fn has_body(&self) -> bool {
        self.body.load(Ordering::Relaxed)
    }

    /// Whether a request has been waited for for some time, so that a framework that is made anew for the next one costs less than
    /// one that is kept. Nothing is lost with it: all that it was given has been answered, and sent.
    pub fn is_quiet(&self) -> bool {
        self.quiet.load(Ordering::Relaxed)
    }

    pub(crate) fn set_quiet(&self, quiet: bool) {
        self.quiet.store(quiet, Ordering::Relaxed);
    }

    /// Counts what passes; `more` says that a whole request waits behind it.
    pub(crate) fn pass(&self, admitted: &Admitted, more: bool) {
        if admitted.requests > 0 {
            let requests = u32::try_from(admitted.requests).unwrap_or(u32::MAX);
            self.passed.store(self.passed.load(Ordering::Relaxed).wrapping_add(requests), Ordering::Relaxed);
            self.body.store(admitted.has_body, Ordering::Relaxed);
        }
        self.closes.store(admitted.next == Next::Close, Ordering::Relaxed);
        self.more.store(more, Ordering::Relaxed);
    }

    /// Requests that passed and are not answered.
    pub(crate) fn unanswered(&self) -> u32 {
        self.passed.load(Ordering::Relaxed).wrapping_sub(self.answered.load(Ordering::Relaxed))
    }

    pub(crate) fn lifecycle(&self) -> &Arc<Lifecycle> {
        &self.lifecycle
    }
}
