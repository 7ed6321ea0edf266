//! A test server whose requests take a known additional amount of CPU time, to find the smallest
//! difference that a measurement can detect.
//!
//! It serves the endpoint on one thread with an event loop. With `--burden N` each request also
//! runs a counting loop that takes N nanoseconds of a core; the number of steps is calibrated at
//! the start.
//!
//! The loop does not read the clock, so time in which the thread does not run is not counted as
//! burden. But a slower server also gets its requests in different batches, since the load tool
//! decides how many arrive together. See METHODOLOGY.md.
//!
//! It keeps the process contract and all rules of the endpoint except the timeouts and the cap on
//! connections, and closes a connection whose client does not read. It is not meant to be compared
//! with other servers.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};
use shared::http::{Connection, Wants, limits};
use shared::lifecycle::Lifecycle;
use shared::process::{self, Flag, FlagSet, Values};

/// Tokens of events that are not a connection's.
const WAKE: Token = Token(0);
const LISTENER: Token = Token(1);

/// The maximum number of events per poll. Further events wait for the next poll.
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
    let flags = &arguments.process;
    let lifecycle = Lifecycle::new(flags.connections()?);
    let listener = process::bind(&flags.addresses()?)?;
    let burden = arguments.burden.map(|nanoseconds| steps(Duration::from_nanos(nanoseconds.into())));
    let poll = Poll::new()?;
    let waker = Waker::new(poll.registry(), WAKE)?;
    lifecycle.on_change(move || {
        let _ = waker.wake();
    });
    process::drain_on_signal(&lifecycle, flags.drain_timeout)?;
    process::announce(flags, listener.local_addr()?)?;
    listener.set_nonblocking(true)?;
    answer_all(poll, TcpListener::from_std(listener), burden, &lifecycle)
}

/// Accepts connections and answers their requests, until the server is ending.
fn answer_all(
    mut poll: Poll,
    mut listener: TcpListener,
    burden: Option<u32>,
    lifecycle: &Lifecycle,
) -> anyhow::Result<()> {
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut open: HashMap<Token, Open> = HashMap::new();
    let mut events = Events::with_capacity(EVENTS);
    let mut next = LISTENER.0;
    while !lifecycle.is_ending() {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error.into()),
            _ => {}
        }
        for event in &events {
            match event.token() {
                WAKE => {}
                LISTENER => {
                    while let Ok((mut stream, _)) = listener.accept() {
                        next += 1;
                        poll.registry().register(&mut stream, Token(next), Interest::READABLE)?;
                        open.insert(Token(next), Open::new(stream));
                    }
                }
                token => {
                    if !open.get_mut(&token).is_some_and(|open| open.advance(burden, lifecycle)) {
                        open.remove(&token);
                    }
                }
            }
        }
    }
    Ok(())
}

/// An open connection.
struct Open {
    stream: TcpStream,
    connection: Connection,
    input: Vec<u8>,
    output: Vec<u8>,
}

impl Open {
    fn new(stream: TcpStream) -> Self {
        Self { stream, connection: Connection::default(), input: Vec::new(), output: Vec::new() }
    }

    /// Answers the requests that have arrived. Returns whether the connection stays open.
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

/// Returns the number of steps that take this time on a core. The fastest of several tries counts,
/// since another process may use the core during some of them.
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
