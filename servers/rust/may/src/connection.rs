//! A connection's coroutine.

use std::cell::RefCell;
use std::os::fd::AsRawFd;
use std::sync::Arc;

use may::coroutine::Builder;
use shared::http::{Buffers, Driver, Session, Timeouts, Turn};
use shared::lifecycle::Lifecycle;
use shared::process::{Accepted, DeadlineThread};

use crate::socket::{Socket, Waker};

/// What all connections share.
pub(crate) struct Server {
    pub(crate) lifecycle: Arc<Lifecycle>,
    pub(crate) deadlines: Arc<DeadlineThread<Waker>>,
    pub(crate) timeouts: Timeouts,
}

thread_local! {
    /// Lent to a coroutine for a turn, which never waits: coroutines that wait hold no buffers.
    static BUFFERS: RefCell<Buffers> = RefCell::default();
}

impl Server {
    /// Starts a coroutine for a connection.
    #[allow(unsafe_code, reason = "a coroutine is spawned")]
    pub(crate) fn start(self: &Arc<Self>, accepted: Accepted) {
        let Accepted { stream, session, permit, .. } = accepted;
        let server = Arc::clone(self);
        // The descriptor's number selects the worker that the socket's events go to.
        let worker = usize::try_from(stream.as_raw_fd()).unwrap_or_default();
        let serve = move || {
            // A socket that cannot be registered is closed.
            if let Ok(socket) = Socket::new(stream) {
                server.serve(session, socket);
            }
            drop(permit);
        };
        // SAFETY: A coroutine may continue on another thread after a wait, where thread-locals are
        // others. It waits in `Socket::wait` alone, and uses one in `Server::turn` alone, which is not
        // inlined, so that the compiler cannot keep its address for the next turn. Its stack holds
        // what a turn takes several times over, and has a guard page.
        drop(unsafe { Builder::new().id(worker).spawn(serve) });
    }

    fn serve(&self, mut session: Session, mut socket: Socket) {
        let deadline = self.deadlines.add(socket.waker());
        loop {
            match self.turn(&mut session, &mut socket) {
                Turn::Over => return,
                // After may's own yield the coroutine would continue before the events of other
                // connections are looked at.
                Turn::Yield => self.deadlines.wake_soon(&deadline),
                Turn::Readable | Turn::Writable => self.deadlines.set(&deadline, session.deadline()),
            }
            socket.wait();
        }
    }

    #[inline(never)]
    fn turn(&self, session: &mut Session, socket: &mut Socket) -> Turn {
        BUFFERS.with_borrow_mut(|buffers| {
            session.turn(Driver {
                stream: socket.stream(),
                buffers,
                timeouts: &self.timeouts,
                lifecycle: &self.lifecycle,
                // No connection may keep the worker for as long as its client sends.
                others_wait: || true,
            })
        })
    }
}
