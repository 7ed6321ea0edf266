//! A worker: a thread with an epoll instance, a listening socket and the connections that it has accepted.

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::EventFd;
use slab::Slab;

use crate::canned::CannedResponses;
use crate::connection::{Connection, Ready};
use crate::places::{ConnectionPermit, Permits};

/// Bytes of one read. A burst of requests is some kilobytes.
const READ_BYTES: usize = 16 * 1024;

/// Events of one wait. More of them would save nothing: the wait is then a thousandth of the work.
const EVENTS: usize = 1024;

/// What an event is of that is not a connection's.
const LISTENER: u64 = u64::MAX;
const BELL: u64 = u64::MAX - 1;

/// How long a worker without a place for a connection waits before it looks whether another worker has freed one.
const LOOK_AFTER: Duration = Duration::from_millis(100);

/// A worker, which has nothing in common with others but the port and the number of places.
pub(crate) struct Worker {
    epoll: Epoll,
    listener: TcpListener,
    places: Arc<Permits>,
    /// Whether connections wait in the kernel, since there was no place for one.
    is_full: bool,
    connections: Slab<Connection>,
    responses: CannedResponses,
    buffer: Box<[u8; READ_BYTES]>,
}

impl Worker {
    /// A worker that accepts on `listener`, and ends when `bell` is rung.
    pub(crate) fn new(listener: TcpListener, places: Arc<Permits>, bell: &EventFd) -> anyhow::Result<Self> {
        listener.set_nonblocking(true).context("cannot make the listener non-blocking")?;
        let watch = || {
            let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
            epoll.add(&listener, EpollEvent::new(EpollFlags::EPOLLIN, LISTENER))?;
            epoll.add(bell, EpollEvent::new(EpollFlags::EPOLLIN, BELL))?;
            nix::Result::Ok(epoll)
        };
        let epoll = watch().context("cannot make an epoll instance")?;
        Ok(Self {
            epoll,
            listener,
            places,
            is_full: false,
            connections: Slab::new(),
            responses: CannedResponses::default(),
            buffer: Box::new([0; READ_BYTES]),
        })
    }

    /// Accepts and answers until the bell is rung. What has been read by then is answered, as far as clients take it.
    pub(crate) fn work(mut self) -> anyhow::Result<()> {
        let mut events = [EpollEvent::empty(); EVENTS];
        loop {
            let count = match self.epoll.wait(&mut events, self.patience()) {
                Ok(count) => count,
                Err(Errno::EINTR) => continue,
                Err(error) => return Err(error).context("cannot wait for events"),
            };
            for event in events.iter().take(count) {
                match event.data() {
                    BELL => return Ok(()),
                    LISTENER => self.accept()?,
                    key => self.serve(key, event.events()),
                }
            }
            if self.is_full {
                self.accept()?;
            }
        }
    }

    fn patience(&self) -> EpollTimeout {
        let look_after = self.is_full.then_some(LOOK_AFTER);
        look_after.and_then(|time| EpollTimeout::try_from(time).ok()).unwrap_or(EpollTimeout::NONE)
    }

    /// Accepts every connection that there is a place for; others wait in the kernel.
    fn accept(&mut self) -> anyhow::Result<()> {
        loop {
            let Some(place) = self.places.take() else { return self.set_full(true) };
            match self.listener.accept() {
                Ok((stream, _)) => self.begin(stream, place),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => return self.set_full(false),
                    ErrorKind::ConnectionAborted => {}
                    // There is no descriptor for it, or no memory.
                    _ => return self.set_full(true),
                },
            }
        }
    }

    /// Listens for connections only while there is a place for one, since they would be told of again and again.
    fn set_full(&mut self, is_full: bool) -> anyhow::Result<()> {
        if self.is_full != is_full {
            let flags = if is_full { EpollFlags::empty() } else { EpollFlags::EPOLLIN };
            let mut event = EpollEvent::new(flags, LISTENER);
            self.epoll.modify(&self.listener, &mut event).context("cannot watch the listener")?;
            self.is_full = is_full;
        }
        Ok(())
    }

    /// A connection's first turn: mostly its first request is there already. Without room for it in epoll it is closed.
    fn begin(&mut self, stream: TcpStream, place: ConnectionPermit) {
        let mut connection = Connection::new(stream, place);
        if !connection.turn(Ready::Readable, self.buffer.as_mut_slice(), &mut self.responses) {
            return;
        }
        let entry = self.connections.vacant_entry();
        // Edge-triggered, of both directions: nothing is ever changed about it.
        let flags = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT | EpollFlags::EPOLLRDHUP | EpollFlags::EPOLLET;
        if self.epoll.add(&connection, EpollEvent::new(flags, entry.key() as u64)).is_ok() {
            entry.insert(connection);
        }
    }

    /// A connection's turn. Dropping it closes its socket, which takes that out of epoll.
    fn serve(&mut self, key: u64, events: EpollFlags) {
        let key = usize::try_from(key).unwrap_or(usize::MAX);
        let Some(connection) = self.connections.get_mut(key) else { return };
        if !connection.turn(ready(events), self.buffer.as_mut_slice(), &mut self.responses) {
            self.connections.remove(key);
        }
    }
}

/// All that is true of a connection when the event is taken, and not only what has changed.
fn ready(events: EpollFlags) -> Ready {
    if events.intersects(EpollFlags::EPOLLRDHUP | EpollFlags::EPOLLHUP | EpollFlags::EPOLLERR) {
        Ready::Ended
    } else if events.contains(EpollFlags::EPOLLIN) {
        Ready::Readable
    } else {
        Ready::Writable
    }
}
