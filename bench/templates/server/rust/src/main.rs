//! The endpoint with a blocking thread for each connection. The rest is in `shared`: the behaviour
//! of a server as a program (`process`), and HTTP over any stream (`http::Session`).

use std::net::TcpStream;
use std::process::ExitCode;
use std::time::Duration;

use shared::http::{Buffers, Driver, Session, Timeouts, Turn};
use shared::lifecycle::{ConnectionPermit, Lifecycle};
use shared::process::{self, Flags};

/// How long a thread waits for its client before it checks the clock and the server's stage.
const INTERVAL: Duration = Duration::from_millis(250);

/// The size of a thread's stack: several times what a session takes, and small enough for thousands
/// of threads.
const STACK_BYTES: usize = 128 * 1024;

fn main() -> ExitCode {
    shared::program!("std").run(run)
}

fn run(flags: &Flags) -> anyhow::Result<()> {
    let lifecycle = Lifecycle::new(flags.connections()?);
    let listener = process::bind(&flags.addresses()?)?;
    let timeouts = flags.timeouts();
    // Prints the ready line, then accepts connections until the end, each with its permit.
    process::serve(listener, &lifecycle, flags, |stream, permit| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
        // If no thread can be started, or the socket fails, the connection is closed.
        drop(thread.spawn(move || talk(stream, &permit, &timeouts)));
    })
}

/// Serves a connection until it is over.
fn talk(mut stream: TcpStream, permit: &ConnectionPermit, timeouts: &Timeouts) -> std::io::Result<()> {
    stream.set_read_timeout(Some(INTERVAL))?;
    stream.set_write_timeout(Some(INTERVAL))?;
    let (mut session, mut buffers) = (Session::default(), Buffers::default());
    loop {
        let turn = session.turn(Driver {
            stream: &mut stream,
            buffers: &mut buffers,
            timeouts,
            lifecycle: permit.lifecycle(),
            others_wait: || false, // for this thread, which has one connection
        });
        if turn == Turn::Over {
            return Ok(());
        }
    }
}
