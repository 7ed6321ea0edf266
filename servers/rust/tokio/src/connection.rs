//! The life of a connection: one turn after another, in a task of its own.

use std::cell::RefCell;
use std::future::poll_fn;
use std::net::TcpStream;
use std::sync::Arc;
use std::task::{Context, Poll};

use shared::http::{Buffers, Session, Times, Turn};
use shared_tokio::{Alarm, Life};
use tokio::task::yield_now;

use crate::socket::Unwaiting;

thread_local! {
    /// Lent to a connection for one turn, in which it does not wait: so those that wait hold none.
    static BUFFERS: RefCell<Buffers> = RefCell::default();
}

/// A connection that is open.
struct Connection {
    socket: shared_tokio::Socket,
    session: Session,
    alarm: Alarm,
    times: Times,
    life: Arc<Life>,
}

/// Serves a connection to its end.
pub(crate) async fn serve(stream: TcpStream, times: Times, life: Arc<Life>) {
    let (session, alarm) = (Session::default(), Alarm::default());
    let mut connection = Connection { socket: stream.into(), session, alarm, times, life };
    while poll_fn(|context| connection.poll(context)).await != Turn::Over {
        // It comes back after those for which there are events.
        yield_now().await;
    }
}

impl Connection {
    /// A turn; ready when it was the last, or when there has to be another one.
    fn poll(&mut self, context: &mut Context) -> Poll<Turn> {
        let stage = self.life.stage();
        let turn = self.turn(context);
        if matches!(turn, Turn::Over | Turn::GiveWay) {
            return Poll::Ready(turn);
        }
        let Some(deadline) = self.session.deadline() else { return Poll::Pending };
        let is_late = self.alarm.poll(&self.life, context, deadline).is_ready();
        // Of a stage that has come before the alarm was set nobody else tells.
        if is_late || self.life.stage() != stage { Poll::Ready(Turn::GiveWay) } else { Poll::Pending }
    }

    fn turn(&mut self, context: &mut Context) -> Turn {
        // Before a client is given up, the kernel is asked whether anything has come from it.
        let insists = self.alarm.has_rung();
        let mut stream = Unwaiting { socket: &mut self.socket, context, insists };
        BUFFERS.with_borrow_mut(|buffers| {
            self.session.turn(&mut stream, buffers, &self.times, self.life.as_ref())
        })
    }
}
