//! A server whose connections are accepted by one thread: from its ready line to its end.

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use socket2::SockRef;

use super::life::{Life, Place};
use super::{announce, close, on_signal};
use crate::http::limits::DRAIN_GRACE;

/// How long an accept waits before it looks whether the server is about to end.
const LOOK_AFTER: Duration = Duration::from_millis(100);

/// How long to wait for a descriptor when there is none. A connection that closes ends the wait.
const PAUSE: Duration = Duration::from_millis(100);

/// Announces the server and hands each connection, with its place, to `take` until a signal asks for the drain. Returns
/// when all connections are closed, or `drain_limit` after the signal.
///
/// Once no more can come, and [`Life::is_ending`], `end` is called: connections that wait have to learn of it.
pub fn serve(
    listener: TcpListener,
    life: &Arc<Life>,
    drain_limit: Duration,
    mut take: impl FnMut(TcpStream, Place),
    end: impl FnOnce(),
) -> anyhow::Result<()> {
    let draining = Arc::clone(life);
    on_signal(move || draining.begin_drain())?;
    // An accept that waits for ever would not notice the drain.
    SockRef::from(&listener)
        .set_read_timeout(Some(LOOK_AFTER))
        .context("cannot set the listener's timeout")?;
    announce(listener.local_addr().context("cannot read the address listened on")?)?;

    while !life.is_draining() {
        accept(&listener, life, &mut take);
    }
    let drain_began = Instant::now();
    // Clients that are just connecting get an answer that closes, instead of a reset.
    while drain_began.elapsed() < DRAIN_GRACE.min(drain_limit) {
        accept(&listener, life, &mut take);
    }
    close(listener, |stream| take(stream, life.extra_place()))?;
    life.end();
    end();
    life.wait_until_empty(drain_began + drain_limit);
    Ok(())
}

/// Accepts a connection if one comes. Without a place or a descriptor for it, it stays in the kernel's queue.
fn accept(listener: &TcpListener, life: &Arc<Life>, take: &mut impl FnMut(TcpStream, Place)) {
    let Some(place) = life.place(PAUSE) else { return };
    match listener.accept() {
        Ok((stream, _)) => take(stream, place),
        Err(error) => {
            drop(place);
            let harmless = [ErrorKind::WouldBlock, ErrorKind::Interrupted, ErrorKind::ConnectionAborted];
            if !harmless.contains(&error.kind()) {
                life.wait_for_a_close(PAUSE);
            }
        }
    }
}
