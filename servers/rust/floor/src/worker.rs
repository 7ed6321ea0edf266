//! A worker: a thread with an epoll instance, a listening socket and its accepted connections.

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::EventFd;
use shared::lifecycle::{ConnectionPermit, Lifecycle};
use slab::Slab;

use crate::canned_response::LastResponse;
use crate::connection::{Connection, Ready};

/// Bytes per read. A burst of requests is some kilobytes.
const READ_BYTES: usize = 16 * 1024;

/// Events per wait. More would save nothing: with 1,024, the wait is a thousandth of the work.
const EVENTS: usize = 1024;

/// Keys of events that do not belong to a connection.
const LISTENER: u64 = u64::MAX;
const ENDED: u64 = u64::MAX - 1;

/// How long a worker without a permit waits before it retries: another may have returned one.
const BACKOFF: Duration = Duration::from_millis(100);

/// A worker, which shares nothing with others but the port and the number of permits.
pub(crate) struct Worker {
    epoll: Epoll,
    listener: TcpListener,
    lifecycle: Arc<Lifecycle>,
    /// Whether connections wait in the kernel, since there was no permit or no descriptor for one.
    is_full: bool,
    connections: Slab<Connection>,
    last_response: LastResponse,
    buffer: Box<[u8; READ_BYTES]>,
}

impl Worker {
    /// Creates a worker that ends when `ended` is readable. Fails when there is no descriptor for
    /// epoll.
    pub(crate) fn new(
        listener: TcpListener,
        lifecycle: Arc<Lifecycle>,
        ended: &EventFd,
    ) -> anyhow::Result<Self> {
        listener.set_nonblocking(true).context("cannot make the listener non-blocking")?;
        let watch = || {
            let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
            epoll.add(&listener, EpollEvent::new(EpollFlags::EPOLLIN, LISTENER))?;
            epoll.add(ended, EpollEvent::new(EpollFlags::EPOLLIN, ENDED))?;
            nix::Result::Ok(epoll)
        };
        let epoll = watch().context("cannot make an epoll instance")?;
        Ok(Self {
            epoll,
            listener,
            lifecycle,
            is_full: false,
            connections: Slab::new(),
            last_response: LastResponse::default(),
            buffer: Box::new([0; READ_BYTES]),
        })
    }

    /// Accepts and answers until the server ends. Requests that are read by then are answered.
    pub(crate) fn work(mut self) -> anyhow::Result<()> {
        let mut events = [EpollEvent::empty(); EVENTS];
        loop {
            let count = match self.epoll.wait(&mut events, self.timeout()) {
                Ok(count) => count,
                Err(Errno::EINTR) => continue,
                Err(error) => return Err(error).context("cannot wait for events"),
            };
            for event in events.iter().take(count) {
                match event.data() {
                    ENDED => return Ok(()),
                    LISTENER => self.accept()?,
                    key => self.serve(key, event.events()),
                }
            }
            if self.is_full {
                self.accept()?;
            }
        }
    }

    fn timeout(&self) -> EpollTimeout {
        let backoff = self.is_full.then_some(BACKOFF);
        backoff.and_then(|time| EpollTimeout::try_from(time).ok()).unwrap_or(EpollTimeout::NONE)
    }

    /// Accepts every connection that there is a permit for; others wait in the kernel.
    fn accept(&mut self) -> anyhow::Result<()> {
        loop {
            let Some(permit) = self.lifecycle.permit() else { return self.set_full(true) };
            match self.listener.accept() {
                Ok((stream, _)) => self.begin(stream, permit),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => return self.set_full(false),
                    ErrorKind::ConnectionAborted => {}
                    // There is no descriptor for the connection, or no memory.
                    _ => return self.set_full(true),
                },
            }
        }
    }

    /// Watches the listener only while there is a permit: epoll would report it repeatedly.
    fn set_full(&mut self, is_full: bool) -> anyhow::Result<()> {
        if self.is_full != is_full {
            let flags = if is_full { EpollFlags::empty() } else { EpollFlags::EPOLLIN };
            let mut event = EpollEvent::new(flags, LISTENER);
            self.epoll.modify(&self.listener, &mut event).context("cannot watch the listener")?;
            self.is_full = is_full;
        }
        Ok(())
    }

    /// Gives a connection its first turn: its first request has usually arrived. A connection that
    /// cannot be registered with epoll is closed.
    fn begin(&mut self, stream: TcpStream, permit: ConnectionPermit) {
        let mut connection = Connection::new(stream, permit);
        if !connection.turn(Ready::Readable, self.buffer.as_mut_slice(), &mut self.last_response) {
            return;
        }
        let entry = self.connections.vacant_entry();
        // Edge-triggered, for both directions: the registration never has to be changed.
        let flags = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT | EpollFlags::EPOLLRDHUP | EpollFlags::EPOLLET;
        if self.epoll.add(&connection, EpollEvent::new(flags, entry.key() as u64)).is_ok() {
            entry.insert(connection);
        }
    }

    /// Gives a connection a turn. Dropping it closes its socket, which removes it from epoll.
    fn serve(&mut self, key: u64, events: EpollFlags) {
        let key = usize::try_from(key).unwrap_or(usize::MAX);
        let Some(connection) = self.connections.get_mut(key) else { return };
        if !connection.turn(ready(events), self.buffer.as_mut_slice(), &mut self.last_response) {
            self.connections.remove(key);
        }
    }
}

/// Returns the state in an event, which is the whole state of a connection and not only a change.
fn ready(events: EpollFlags) -> Ready {
    if events.intersects(EpollFlags::EPOLLRDHUP | EpollFlags::EPOLLHUP | EpollFlags::EPOLLERR) {
        Ready::Ended
    } else if events.contains(EpollFlags::EPOLLIN) {
        Ready::Readable
    } else {
        Ready::Writable
    }
}
