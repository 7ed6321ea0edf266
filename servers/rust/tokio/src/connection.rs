//! A connection's task: one turn of its session after another.

use std::future::poll_fn;
use std::net::TcpStream;
use std::sync::Arc;
use std::task::{Context, Poll};

use shared::http::{Session, Turn};
use shared::lifecycle::ConnectionPermit;
use shared::process::{Server, TaskTimer, turn_on_this_thread};
use shared_tokio::{Socket, TaskStream};
use tokio::task::yield_now;

/// An open connection.
struct Connection {
    socket: Socket,
    session: Session,
    timer: TaskTimer,
    server: Arc<Server>,
}

/// Serves a connection to its end.
pub(crate) async fn serve(stream: TcpStream, permit: ConnectionPermit, server: Arc<Server>) {
    let Ok(session) = server.encryption.session() else { return };
    let (socket, timer) = (stream.into(), TaskTimer::default());
    let mut connection = Connection { socket, session, timer, server };
    while poll_fn(|context| connection.poll(context)).await != Turn::Over {
        // Connections with events have their turn first.
        yield_now().await;
    }
    drop(connection);
    drop(permit);
}

impl Connection {
    /// Runs a turn. Ready when it was the last one, or when another one has to follow now.
    fn poll(&mut self, context: &mut Context) -> Poll<Turn> {
        let stage = self.server.lifecycle.stage();
        let turn = self.turn(context);
        if matches!(turn, Turn::Over | Turn::Yield) {
            return Poll::Ready(turn);
        }
        let Some(deadline) = self.session.deadline() else { return Poll::Pending };
        let is_late = self.timer.poll(&self.server.deadlines, context, deadline).is_ready();
        // The timer does not report a stage that began before it was registered.
        let is_changed = self.server.lifecycle.stage() != stage;
        if is_late || is_changed { Poll::Ready(Turn::Yield) } else { Poll::Pending }
    }

    fn turn(&mut self, context: &mut Context) -> Turn {
        // Before a client times out, the kernel is asked whether it has sent something.
        let insists = self.timer.has_fired();
        let mut stream = TaskStream { socket: &mut self.socket, context, insists };
        let Server { timeouts, lifecycle, .. } = &*self.server;
        turn_on_this_thread(&mut self.session, &mut stream, timeouts, lifecycle)
    }
}
