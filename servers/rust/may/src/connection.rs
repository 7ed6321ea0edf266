//! A connection's coroutine.

use std::os::fd::AsRawFd;
use std::sync::Arc;

use may::coroutine::Builder;
use shared::http::{Session, Turn};
use shared::lifecycle::ConnectionPermit;
use shared::process::{Accepted, Deadline, Server, turn_on_this_thread};

use crate::socket::Socket;

/// The stack of a handshake in words, 256 KiB. A handshake needs more than any later turn, and what
/// a stack has touched stays in memory, so a handshake has its own coroutine. may reuses no such
/// stack.
const HANDSHAKE_STACK_WORDS: usize = 32 * 1024;

/// A connection that a coroutine serves. It is closed before its permit is free.
struct Connection {
    session: Session,
    socket: Socket,
    deadline: Arc<Deadline>,
    worker: usize,
    server: Arc<Server>,
    _permit: ConnectionPermit,
}

/// Starts a coroutine for a connection.
pub(crate) fn start(accepted: Accepted, server: &Arc<Server>) {
    let Accepted { stream, session, permit, .. } = accepted;
    let server = Arc::clone(server);
    // The descriptor's number selects the worker that the socket's events go to.
    let worker = usize::try_from(stream.as_raw_fd()).unwrap_or_default();
    let builder = Builder::new().id(worker);
    let builder = if session.is_handshaking() { builder.stack_size(HANDSHAKE_STACK_WORDS) } else { builder };
    spawn(builder, move || {
        // A socket that cannot be registered is closed.
        if let Ok(socket) = Socket::new(stream) {
            let deadline = server.deadlines.add(Some(socket.waker()));
            Connection { session, socket, deadline, worker, server, _permit: permit }.serve();
        }
    });
}

#[allow(unsafe_code, reason = "a coroutine is spawned")]
fn spawn(builder: Builder, serve: impl FnOnce() + Send + 'static) {
    // SAFETY: A coroutine may continue on another thread after a wait, with other thread-locals. It
    // waits only in `Socket::wait`, and uses thread-locals only in `turn_on_this_thread`, which is
    // not inlined. Its stack has room for several turns, and has a guard page.
    drop(unsafe { builder.spawn(serve) });
}

impl Connection {
    /// Serves the connection to its end. After a handshake, another coroutine continues.
    fn serve(self) {
        let Self { mut session, mut socket, deadline, worker, server, _permit } = self;
        let Server { lifecycle, timeouts, deadlines, .. } = &*server;
        let is_handshaking = session.is_handshaking();
        loop {
            match turn_on_this_thread(&mut session, socket.stream(), timeouts, lifecycle) {
                Turn::Over => return,
                // After may's own yield, it would continue before the events of other connections.
                Turn::Yield => deadlines.wake_soon(&deadline),
                Turn::Readable | Turn::Writable => deadlines.set(&deadline, session.deadline()),
            }
            if is_handshaking && !session.is_handshaking() {
                break;
            }
            socket.wait();
        }
        let rest = Self { session, socket, deadline, worker, server, _permit };
        spawn(Builder::new().id(worker), move || rest.wait_and_serve());
    }

    fn wait_and_serve(mut self) {
        self.socket.wait();
        self.serve();
    }
}
