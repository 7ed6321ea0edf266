//! A connection's first turn, on the thread that accepts it.

use std::net::TcpStream;

use super::server::turn_on_this_thread;
use crate::http::{NonBlocking, Session, Timeouts, Turn};
use crate::lifecycle::ConnectionPermit;

/// A connection that has had its first turn and is still open.
pub struct Accepted {
    /// The socket, in blocking mode.
    pub stream: TcpStream,
    /// Its session so far.
    pub session: Session,
    /// How its first turn ended: never [`Turn::Over`].
    pub turn: Turn,
    /// The permit, which is dropped when the connection is closed.
    pub permit: ConnectionPermit,
}

impl Accepted {
    /// Gives a connection its first turn on this thread, without waiting for the client. Returns
    /// `None` when this turn was also its last. The first request has usually arrived already; when
    /// it is the only one, no other thread has to handle the connection.
    pub fn begin(
        stream: TcpStream,
        mut session: Session,
        permit: ConnectionPermit,
        timeouts: &Timeouts,
    ) -> Option<Self> {
        let mut socket = NonBlocking::new(&stream);
        let turn = turn_on_this_thread(&mut session, &mut socket, timeouts, permit.lifecycle());
        (turn != Turn::Over).then_some(Self { stream, session, turn, permit })
    }
}
