//! A connection's first turn, where it is accepted.

use std::cell::RefCell;
use std::net::TcpStream;

use super::lifecycle::{ConnectionPermit, Lifecycle};
use super::non_blocking::NonBlocking;
use crate::http::{Buffers, Pace, Session, Timeouts, Turn};

/// A connection that has had its first turn, and goes on.
pub struct Accepted {
    /// Its socket, which blocks.
    pub stream: TcpStream,
    /// Its session so far.
    pub session: Session,
    /// How its first turn ended: never [`Turn::Over`].
    pub turn: Turn,
    /// To be dropped when it is closed.
    pub place: ConnectionPermit,
}

/// What a turn has to know of a server that has just accepted the connection.
struct Accepting<'a>(&'a Lifecycle);

thread_local! {
    static BUFFERS: RefCell<Buffers> = RefCell::default();
}

impl Accepted {
    /// Gives a connection its first turn on this thread, which does not wait in it; `None` when it is over by that. Its first
    /// request may be there already, and when that is the only one, nobody else has to hear of the connection.
    pub fn begin(
        stream: TcpStream,
        place: ConnectionPermit,
        times: &Timeouts,
        lifecycle: &Lifecycle,
    ) -> Option<Self> {
        let mut session = Session::default();
        let turn = BUFFERS.with_borrow_mut(|buffers| {
            session.turn(&mut NonBlocking::new(&stream), buffers, times, &Accepting(lifecycle))
        });
        (turn != Turn::Over).then_some(Self { stream, session, turn, place })
    }
}

impl Pace for Accepting<'_> {
    /// Those that are not accepted yet.
    fn others_wait(&self) -> bool {
        true
    }

    fn is_draining(&self) -> bool {
        self.0.is_draining()
    }

    fn is_ending(&self) -> bool {
        self.0.is_ending()
    }
}
