//! A test server whose requests cost a known amount of CPU time more, to find the smallest
//! difference that a measurement sees.
//!
//! It serves the endpoint on one thread with an event loop. With `--burden N` each request also
//! runs a counting loop that takes N nanoseconds of a core; the number of steps is calibrated at
//! the start.
//!
//! The loop does not read the clock, so time in which the thread does not run is not counted as
//! burden. But a slower server also gets its requests in other batches, as the load tool decides
//! how many arrive together. See METHODOLOGY.md.
//!
//! It keeps the process contract and all rules of the endpoint except the timeouts, and closes a
//! connection whose client does not read. It is not meant to be compared with other servers.

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
use shared::process::{self, Flag, FlagSet, Values};

/// The token of the waker; connections have others.
const WAKE: Token = Token(0);

/// The number of events taken at once; more wait for the next poll.
const EVENTS: usize = 256;

struct BurdenFlags {
    process: process::Flags,
    /// Additional CPU time per request, in nanoseconds.
    burden: Option<u32>,
}

impl FlagSet for BurdenFlags {
    fn list() -> Vec<Flag> {
        let burden = Flag::new("burden", "NANOSECONDS", "Additional CPU time per request");
        process::Flags::list().into_iter().chain([burden]).collect()
    }

    fn read(values: &Values) -> anyhow::Result<Self> {
        Ok(Self { process: process::Flags::read(values)?, burden: values.get("burden", str::parse)? })
    }
}

fn main() -> ExitCode {
    let version = || Ok(process::version(env!("CARGO_PKG_VERSION"), &["mio", "httparse"]));
    process::Program { name: "server-burdened", about: "The endpoint with a burden", version }.run(run)
}

fn run(arguments: &BurdenFlags) -> anyhow::Result<()> {
    let lifecycle = Lifecycle::new(arguments.process.connections()?);
    let listener = process::bind(&arguments.process.addresses()?)?;
    let burden = arguments.burden.map(|nanoseconds| steps(Duration::from_nanos(nanoseconds.into())));
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
        // The other thread runs as long as the program; without it the connection would be closed.
        let _ = give.send((stream, place));
        let _ = waker.wake();
    };
    process::serve(listener, &lifecycle, &arguments.process, take)
}

/// Answers the requests of all connections. Each keeps its permit until it is closed.
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
                let stays_open =
                    open.get_mut(&event.token()).is_some_and(|open| open.advance(burden, lifecycle));
                if !stays_open {
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

/// An open connection.
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

    /// Answers what has arrived. Returns whether the connection stays open.
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
            // Nothing is left: the next bytes cause another event.
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

/// Counts to `steps`. The black box makes each step depend on the one before it.
fn spin(steps: u32) {
    let mut step = 0;
    while std::hint::black_box(step) < steps {
        step += 1;
    }
}

/// The number of steps that take this time on a core: by the fastest of several tries, as another
/// process may use the core during some of them.
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
    #![allow(clippy::unwrap_used, reason = "a panic fails the test")]

    use super::*;

    #[test]
    fn answers_are_right_with_any_burden() {
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
