//! A connection: its session, and the socket that it runs on.

use std::time::Instant;

use mio::net::TcpStream;
use shared::http::{Buffers, Pace, Session, Times, Turn};

use crate::life::Place;
use crate::socket::Socket;

/// A connection that is open.
pub(crate) struct Connection {
    pub(crate) socket: Socket,
    session: Session,
    /// Whether it has given way, so that it has its turn in the next round, whatever happens to it.
    gives_way: bool,
    _place: Place,
}

impl Connection {
    /// One that has just been accepted.
    pub(crate) fn new(stream: TcpStream, place: Place) -> Self {
        Self { socket: Socket::new(stream), session: Session::default(), gives_way: false, _place: place }
    }

    /// Answers what has come, as far as its share goes.
    pub(crate) fn turn(&mut self, buffers: &mut Buffers, times: &Times, pace: &impl Pace) -> Turn {
        let turn = self.session.turn(&mut self.socket, buffers, times, pace);
        self.gives_way = turn == Turn::GiveWay;
        turn
    }

    pub(crate) fn gives_way(&self) -> bool {
        self.gives_way
    }

    /// When it has to have a turn at the latest.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.session.deadline()
    }
}
