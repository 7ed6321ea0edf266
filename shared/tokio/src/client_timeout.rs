//! How long a connection waits for its client.

use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use shared::http::{WaitingFor, limits};

use crate::server::Server;
use crate::timer::TaskTimer;

/// How long a connection waits for a request before it is called quiet. A busy one asks again long
/// before.
const QUIET_AFTER: Duration = Duration::from_millis(100);

/// The time that the client has left for one thing after another.
pub(crate) struct ClientTimeout {
    server: Arc<Server>,
    timer: TaskTimer,
    waiting: WaitingFor,
    /// When the wait began; `None` before it is polled.
    since: Option<Instant>,
    is_quiet: bool,
}

impl ClientTimeout {
    pub(crate) fn new(server: Arc<Server>) -> Self {
        let (timer, waiting) = (TaskTimer::default(), WaitingFor::Request);
        Self { server, timer, waiting, since: None, is_quiet: false }
    }

    /// Starts the time again: what was waited for has arrived, or some of it.
    pub(crate) fn restart(&mut self) {
        self.since = None;
        self.is_quiet = false;
    }

    /// Starts the time for a reader again: it has read some of what was written.
    pub(crate) fn restart_reader(&mut self) {
        if self.waiting == WaitingFor::Reader {
            self.restart();
        }
    }

    /// Whether a request has been waited for for some time.
    pub(crate) fn is_quiet(&self) -> bool {
        self.is_quiet
    }

    /// Ready when the client has had its time. Waiting for something else starts the time again. In a
    /// server that is ending, a request has no longer than the grace of the drain.
    pub(crate) fn poll(&mut self, context: &Context, waiting: WaitingFor) -> Poll<()> {
        let Server { deadlines, lifecycle, timeouts } = &*self.server;
        if self.waiting != waiting {
            self.waiting = waiting;
            self.since = None;
            self.is_quiet = false;
        }
        let since = *self.since.get_or_insert_with(Instant::now);
        let mut limit = timeouts.limit(waiting);
        if waiting == WaitingFor::Request {
            self.timer.register(deadlines, context);
            if lifecycle.is_ending() {
                limit = limit.min(limits::DRAIN_GRACE);
            }
            if !self.is_quiet {
                ready!(self.timer.poll(deadlines, context, since + limit.min(QUIET_AFTER)));
                self.is_quiet = true;
            }
        }
        self.timer.poll(deadlines, context, since + limit)
    }
}
