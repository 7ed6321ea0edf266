//! A connection's coroutine.

use std::cell::RefCell;
use std::os::fd::AsRawFd;
use std::sync::Arc;

use may::coroutine::Builder;
use shared::http::{Buffers, Pace, Session, Timeouts, Turn};
use shared::process::{Accepted, DeadlineThread, Lifecycle};

use crate::socket::{Socket, Waker};

/// What all connections have in common.
pub(crate) struct Server {
    pub(crate) lifecycle: Arc<Lifecycle>,
    pub(crate) keeper: Arc<DeadlineThread<Waker>>,
    pub(crate) times: Timeouts,
}

thread_local! {
    /// Lent to a coroutine for one turn, in which it does not wait: so those that wait hold none.
    static BUFFERS: RefCell<Buffers> = RefCell::default();
}

impl Server {
    /// Starts a coroutine for a connection.
    #[allow(unsafe_code, reason = "a coroutine is spawned")]
    pub(crate) fn start(self: &Arc<Self>, accepted: Accepted) {
        let Accepted { stream, session, place, .. } = accepted;
        let server = Arc::clone(self);
        // The worker that a socket's events come to is told by its number.
        let worker = usize::try_from(stream.as_raw_fd()).unwrap_or_default();
        let serve = move || {
            // A socket that cannot be watched is closed.
            if let Ok(socket) = Socket::new(stream) {
                server.serve(session, socket);
            }
            drop(place);
        };
        // SAFETY: A coroutine may go on on another thread after a wait, with which thread-locals do not go. It waits in
        // `Socket::wait` alone, and uses one in `Server::turn` alone, which is not inlined, so that the compiler cannot keep
        // its address for the next turn. Its stack holds what a turn takes several times over, and has a guard page.
        drop(unsafe { Builder::new().id(worker).spawn(serve) });
    }

    fn serve(&self, mut session: Session, mut socket: Socket) {
        let watch = self.keeper.watch(socket.waker());
        loop {
            match self.turn(&mut session, &mut socket) {
                Turn::Over => return,
                // may's own way to yield comes back before the events of other connections are looked at.
                Turn::Yield => self.keeper.wake_soon(&watch),
                Turn::Readable | Turn::Writable => self.keeper.set_deadline(&watch, session.deadline()),
            }
            socket.wait();
        }
    }

    #[inline(never)]
    fn turn(&self, session: &mut Session, socket: &mut Socket) -> Turn {
        BUFFERS.with_borrow_mut(|buffers| session.turn(socket, buffers, &self.times, self))
    }
}

impl Pace for Server {
    /// A worker has other coroutines: none may keep it for as long as its client has something to send.
    fn others_wait(&self) -> bool {
        true
    }

    fn is_draining(&self) -> bool {
        self.lifecycle.is_draining()
    }

    fn is_ending(&self) -> bool {
        self.lifecycle.is_ending()
    }
}
