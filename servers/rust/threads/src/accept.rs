//! The thread that accepts connections.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use socket2::SockRef;

use crate::client::Client;
use crate::pool::Pool;
use crate::state::State;

/// How long an accept waits before it looks whether the server is about to end.
const LOOK_AFTER: Duration = Duration::from_millis(100);

/// How long connections are still accepted once the drain has begun. Clients that are just connecting get an answer
/// that closes, instead of a reset.
const GRACE: Duration = Duration::from_millis(500);

/// How long to wait for a descriptor when there is none. A connection that closes ends the wait.
const PAUSE: Duration = Duration::from_millis(100);

/// Hands connections to the pool until the drain has begun and its grace has passed. Then those that the kernel has
/// already accepted are taken too, and only then is the listener closed: closing it first would reset them.
pub(crate) fn until_drain(listener: TcpListener, pool: &Arc<Pool>, state: &Arc<State>) -> anyhow::Result<()> {
    SockRef::from(&listener)
        .set_read_timeout(Some(LOOK_AFTER))
        .context("cannot set the listener's timeout")?;
    let mut drain_ends = None;
    loop {
        if state.is_draining() && Instant::now() >= *drain_ends.get_or_insert_with(|| Instant::now() + GRACE)
        {
            break;
        }
        accept(&listener, pool, state);
    }
    listener.set_nonblocking(true).context("cannot make the listener non-blocking")?;
    while accept(&listener, pool, state) {}
    drop(listener);
    Ok(())
}

/// Whether a connection came. Without a place or a descriptor for it, it stays in the kernel's queue.
fn accept(listener: &TcpListener, pool: &Arc<Pool>, state: &Arc<State>) -> bool {
    let Some(place) = state.place(PAUSE) else { return false };
    match listener.accept() {
        Ok((stream, _)) => {
            pool.push(Client::new(stream, place));
            true
        }
        Err(error) => {
            drop(place);
            let harmless = [ErrorKind::WouldBlock, ErrorKind::Interrupted, ErrorKind::ConnectionAborted];
            if !harmless.contains(&error.kind()) {
                state.wait_for_a_close(PAUSE);
            }
            false
        }
    }
}
