//! What all connections of a server share, where they are tasks or coroutines.

use std::cell::RefCell;
use std::sync::Arc;

use super::deadline::DeadlineThread;
use super::flags::Flags;
use crate::http::{Buffers, Driver, Session, Stream, Timeouts, Turn};
use crate::lifecycle::Lifecycle;
use crate::tls::Encryption;

/// A server whose connections have deadlines.
pub struct Server {
    /// Its stage and its open connections.
    pub lifecycle: Arc<Lifecycle>,
    /// How long a client is waited for.
    pub timeouts: Timeouts,
    /// Wakes connections at their deadlines, and all of them at each new stage.
    pub deadlines: Arc<DeadlineThread>,
    /// What its sessions are encrypted with.
    pub encryption: Encryption,
}

thread_local! {
    /// Lent to a connection for a turn, which never waits: connections that wait hold no buffers.
    static BUFFERS: RefCell<Buffers> = RefCell::default();
}

impl Server {
    /// A server that serves, and over TLS agrees on one of `protocols`. Fails when no thread can be
    /// started, or a certificate cannot be used.
    pub fn start(max_connections: usize, flags: &Flags, protocols: &[&[u8]]) -> anyhow::Result<Arc<Self>> {
        let lifecycle = Lifecycle::new(max_connections);
        let encryption = Encryption::new(flags, protocols)?;
        let deadlines = DeadlineThread::start(&lifecycle)?;
        Ok(Arc::new(Self { lifecycle, timeouts: flags.timeouts(), deadlines, encryption }))
    }
}

/// A turn with this thread's buffers. Other connections wait for the thread, so none may keep it
/// for as long as its client sends; and `stream` does not block.
///
/// A coroutine may continue on another thread after a wait. This is not inlined, so that the
/// compiler cannot keep the address of a thread-local from one turn to the next.
#[inline(never)]
pub fn turn_on_this_thread(
    session: &mut Session,
    stream: &mut impl Stream,
    timeouts: &Timeouts,
    lifecycle: &Lifecycle,
) -> Turn {
    BUFFERS.with_borrow_mut(|buffers| {
        session.turn(Driver { stream, buffers, timeouts, lifecycle, others_wait: || true })
    })
}
