//! The endpoint with a blocking thread for each connection. What is not here is in `shared`: how a server behaves as a
//! program (`process`), and HTTP over any stream (`http::Session`).

use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use shared::http::{Buffers, Pace, Session, Timeouts, Turn};
use shared::process::{self, Lifecycle, ConnectionPermit};

/// How long a thread waits for its client before it looks at the clock, and whether the server is about to end.
const PATIENCE: Duration = Duration::from_millis(250);

/// A thread's stack, several times what a session takes, so that thousands of threads fit into memory.
const STACK_BYTES: usize = 128 * 1024;

/// The endpoint with a blocking thread for each connection
#[derive(Parser)]
#[command(name = "server-NAME", version = process::version(env!("CARGO_PKG_VERSION"), &["std"]))]
struct Flags {
    #[command(flatten)]
    process: process::Flags,
}

/// What all connections have in common.
struct Server {
    lifecycle: Arc<Lifecycle>,
    times: Timeouts,
}

fn main() -> ExitCode {
    process::exit(run(&Flags::parse().process))
}

fn run(flags: &process::Flags) -> anyhow::Result<()> {
    let lifecycle = Lifecycle::new(flags.connections()?);
    let listener = process::bind(flags.address()?)?;
    let server = Arc::new(Server { lifecycle: Arc::clone(&lifecycle), times: flags.timeouts() });
    // From the ready line to the end: it accepts, and hands each connection over with its place among those that may be open.
    process::serve(listener, &lifecycle, flags, |stream, place| server.start(stream, place), || {})
}

impl Server {
    fn start(self: &Arc<Self>, stream: TcpStream, place: ConnectionPermit) {
        let server = Arc::clone(self);
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
        // Where no thread can be had the connection is closed, and so is one whose socket fails.
        drop(thread.spawn(move || server.talk(stream, place)));
    }

    fn talk(&self, mut stream: TcpStream, _place: ConnectionPermit) -> std::io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let (mut session, mut buffers) = (Session::default(), Buffers::default());
        while session.turn(&mut stream, &mut buffers, &self.times, self) != Turn::Over {}
        Ok(())
    }
}

/// What a session asks of its server.
impl Pace for Server {
    fn others_wait(&self) -> bool {
        false // for this thread, which has one connection
    }

    fn is_draining(&self) -> bool {
        self.lifecycle.is_draining()
    }

    fn is_ending(&self) -> bool {
        self.lifecycle.is_ending()
    }
}
