//! A socket whose client has only so long for everything.

use std::io::{ErrorKind, Result};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use shared::http::{WaitingFor, limits};
use shared::process::{Server, TaskTimer};

use crate::socket::Socket;

/// How long a connection waits for a request before it is quiet. A busy one asks again long before.
const QUIET_AFTER: Duration = Duration::from_millis(100);

/// The client's socket, and the time that the client has for what it is waited for.
pub(super) struct TimedSocket {
    socket: Socket,
    server: Arc<Server>,
    timer: TaskTimer,
    waiting: WaitingFor,
    /// When the wait began; `None` before it is polled.
    since: Option<Instant>,
    is_quiet: bool,
}

impl TimedSocket {
    pub(super) fn new(socket: Socket, server: Arc<Server>) -> Self {
        let (timer, waiting) = (TaskTimer::default(), WaitingFor::Request);
        Self { socket, server, timer, waiting, since: None, is_quiet: false }
    }

    /// Writes; fails with `TimedOut` when the client has not read for too long.
    pub(super) fn poll_write(&mut self, context: &mut Context, bytes: &[u8]) -> Poll<Result<usize>> {
        let written = self.socket.poll_write(context, bytes);
        if written.is_pending() {
            let timeout = self.poll_timeout(context, WaitingFor::Reader);
            return timeout.map(|()| Err(ErrorKind::TimedOut.into()));
        }
        if self.waiting == WaitingFor::Reader {
            self.restart_timeout();
        }
        written
    }

    /// Whether the server drains, so that its answers close.
    pub(super) fn is_draining(&self) -> bool {
        self.server.lifecycle.is_draining()
    }

    /// Starts the client's time again: what was waited for has arrived, or some of it.
    pub(super) fn restart_timeout(&mut self) {
        self.since = None;
        self.is_quiet = false;
    }

    /// Whether a request has been waited for for some time.
    pub(super) fn is_quiet(&self) -> bool {
        self.is_quiet
    }

    /// Ready when the client has had its time. Waiting for something else starts the time again. In
    /// a server that is ending, a request has no longer than the grace of the drain.
    pub(super) fn poll_timeout(&mut self, context: &Context, waiting: WaitingFor) -> Poll<()> {
        if self.waiting != waiting {
            self.waiting = waiting;
            self.restart_timeout();
        }
        let Server { deadlines, lifecycle, timeouts } = &*self.server;
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

impl Deref for TimedSocket {
    type Target = Socket;

    fn deref(&self) -> &Socket {
        &self.socket
    }
}

impl DerefMut for TimedSocket {
    fn deref_mut(&mut self) -> &mut Socket {
        &mut self.socket
    }
}
