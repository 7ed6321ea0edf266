//! A connection's coroutine.

use std::os::fd::AsRawFd;
use std::sync::Arc;

use may::coroutine::Builder;
use shared::http::{Session, Turn};
use shared::process::{Accepted, Server, turn_on_this_thread};

use crate::socket::Socket;

/// Starts a coroutine for a connection.
#[allow(unsafe_code, reason = "a coroutine is spawned")]
pub(crate) fn start(accepted: Accepted, server: &Arc<Server>) {
    let Accepted { stream, session, permit, .. } = accepted;
    let server = Arc::clone(server);
    // The descriptor's number selects the worker that the socket's events go to.
    let worker = usize::try_from(stream.as_raw_fd()).unwrap_or_default();
    let serve = move || {
        // A socket that cannot be registered is closed.
        if let Ok(socket) = Socket::new(stream) {
            serve(session, socket, &server);
        }
        drop(permit);
    };
    // SAFETY: A coroutine may continue on another thread after a wait, where thread-locals are
    // others. It waits in `Socket::wait` alone, and uses thread-locals in `turn_on_this_thread`
    // alone, which is not inlined. Its stack holds several turns, and has a guard page.
    drop(unsafe { Builder::new().id(worker).spawn(serve) });
}

fn serve(mut session: Session, mut socket: Socket, server: &Server) {
    let Server { lifecycle, timeouts, deadlines, .. } = server;
    let deadline = deadlines.add(Some(socket.waker()));
    loop {
        match turn_on_this_thread(&mut session, socket.stream(), timeouts, lifecycle) {
            Turn::Over => return,
            // After may's own yield it would continue before the events of other connections.
            Turn::Yield => deadlines.wake_soon(&deadline),
            Turn::Readable | Turn::Writable => deadlines.set(&deadline, session.deadline()),
        }
        socket.wait();
    }
}
