//! A socket, encrypted or not, with a timeout for each action of its client.

use std::future::poll_fn;
use std::io::{ErrorKind, Result};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use shared::http::{WaitingFor, limits};
use shared::process::{Server, TaskTimer};
use shared::tls::{HTTP_2, Tls};
use tokio::io::ReadBuf;

use crate::socket::Socket;
use crate::task_stream::TaskStream;

/// How long a connection waits for a request before it is quiet. A busy one gets it long before.
const QUIET_AFTER: Duration = Duration::from_millis(100);

/// Bytes per read when they are decrypted. A request's head is usually shorter.
const DECRYPTED_BYTES: usize = 2048;

/// The client's socket, its TLS state, and the timeout for the action of the client that the server
/// waits for.
pub struct TimedSocket {
    socket: Socket,
    /// `None` when the connection is not encrypted.
    tls: Option<Box<Tls>>,
    server: Arc<Server>,
    timer: TaskTimer,
    waiting: WaitingFor,
    /// The time at which the wait began; `None` before it is polled.
    since: Option<Instant>,
    is_quiet: bool,
}

impl TimedSocket {
    /// Wraps a socket that is registered with tokio or just accepted. Fails only without memory.
    pub fn new(socket: impl Into<Socket>, server: Arc<Server>) -> Result<Self> {
        let socket = socket.into();
        let (timer, waiting) = (TaskTimer::default(), WaitingFor::Request);
        let tls = server.encryption.tls()?.map(Box::new);
        Ok(Self { socket, tls, server, timer, waiting, since: None, is_quiet: false })
    }

    /// Makes the handshake of an encrypted connection, and returns whether the client then wants
    /// HTTP/2. Fails when the handshake fails or exceeds its timeout.
    pub async fn agrees_on_http_2(&mut self) -> Result<bool> {
        poll_fn(|context| self.poll_handshake(context)).await?;
        Ok(self.tls.as_ref().is_some_and(|tls| tls.protocol() == Some(HTTP_2)))
    }

    fn poll_handshake(&mut self, context: &mut Context) -> Poll<Result<()>> {
        loop {
            ready!(self.poll_flush(context))?;
            let encrypted = self.encrypted(context).filter(|(tls, _)| tls.is_handshaking());
            let Some((tls, mut socket)) = encrypted else { return Poll::Ready(Ok(())) };
            match tls.receive(&mut socket) {
                Ok(0) => return Poll::Ready(Err(ErrorKind::UnexpectedEof.into())),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let waiting = WaitingFor::input(false, self.has_part());
                    let timeout = self.poll_timeout(context, waiting);
                    return timeout.map(|()| Err(ErrorKind::TimedOut.into()));
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Reads bytes. When there are none, the task is woken once there are some.
    pub(crate) fn poll_read(&mut self, context: &mut Context, buffer: &mut ReadBuf) -> Poll<Result<()>> {
        if self.tls.is_none() {
            self.socket.poll_read(context, buffer)
        } else {
            self.poll_decrypt(context, buffer)
        }
    }

    /// Ready when there may be something to read.
    pub(crate) fn poll_read_ready(&mut self, context: &mut Context) -> Poll<Result<()>> {
        // A read fails at once when the client has broken a rule, whatever the socket has.
        let has_news = self.tls.as_ref().is_some_and(|tls| tls.decrypted() > 0 || tls.has_failed());
        if has_news { Poll::Ready(Ok(())) } else { self.socket.poll_read_ready(context) }
    }

    /// Writes; fails with `TimedOut` when the client has not read for too long.
    pub(crate) fn poll_write(&mut self, context: &mut Context, bytes: &[u8]) -> Poll<Result<usize>> {
        let written = match self.tls {
            None => self.socket.poll_write(context, bytes),
            Some(_) => self.poll_encrypt(context, bytes),
        };
        self.limit_write(context, written)
    }

    /// Sends written bytes that the socket has not yet taken, and fails as a write does.
    pub(crate) fn poll_flush(&mut self, context: &mut Context) -> Poll<Result<()>> {
        if self.tls.as_ref().is_none_or(|tls| !tls.has_kept()) {
            return Poll::Ready(Ok(()));
        }
        let sent = self.poll_send_kept(context);
        self.limit_write(context, sent)
    }

    /// Reads the bytes after the last request as they arrive, not decrypted, to drop them.
    pub(crate) fn poll_discard(&mut self, context: &mut Context, buffer: &mut ReadBuf) -> Poll<Result<()>> {
        self.socket.poll_read(context, buffer)
    }

    /// Tells the client that no more data follows, as far as the socket takes that without a wait.
    pub(crate) fn notify_end(&mut self, context: &mut Context) {
        if let Some((tls, mut socket)) = self.encrypted(context) {
            tls.notify_end(&mut socket);
        }
    }

    /// Whether part of a handshake or of a record has arrived.
    pub(crate) fn has_part(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.has_part())
    }

    /// Returns the TLS state and the socket below it; `None` when there is no encryption.
    fn encrypted<'a, 'b>(
        &'a mut self,
        context: &'a mut Context<'b>,
    ) -> Option<(&'a mut Tls, TaskStream<'a, 'b>)> {
        let tls = self.tls.as_deref_mut()?;
        Some((tls, TaskStream { socket: &mut self.socket, context, insists: false }))
    }

    #[cold]
    fn poll_decrypt(&mut self, context: &mut Context, buffer: &mut ReadBuf) -> Poll<Result<()>> {
        loop {
            let Some((tls, mut socket)) = self.encrypted(context) else { return Poll::Ready(Ok(())) };
            let space = buffer.initialize_unfilled_to(DECRYPTED_BYTES.min(buffer.remaining()));
            match tls.read_from(&mut socket, space) {
                Ok(bytes) => {
                    buffer.advance(bytes);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Poll::Pending,
                // Bytes of the handshake are sent first.
                Err(error) if error.kind() == ErrorKind::Interrupted => ready!(self.poll_flush(context))?,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    #[cold]
    fn poll_encrypt(&mut self, context: &mut Context, bytes: &[u8]) -> Poll<Result<usize>> {
        ready!(self.poll_send_kept(context))?;
        let Some(tls) = &mut self.tls else { return Poll::Ready(Ok(0)) };
        let written = tls.write(bytes)?;
        // Bytes that the socket does not take now are sent before the next write or read.
        match self.poll_send_kept(context) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(written)),
        }
    }

    #[cold]
    fn poll_send_kept(&mut self, context: &mut Context) -> Poll<Result<()>> {
        let Some((tls, mut socket)) = self.encrypted(context) else { return Poll::Ready(Ok(())) };
        while tls.has_kept() {
            match tls.send(&mut socket) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Poll::Pending,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Starts the timeout of a write that has to wait, and ends it once the write no longer waits.
    fn limit_write<T>(&mut self, context: &mut Context, written: Poll<Result<T>>) -> Poll<Result<T>> {
        if written.is_pending() {
            let timeout = self.poll_timeout(context, WaitingFor::Reader);
            return timeout.map(|()| Err(ErrorKind::TimedOut.into()));
        }
        if self.waiting == WaitingFor::Reader {
            self.restart_timeout();
        }
        written
    }

    /// Whether the server drains, so that its answers close their connections.
    pub(crate) fn is_draining(&self) -> bool {
        self.server.lifecycle.is_draining()
    }

    /// Restarts the client's timeout, since the awaited action has happened, at least in part.
    pub(crate) fn restart_timeout(&mut self) {
        self.since = None;
        self.is_quiet = false;
    }

    /// Whether the server waits for the client to read.
    pub(crate) fn is_unread(&self) -> bool {
        self.waiting == WaitingFor::Reader && self.since.is_some()
    }

    /// Whether the server has waited for a request for some time.
    pub(crate) fn is_quiet(&self) -> bool {
        self.is_quiet
    }

    /// Ready when the client's timeout has passed. A wait for another action restarts the timeout.
    /// In a server that is ending, the timeout for a request is at most the grace of the drain.
    pub(crate) fn poll_timeout(&mut self, context: &Context, waiting: WaitingFor) -> Poll<()> {
        if self.waiting != waiting {
            self.waiting = waiting;
            self.restart_timeout();
        }
        let Server { deadlines, lifecycle, timeouts, .. } = &*self.server;
        self.timer.register(deadlines, context);
        let since = *self.since.get_or_insert_with(Instant::now);
        let mut limit = timeouts.limit(waiting);
        if waiting == WaitingFor::Request {
            if lifecycle.is_ending() {
                limit = limit.min(limits::DRAIN_GRACE);
            }
            if !self.is_quiet {
                ready!(self.timer.poll_registered(deadlines, since + limit.min(QUIET_AFTER)));
                self.is_quiet = true;
            }
        }
        self.timer.poll_registered(deadlines, since + limit)
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
