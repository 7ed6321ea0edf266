//! A test server whose requests cost a known bit more, to find out which differences a measurement can see.
//!
//! It is the endpoint on one thread that waits for all connections. With `--burden N` it counts at each request up to what takes
//! N nanoseconds of a core of its own; without, it does nothing of the kind. How far it has to count is found out at the start.
//!
//! What that is worth: no request looks at the clock, so what the thread is kept from its core for is not taken for burnt. But a
//! server that is slower is also asked otherwise: how many requests come together is the load tool's doing. See METHODOLOGY.md.
//!
//! It keeps the process contract and all rules of the endpoint but its timeouts, and closes a connection that does not take its
//! answers. It is no server to be compared with others.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token, Waker};
use shared::http::{Connection, Wants, limits};
use shared::lifecycle::Lifecycle;
use shared::process;

/// Of the waker; connections have others.
const WAKE: Token = Token(0);

/// Events that are taken at a time; there may be more, which come the next time.
const EVENTS: usize = 256;

/// The endpoint with a burden
#[derive(clap::Args)]
struct Flags {
    #[command(flatten)]
    process: process::Flags,

    /// CPU time that each request costs more
    #[arg(long, value_name = "NANOSECONDS")]
    burden: Option<u32>,
}

fn main() -> ExitCode {
    let version = process::version(env!("CARGO_PKG_VERSION"), &["mio", "httparse"]);
    process::Program { name: "server-burdened", about: "The endpoint with a burden", version }.run(run)
}

fn run(flags: &Flags) -> anyhow::Result<()> {
    let lifecycle = Lifecycle::new(flags.process.connections()?);
    let listener = process::bind(flags.process.address()?)?;
    let burden = flags.burden.map(|nanoseconds| steps(Duration::from_nanos(nanoseconds.into())));
    let poll = Poll::new()?;
    let waker = Waker::new(poll.registry(), WAKE)?;
    let (give, accepted) = mpsc::channel();
    let ours = Arc::clone(&lifecycle);
    std::thread::spawn(move || answer_all(poll, &accepted, burden, &ours));
    let waker = Arc::new(waker);
    let end = Arc::clone(&waker);
    lifecycle.on_change(move || {
        let _ = end.wake();
    });
    let take = |stream, place| {
        // The other thread is there as long as the program is; if it were not, the connection would be closed.
        let _ = give.send((stream, place));
        let _ = waker.wake();
    };
    process::serve(listener, &lifecycle, &flags.process, take)
}

/// Answers the requests of all connections, each of which keeps its place until it is closed.
fn answer_all<P>(
    mut poll: Poll,
    accepted: &Receiver<(std::net::TcpStream, P)>,
    burden: Option<u32>,
    lifecycle: &Lifecycle,
) {
    let mut open: HashMap<Token, Open<P>> = HashMap::new();
    let mut events = Events::with_capacity(EVENTS);
    let mut next = WAKE.0;
    while poll.poll(&mut events, None).or_else(interrupted).is_ok() {
        for event in &events {
            if event.token() != WAKE {
                let goes_on =
                    open.get_mut(&event.token()).is_some_and(|open| open.advance(burden, lifecycle));
                if !goes_on {
                    open.remove(&event.token());
                }
            }
        }
        for (stream, place) in accepted.try_iter() {
            next += 1;
            if let Ok(stream) = register(&poll, stream, Token(next)) {
                open.insert(Token(next), Open::new(stream, place));
            }
        }
        if lifecycle.is_ending() {
            open.clear();
        }
    }
}

fn interrupted(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == ErrorKind::Interrupted { Ok(()) } else { Err(error) }
}

fn register(poll: &Poll, stream: std::net::TcpStream, token: Token) -> std::io::Result<TcpStream> {
    stream.set_nonblocking(true)?;
    let mut stream = TcpStream::from_std(stream);
    poll.registry().register(&mut stream, token, Interest::READABLE)?;
    Ok(stream)
}

/// A connection that is open.
struct Open<P> {
    stream: TcpStream,
    connection: Connection,
    input: Vec<u8>,
    output: Vec<u8>,
    _place: P,
}

impl<P> Open<P> {
    fn new(stream: TcpStream, place: P) -> Self {
        let (input, output) = (Vec::new(), Vec::new());
        Self { stream, connection: Connection::default(), input, output, _place: place }
    }

    /// Answers what has come; whether the connection goes on.
    fn advance(&mut self, burden: Option<u32>, lifecycle: &Lifecycle) -> bool {
        let mut buffer = [0; limits::HEAD_BYTES];
        loop {
            let read = match self.stream.read(&mut buffer) {
                Ok(0) => return false,
                Ok(read) => read,
                Err(error) => return error.kind() == ErrorKind::WouldBlock,
            };
            self.input.extend_from_slice(buffer.get(..read).unwrap_or_default());
            if !self.answer(burden, lifecycle) {
                return false;
            }
            // There is no more: the kernel tells when there is.
            if read < buffer.len() {
                return true;
            }
        }
    }

    fn answer(&mut self, burden: Option<u32>, lifecycle: &Lifecycle) -> bool {
        loop {
            let progress = self.connection.advance(&self.input, &mut self.output, lifecycle.is_draining());
            self.input.drain(..progress.consumed);
            if let Some(steps) = burden {
                (0..progress.answered).for_each(|_| spin(steps));
            }
            let written = self.stream.write_all(&self.output);
            self.output.clear();
            match progress.wants {
                _ if written.is_err() => return false,
                Wants::Flush => {}
                Wants::Input => return true,
                Wants::Close => return false,
            }
        }
    }
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

    use super::*;

    #[test]
    fn answers_are_the_endpoints_whatever_the_burden() {
        for burden in [None, Some(0), Some(10_000)] {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let poll = Poll::new().unwrap();
            let waker = Waker::new(poll.registry(), WAKE).unwrap();
            let (give, accepted) = mpsc::channel();
            let lifecycle = Lifecycle::new(1);
            give.send((listener.accept().unwrap().0, ())).unwrap();
            waker.wake().unwrap();
            std::thread::spawn(move || answer_all(poll, &accepted, burden, &lifecycle));

            let close = "GET /b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
            write!(client, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n{close}").unwrap();
            let mut got = String::new();
            client.read_to_string(&mut got).unwrap();
            let bodies: Vec<&str> = got.lines().filter(|line| line.starts_with("Hello")).collect();
            let expected = ["/a", "/b"].map(|path| format!("Hello, visitor! You've requested: {path}"));
            assert_eq!(bodies, expected, "{burden:?}: {got}");
        }
    }
}
