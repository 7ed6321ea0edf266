//! A server whose connections are accepted by threads of their own: from its ready line to its end.

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use socket2::SockRef;

use super::flags::Flags;
use super::lifecycle::{ConnectionPermit, Lifecycle};
use super::{announce, close, on_signal};
use crate::http::limits::DRAIN_GRACE;

/// How long an accept waits before it looks whether the server is about to end.
const LOOK_AFTER: Duration = Duration::from_millis(100);

/// How long to wait for a descriptor when there is none. A connection that closes ends the wait.
const PAUSE: Duration = Duration::from_millis(100);

/// Threads that accept at most. Each takes some tens of thousands of connections a second, more than there are ports for.
const ACCEPTORS: usize = 4;

/// What a thread that accepts needs.
struct Reception<'a, T> {
    listener: &'a TcpListener,
    lifecycle: &'a Arc<Lifecycle>,
    take: &'a T,
}

/// Announces the server and hands each connection, with its place, to `take` until a signal asks for the drain. Returns when
/// all connections are closed, or the drain's limit after the signal.
///
/// Connections are accepted by several threads. Once no more can come, and [`Lifecycle::is_ending`], `end` is called: connections
/// that wait have to learn of it.
pub fn serve(
    listener: TcpListener,
    lifecycle: &Arc<Lifecycle>,
    flags: &Flags,
    take: impl Fn(TcpStream, ConnectionPermit) + Sync,
    end: impl FnOnce(),
) -> anyhow::Result<()> {
    let draining = Arc::clone(lifecycle);
    on_signal(move || draining.begin_drain())?;
    // An accept that waits for ever would not notice the drain.
    SockRef::from(&listener)
        .set_read_timeout(Some(LOOK_AFTER))
        .context("cannot set the listener's timeout")?;
    announce(listener.local_addr().context("cannot read the address listened on")?)?;

    let reception = Reception { listener: &listener, lifecycle, take: &take };
    let grace = DRAIN_GRACE.min(flags.drain_timeout);
    let drain_began = thread::scope(|scope| {
        for _ in 1..acceptors(flags) {
            let builder = thread::Builder::new().name("acceptor".into());
            // Where no thread can be started, those that there are do the work.
            let _ = builder.spawn_scoped(scope, || reception.accept_until_drained(grace));
        }
        reception.accept_until_drained(grace)
    });
    close(listener, |stream| take(stream, lifecycle.extra_place()))?;
    lifecycle.end();
    end();
    lifecycle.wait_until_empty(drain_began + flags.drain_timeout);
    Ok(())
}

fn acceptors(flags: &Flags) -> usize {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    flags.workers_or_cores().min(cores).min(ACCEPTORS)
}

impl<T: Fn(TcpStream, ConnectionPermit)> Reception<'_, T> {
    /// Accepts connections until `grace` after the drain began, and says when that was: clients that are just connecting get
    /// an answer that closes, instead of a reset.
    fn accept_until_drained(&self, grace: Duration) -> Instant {
        while !self.lifecycle.is_draining() {
            self.accept();
        }
        let drain_began = Instant::now();
        while drain_began.elapsed() < grace {
            self.accept();
        }
        drain_began
    }

    /// Accepts a connection if one comes. Without a place or a descriptor for it, it stays in the kernel's queue.
    fn accept(&self) {
        let Some(place) = self.lifecycle.place(PAUSE) else { return };
        match self.listener.accept() {
            Ok((stream, _)) => (self.take)(stream, place),
            Err(error) => {
                drop(place);
                let harmless = [ErrorKind::WouldBlock, ErrorKind::Interrupted, ErrorKind::ConnectionAborted];
                if !harmless.contains(&error.kind()) {
                    self.lifecycle.wait_for_a_close(PAUSE);
                }
            }
        }
    }
}
