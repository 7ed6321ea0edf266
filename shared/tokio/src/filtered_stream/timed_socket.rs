//! A socket whose client has only so long for everything.

use std::io::{ErrorKind, Result};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::task::{Context, Poll};

use shared::http::WaitingFor;

use crate::client_timeout::ClientTimeout;
use crate::server::Server;
use crate::socket::Socket;

/// The client's socket, and the time that the client has left.
pub(super) struct TimedSocket {
    socket: Socket,
    timeout: ClientTimeout,
}

impl TimedSocket {
    pub(super) fn new(socket: Socket, server: Arc<Server>) -> Self {
        Self { socket, timeout: ClientTimeout::new(server) }
    }

    /// Writes; fails with `TimedOut` when the client has not read for too long.
    pub(super) fn poll_write(&mut self, context: &mut Context, bytes: &[u8]) -> Poll<Result<usize>> {
        match self.socket.poll_write(context, bytes) {
            Poll::Pending => {
                self.timeout.poll(context, WaitingFor::Reader).map(|()| Err(ErrorKind::TimedOut.into()))
            }
            written => {
                self.timeout.restart_reader();
                written
            }
        }
    }

    /// Ready when the client has had its time.
    pub(super) fn poll_timeout(&mut self, context: &Context, waiting: WaitingFor) -> Poll<()> {
        self.timeout.poll(context, waiting)
    }

    /// Starts the time again: what was waited for has arrived.
    pub(super) fn restart_timeout(&mut self) {
        self.timeout.restart();
    }

    /// Whether a request has been waited for for some time.
    pub(super) fn is_quiet(&self) -> bool {
        self.timeout.is_quiet()
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
