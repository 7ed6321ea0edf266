//! A server whose connections are accepted by threads of their own: from its ready line to its end.

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use socket2::SockRef;

use super::flags::Flags;
use super::life::{Life, Place};
use super::unwaiting::Unwaiting;
use super::{announce, close, on_signal};
use crate::http::limits::DRAIN_GRACE;
use crate::http::{Buffers, Pace, Session, Times, Turn};

/// How long an accept waits before it looks whether the server is about to end.
const LOOK_AFTER: Duration = Duration::from_millis(100);

/// How long to wait for a descriptor when there is none. A connection that closes ends the wait.
const PAUSE: Duration = Duration::from_millis(100);

/// Threads that accept at most. Each takes some tens of thousands of connections a second, more than there are ports for.
const ACCEPTORS: usize = 4;

/// A connection that has had its first turn, and goes on.
pub struct Accepted {
    /// Its socket, which blocks.
    pub stream: TcpStream,
    /// Its session so far.
    pub session: Session,
    /// How its first turn ended: never [`Turn::Over`].
    pub turn: Turn,
    /// To be dropped when it is closed.
    pub place: Place,
}

/// What becomes of new connections, wherever they are accepted.
struct Reception<'a, T> {
    life: &'a Arc<Life>,
    times: Times,
    take: T,
}

/// Announces the server and hands connections to `take` until a signal asks for the drain. Returns when all connections are
/// closed, or the drain's limit after the signal.
///
/// A connection has its first turn where it is accepted, and does not wait in it: mostly its first request is there already, and
/// when that is the only one nobody else has to hear of the connection. Once no more can come, and [`Life::is_ending`], `end`
/// is called: connections that wait have to learn of it.
pub fn serve(
    listener: TcpListener,
    life: &Arc<Life>,
    flags: &Flags,
    take: impl Fn(Accepted) + Sync,
    end: impl FnOnce(),
) -> anyhow::Result<()> {
    let draining = Arc::clone(life);
    on_signal(move || draining.begin_drain())?;
    // An accept that waits for ever would not notice the drain.
    SockRef::from(&listener)
        .set_read_timeout(Some(LOOK_AFTER))
        .context("cannot set the listener's timeout")?;
    announce(listener.local_addr().context("cannot read the address listened on")?)?;

    let reception = Reception { life, times: flags.times(), take };
    let grace = DRAIN_GRACE.min(flags.drain_timeout);
    let drain_began = thread::scope(|scope| {
        for _ in 1..acceptors(flags) {
            let builder = thread::Builder::new().name("acceptor".into());
            // Where no thread can be started, those that there are do the work.
            let _ = builder.spawn_scoped(scope, || reception.accept_until_drained(&listener, grace));
        }
        reception.accept_until_drained(&listener, grace)
    });
    let mut buffers = Buffers::default();
    close(listener, |stream| reception.begin(stream, life.extra_place(), &mut buffers))?;
    life.end();
    end();
    life.wait_until_empty(drain_began + flags.drain_timeout);
    Ok(())
}

fn acceptors(flags: &Flags) -> usize {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    flags.workers_or_cores().min(cores).min(ACCEPTORS)
}

impl<T: Fn(Accepted)> Reception<'_, T> {
    /// Accepts connections until `grace` after the drain began, and says when that was: clients that are just connecting get
    /// an answer that closes, instead of a reset.
    fn accept_until_drained(&self, listener: &TcpListener, grace: Duration) -> Instant {
        let mut buffers = Buffers::default();
        while !self.life.is_draining() {
            self.accept(listener, &mut buffers);
        }
        let drain_began = Instant::now();
        while drain_began.elapsed() < grace {
            self.accept(listener, &mut buffers);
        }
        drain_began
    }

    /// Accepts a connection if one comes. Without a place or a descriptor for it, it stays in the kernel's queue.
    fn accept(&self, listener: &TcpListener, buffers: &mut Buffers) {
        let Some(place) = self.life.place(PAUSE) else { return };
        match listener.accept() {
            Ok((stream, _)) => self.begin(stream, place, buffers),
            Err(error) => {
                drop(place);
                let harmless = [ErrorKind::WouldBlock, ErrorKind::Interrupted, ErrorKind::ConnectionAborted];
                if !harmless.contains(&error.kind()) {
                    self.life.wait_for_a_close(PAUSE);
                }
            }
        }
    }

    /// A connection's first turn.
    fn begin(&self, stream: TcpStream, place: Place, buffers: &mut Buffers) {
        let mut session = Session::default();
        let turn = session.turn(&mut Unwaiting::new(&stream), buffers, &self.times, self);
        if turn != Turn::Over {
            (self.take)(Accepted { stream, session, turn, place });
        }
    }
}

impl<T> Pace for Reception<'_, T> {
    /// Those that are not accepted yet.
    fn others_wait(&self) -> bool {
        true
    }

    fn is_draining(&self) -> bool {
        self.life.is_draining()
    }

    fn is_ending(&self) -> bool {
        self.life.is_ending()
    }
}
