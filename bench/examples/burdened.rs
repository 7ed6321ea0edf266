//! A test server whose requests cost a known bit more, to find out which differences a measurement can see.
//!
//! It is the endpoint on a thread a connection. With `--burden N` it counts at each request up to what takes N nanoseconds of a
//! core of its own; without, it does nothing of the kind. How far it has to count is found out at the start.
//!
//! What that is worth: no request looks at the clock, so what a thread is kept from its core for is not taken for burnt. But a
//! server that is slower is also asked otherwise: it is likely that the load tool waits for it more often, and that waking the tool
//! costs CPU time too. A burden of 5 % was seen as one of 3 to 8 % in all; see METHODOLOGY.md.
//!
//! It keeps the process contract and all rules of the endpoint but its timeouts. It is no server to be compared with others.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use shared::http::{Connection, Wants, limits};
use shared::process::{self, Life};

/// How long a read waits before it looks whether the server is about to end.
const LOOK_AFTER: Duration = Duration::from_millis(100);

/// As in the server `threads`, with room for what is read.
const STACK_BYTES: usize = 128 * 1024 + limits::HEAD_BYTES;

/// The endpoint with a burden
#[derive(Parser)]
#[command(name = "server-burdened", version = process::version(env!("CARGO_PKG_VERSION"), &["std", "httparse"]))]
struct Flags {
    #[command(flatten)]
    process: process::Flags,

    /// CPU time that each request costs more
    #[arg(long, value_name = "NANOSECONDS")]
    burden: Option<u32>,
}

fn main() -> ExitCode {
    process::exit(run(&Flags::parse()))
}

fn run(flags: &Flags) -> anyhow::Result<()> {
    let life = Life::new(flags.process.connections()?);
    let listener = process::bind(flags.process.address()?)?;
    let burden = flags.burden.map(|nanoseconds| steps(Duration::from_nanos(nanoseconds.into())));
    let ours = Arc::clone(&life);
    let take = move |stream, place| {
        let life = Arc::clone(&ours);
        let serve = move || {
            // A connection that ends badly is its client's to complain about.
            let _ = answer(stream, burden, &life);
            drop(place);
        };
        // Without a thread for it, the connection is closed.
        let _ = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(serve);
    };
    process::serve(listener, &life, flags.process.drain_timeout, take, || {})
}

/// Answers a connection's requests until it ends.
fn answer(mut stream: TcpStream, burden: Option<u32>, life: &Life) -> std::io::Result<()> {
    stream.set_read_timeout(Some(LOOK_AFTER))?;
    let mut connection = Connection::default();
    let (mut input, mut output) = (Vec::new(), Vec::new());
    let mut buffer = [0; limits::HEAD_BYTES];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => input.extend_from_slice(buffer.get(..read).unwrap_or_default()),
            Err(error) if is_passing(&error) && !life.is_ending() => continue,
            Err(error) => return Err(error),
        }
        loop {
            let progress = connection.advance(&input, &mut output, life.is_draining());
            input.drain(..progress.consumed);
            if let Some(steps) = burden {
                (0..progress.answered).for_each(|_| spin(steps));
            }
            stream.write_all(&output)?;
            output.clear();
            match progress.wants {
                Wants::Flush => {}
                Wants::Input => break,
                Wants::Close => return Ok(()),
            }
        }
    }
}

fn is_passing(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

/// Counts so far. The black box makes each step wait for the one before it.
fn spin(steps: u32) {
    let mut step = 0;
    while std::hint::black_box(step) < steps {
        step += 1;
    }
}

/// How many steps take so long on a core of our own: by the fastest of some tries, as others may have the core in the
/// meantime.
fn steps(time: Duration) -> u32 {
    const STEPS: u32 = 1_000_000;
    let took = || {
        let began = Instant::now();
        spin(STEPS);
        began.elapsed()
    };
    let fastest = (0..20).map(|_| took()).min().unwrap_or_default().max(Duration::from_nanos(1));
    u32::try_from(u128::from(STEPS) * time.as_nanos() / fastest.as_nanos()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test says what is wrong by its panic")]

    use std::net::TcpListener;

    use super::*;

    #[test]
    fn answers_are_the_endpoints_whatever_the_burden() {
        for burden in [None, Some(0), Some(10_000)] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let server = std::thread::spawn(move || {
                let (stream, _) = listener.accept().unwrap();
                answer(stream, burden, &Life::new(1))
            });
            let mut client = TcpStream::connect(address).unwrap();
            let close = "GET /b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
            write!(client, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n{close}").unwrap();
            let mut got = String::new();
            client.read_to_string(&mut got).unwrap();
            let bodies: Vec<&str> = got.lines().filter(|line| line.starts_with("Hello")).collect();
            let expected = ["/a", "/b"].map(|path| format!("Hello, visitor! You've requested: {path}"));
            assert_eq!(bodies, expected, "{burden:?}: {got}");
            server.join().unwrap().unwrap();
        }
    }
}
