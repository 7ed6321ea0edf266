//! A socket that a coroutine waits for.

use std::io::Result;
use std::net::TcpStream;
use std::sync::Arc;
use std::task::{Wake, Waker};

use may::io::{CoIo, WaitIo, WaitIoWaker};
use shared::http::NonBlocking;

/// `EPOLLERR`, `EPOLLHUP` and `EPOLLRDHUP` of epoll(7), after which the input has an end.
const ENDED: usize = 0x8 | 0x10 | 0x2000;

/// A socket and its registration with may.
pub(crate) struct Socket {
    // Fields are dropped in this order: the socket leaves epoll before it is closed. If `CoIo`
    // owned it, it would be closed first, and a connection that has just got the same descriptor
    // number on another thread would leave epoll instead.
    events: CoIo<Arc<TcpStream>>,
    stream: NonBlocking<Arc<TcpStream>>,
}

/// Ends a wait, from any thread.
struct EndWait(WaitIoWaker);

impl Wake for EndWait {
    fn wake(self: Arc<Self>) {
        self.0.wakeup();
    }
}

impl Socket {
    /// Registers a socket. Fails when there is no room for it in epoll.
    pub(crate) fn new(stream: TcpStream) -> Result<Self> {
        let stream = Arc::new(stream);
        let events = CoIo::new(Arc::clone(&stream))?;
        Ok(Self { events, stream: NonBlocking::new(stream) })
    }

    pub(crate) fn stream(&mut self) -> &mut NonBlocking<Arc<TcpStream>> {
        &mut self.stream
    }

    /// Returns a waker that ends a wait.
    pub(crate) fn waker(&self) -> Waker {
        Waker::from(Arc::new(EndWait(self.events.waker())))
    }

    /// Gives the thread to other coroutines until the socket is ready or a waker ends the wait.
    pub(crate) fn wait(&mut self) {
        let is_ended = self.events.wait_io() & ENDED != 0;
        self.stream.note_event(true, is_ended);
    }
}
