//! How long a connection waits for its client.

use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use shared::http::{Timeouts, limits};

use crate::lifecycle::Lifecycle;
use crate::timer::TaskTimer;

/// How long a connection waits for a request before it is called quiet. A busy one asks again long before.
const QUIET_AFTER: Duration = Duration::from_millis(100);

/// What a client is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// A first or a next request.
    Request,
    /// The rest of a head.
    Head,
    /// More of a body.
    Body,
    /// To take what it asked for.
    Reader,
    /// To take note of the last answer.
    End,
}

/// The time that is left for one thing after another.
pub(crate) struct ClientTimeout {
    times: Timeouts,
    waiting: Waiting,
    since: Option<Instant>,
    /// A request has been waited for for some time.
    quiet: bool,
    alarm: TaskTimer,
}

impl ClientTimeout {
    pub(crate) fn new(times: Timeouts) -> Self {
        Self { times, waiting: Waiting::Request, since: None, quiet: false, alarm: TaskTimer::default() }
    }

    /// Begins anew: what was waited for has come, or some of it.
    pub(crate) fn renew(&mut self) {
        self.since = None;
        self.quiet = false;
    }

    /// Whether it is a request that is waited for, and has been for some time.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// The same when it is the client that takes what was written.
    pub(crate) fn renew_reader(&mut self) {
        if self.waiting == Waiting::Reader {
            self.renew();
        }
    }

    /// Shortens the time for a next request.
    pub(crate) fn hurry(&mut self, idle: Duration) {
        self.times.idle = self.times.idle.min(idle);
    }

    /// Has the task be woken when the server ends. What is known of its end has to be asked after this.
    pub(crate) fn watch(&mut self, lifecycle: &Lifecycle, context: &Context) {
        self.alarm.watch(lifecycle, context);
    }

    /// Ready when there was waiting for long enough. Waiting for something else begins anew.
    pub(crate) fn poll(&mut self, lifecycle: &Lifecycle, context: &Context, waiting: Waiting) -> Poll<()> {
        if self.waiting != waiting {
            self.waiting = waiting;
            self.renew();
        }
        let since = *self.since.get_or_insert_with(Instant::now);
        let deadline = since + self.time();
        if waiting == Waiting::Request && !self.quiet {
            let quiet = deadline.min(since + QUIET_AFTER);
            ready!(self.alarm.poll(lifecycle, context, quiet));
            self.quiet = true;
        }
        self.alarm.poll(lifecycle, context, deadline)
    }

    fn time(&self) -> Duration {
        match self.waiting {
            Waiting::Request | Waiting::Body => self.times.idle,
            Waiting::Head => self.times.head,
            Waiting::Reader => self.times.write,
            Waiting::End => limits::LINGER_TIME,
        }
    }
}
