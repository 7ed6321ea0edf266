//! The life of a connection: one turn after another, in a task of its own.

use std::cell::RefCell;
use std::future::poll_fn;
use std::net::TcpStream;
use std::sync::Arc;
use std::task::{Context, Poll};

use shared::http::{Buffers, Session, Timeouts, Turn};
use shared_tokio::{Lifecycle, TaskTimer};
use tokio::task::yield_now;

use crate::socket::NonBlocking;

thread_local! {
    /// Lent to a connection for one turn, in which it does not wait: so those that wait hold none.
    static BUFFERS: RefCell<Buffers> = RefCell::default();
}

/// A connection that is open.
struct Connection {
    socket: shared_tokio::Socket,
    session: Session,
    alarm: TaskTimer,
    times: Timeouts,
    lifecycle: Arc<Lifecycle>,
}

/// Serves a connection to its end.
pub(crate) async fn serve(stream: TcpStream, times: Timeouts, lifecycle: Arc<Lifecycle>) {
    let (session, alarm) = (Session::default(), TaskTimer::default());
    let mut connection = Connection { socket: stream.into(), session, alarm, times, lifecycle };
    while poll_fn(|context| connection.poll(context)).await != Turn::Over {
        // It comes back after those for which there are events.
        yield_now().await;
    }
}

impl Connection {
    /// A turn; ready when it was the last, or when there has to be another one.
    fn poll(&mut self, context: &mut Context) -> Poll<Turn> {
        let stage = self.lifecycle.stage();
        let turn = self.turn(context);
        if matches!(turn, Turn::Over | Turn::Yield) {
            return Poll::Ready(turn);
        }
        let Some(deadline) = self.session.deadline() else { return Poll::Pending };
        let is_late = self.alarm.poll(&self.lifecycle, context, deadline).is_ready();
        // Of a stage that has come before the alarm was set nobody else tells.
        if is_late || self.lifecycle.stage() != stage { Poll::Ready(Turn::Yield) } else { Poll::Pending }
    }

    fn turn(&mut self, context: &mut Context) -> Turn {
        // Before a client is given up, the kernel is asked whether anything has come from it.
        let insists = self.alarm.has_rung();
        let mut stream = NonBlocking { socket: &mut self.socket, context, insists };
        BUFFERS.with_borrow_mut(|buffers| {
            self.session.turn(&mut stream, buffers, &self.times, self.lifecycle.as_ref())
        })
    }
}
