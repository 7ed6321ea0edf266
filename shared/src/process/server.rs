//! The state that all connections of a server share, when they are tasks or coroutines.

use std::cell::RefCell;
use std::sync::Arc;

use super::deadline::DeadlineThread;
use super::flags::Flags;
use crate::http::{Buffers, Driver, Session, Stream, Timeouts, Turn};
use crate::lifecycle::Lifecycle;
use crate::tls::Encryption;

/// The shared state of a server whose connections have deadlines.
pub struct Server {
    /// Its stage and its open connections.
    pub lifecycle: Arc<Lifecycle>,
    /// The times that the server waits for a client.
    pub timeouts: Timeouts,
    /// Wakes connections at their deadlines, and all of them at each new stage.
    pub deadlines: Arc<DeadlineThread>,
    /// The encryption of its sessions.
    pub encryption: Encryption,
}

thread_local! {
    /// The buffers that a connection borrows for a turn. A turn never waits, so connections that
    /// wait hold no buffers.
    static BUFFERS: RefCell<Buffers> = RefCell::default();
}

impl Server {
    /// Creates the state of a server, which over TLS agrees on one of `protocols`, and starts its
    /// deadline thread. Fails when the thread cannot be started or a certificate cannot be used.
    pub fn start(max_connections: usize, flags: &Flags, protocols: &[&[u8]]) -> anyhow::Result<Arc<Self>> {
        let lifecycle = Lifecycle::new(max_connections);
        let encryption = Encryption::new(flags, protocols)?;
        let deadlines = DeadlineThread::start(&lifecycle)?;
        Ok(Arc::new(Self { lifecycle, timeouts: flags.timeouts(), deadlines, encryption }))
    }
}

/// Runs a turn with this thread's buffers. The turn assumes that other connections wait for the
/// thread, so that a client that keeps sending cannot occupy it. `stream` must not block.
///
/// A coroutine may continue on another thread after a wait. This function is not inlined, so that
/// the compiler cannot keep the address of a thread-local from one turn to the next.
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
