//! A connection: its session, and the socket that it runs on.

use std::time::Instant;

use mio::net::TcpStream;
use shared::http::{Buffers, Pace, Session, Timeouts, Turn};

use crate::lifecycle::ConnectionPermit;
use crate::socket::Socket;

/// A connection that is open.
pub(crate) struct Connection {
    pub(crate) socket: Socket,
    session: Session,
    /// Whether it has given way, so that it has its turn in the next round, whatever happens to it.
    yields: bool,
    _place: ConnectionPermit,
}

impl Connection {
    /// One that has just been accepted.
    pub(crate) fn new(stream: TcpStream, place: ConnectionPermit) -> Self {
        Self { socket: Socket::new(stream), session: Session::default(), yields: false, _place: place }
    }

    /// Answers what has come, as far as its share goes.
    pub(crate) fn turn(&mut self, buffers: &mut Buffers, times: &Timeouts, pace: &impl Pace) -> Turn {
        let turn = self.session.turn(&mut self.socket, buffers, times, pace);
        self.yields = turn == Turn::Yield;
        turn
    }

    pub(crate) fn yields(&self) -> bool {
        self.yields
    }

    /// When it has to have a turn at the latest.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.session.deadline()
    }
}
