//! How long a connection waits for its client.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use shared::http::{Times, limits};
use tokio::time::{Instant, Sleep, sleep};

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
pub(crate) struct Patience {
    times: Times,
    waiting: Waiting,
    since: Option<Instant>,
    alarm: Pin<Box<Sleep>>,
}

impl Patience {
    pub(crate) fn new(times: Times) -> Self {
        Self { times, waiting: Waiting::Request, since: None, alarm: Box::pin(sleep(times.idle)) }
    }

    /// Begins anew: what was waited for has come, or some of it.
    pub(crate) fn renew(&mut self) {
        self.since = None;
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

    /// Ready when there was waiting for long enough. Waiting for something else begins anew.
    ///
    /// The alarm is set only when it has rung too early or would ring too late, so that a request costs a look at the
    /// clock and no more.
    pub(crate) fn poll(&mut self, context: &mut Context, waiting: Waiting) -> Poll<()> {
        if self.waiting != waiting {
            self.waiting = waiting;
            self.since = None;
        }
        let deadline = *self.since.get_or_insert_with(Instant::now) + self.time();
        if self.alarm.deadline() > deadline {
            self.alarm.as_mut().reset(deadline);
        }
        loop {
            ready!(self.alarm.as_mut().poll(context));
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            self.alarm.as_mut().reset(deadline);
        }
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
