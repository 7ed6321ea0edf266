//! The state that a connection's stream and its service share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use shared::http::{Admitted, Next};
use shared::lifecycle::Lifecycle;

/// Counts the requests of a connection that the framework was given, and those that were answered.
///
/// The stream and the service run in one task, so nothing here has to be ordered.
pub struct RequestCounter {
    lifecycle: Arc<Lifecycle>,
    /// `admitted` and `answered` wrap around; only their difference matters.
    admitted: AtomicU32,
    answered: AtomicU32,
    /// Whether the last admitted request closes the connection.
    closes: AtomicBool,
    /// Whether a whole request is kept back behind the admitted ones.
    has_more: AtomicBool,
    /// Whether the last admitted request has a body.
    has_body: AtomicBool,
    /// Whether nothing has arrived for some time.
    is_quiet: AtomicBool,
}

impl RequestCounter {
    pub(crate) fn new(lifecycle: Arc<Lifecycle>) -> Self {
        Self {
            lifecycle,
            admitted: AtomicU32::default(),
            answered: AtomicU32::default(),
            closes: AtomicBool::default(),
            has_more: AtomicBool::default(),
            has_body: AtomicBool::default(),
            is_quiet: AtomicBool::default(),
        }
    }

    /// Counts an answer, which a service does once per request. True when this answer has to close
    /// the connection: the client asked for it, or the server drains and no request is kept back.
    pub fn answer(&self) -> bool {
        let answered = self.answered.load(Ordering::Relaxed).wrapping_add(1);
        self.answered.store(answered, Ordering::Relaxed);
        answered == self.admitted.load(Ordering::Relaxed)
            && (self.closes.load(Ordering::Relaxed)
                || self.lifecycle.is_draining() && !self.has_more.load(Ordering::Relaxed))
    }

    /// Whether the request to be answered has a body. A framework may take other input for one.
    pub fn has_body(&self) -> bool {
        self.has_body.load(Ordering::Relaxed)
    }

    /// Whether the client has been silent for some time. It then costs less to make a new framework
    /// connection for the next request than to keep the present one. Nothing is lost with it: all
    /// its requests have been answered, and the answers sent.
    pub fn is_quiet(&self) -> bool {
        self.is_quiet.load(Ordering::Relaxed)
    }

    pub(crate) fn set_quiet(&self, is_quiet: bool) {
        self.is_quiet.store(is_quiet, Ordering::Relaxed);
    }

    /// Counts admitted requests; `has_more` says that a whole request is kept back behind them.
    pub(crate) fn admit(&self, admitted: &Admitted, has_more: bool) {
        if admitted.requests > 0 {
            let requests = u32::try_from(admitted.requests).unwrap_or(u32::MAX);
            let all = self.admitted.load(Ordering::Relaxed).wrapping_add(requests);
            self.admitted.store(all, Ordering::Relaxed);
            self.has_body.store(admitted.has_body, Ordering::Relaxed);
        }
        self.closes.store(admitted.next == Next::Close, Ordering::Relaxed);
        self.has_more.store(has_more, Ordering::Relaxed);
    }

    /// Returns the number of requests that were admitted and are not answered.
    pub(crate) fn unanswered(&self) -> u32 {
        self.admitted.load(Ordering::Relaxed).wrapping_sub(self.answered.load(Ordering::Relaxed))
    }
}
