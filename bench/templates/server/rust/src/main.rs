//! The endpoint with a blocking thread for each connection. What is not here is in `shared`: how a
//! server behaves as a program (`process`), and HTTP over any stream (`http::Session`).

use std::net::TcpStream;
use std::process::ExitCode;
use std::time::Duration;

use shared::http::{Buffers, Driver, Session, Timeouts, Turn};
use shared::lifecycle::{ConnectionPermit, Lifecycle};
use shared::process::{self, Flags};

/// How long a thread waits for its client before it looks at the clock, and at the server's stage.
const INTERVAL: Duration = Duration::from_millis(250);

/// A thread's stack: several times what a session takes, and little enough for thousands of them.
const STACK_BYTES: usize = 128 * 1024;

fn main() -> ExitCode {
    shared::program!("std").run(run)
}

fn run(flags: &Flags) -> anyhow::Result<()> {
    let lifecycle = Lifecycle::new(flags.connections()?);
    let listener = process::bind(&flags.addresses()?)?;
    let timeouts = flags.timeouts();
    // From the ready line to the end: it accepts, and hands each connection over with its permit.
    process::serve(listener, &lifecycle, flags, |stream, permit| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
        // Where no thread can be started, or its socket fails, the connection is closed.
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
