//! A client that sends raw bytes, reads answers strictly, and finds out how the connection ends.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::Settings;
use super::case::{Case, Finish, Step};
use super::response::{self, Response};

/// The request that finds out whether a connection is still open. Its answer, or the end of the connection,
/// is what an exchange waits for: an event, never a pause.
const PROBE: &[u8] = b"GET /probe HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n";
const PROBE_BODY: &[u8] = b"Hello, visitor! You've requested: /probe\n";

/// Enough for a server on this machine to read what was sent, so that it sees two writes. Should it take
/// longer, it sees one, and the case is none the worse.
const A_READ: Duration = Duration::from_millis(1);

/// Bytes that are read of one exchange at most, so that a server that does not stop cannot fill the memory.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// What came back on one connection.
#[derive(Debug)]
pub(super) struct Exchange {
    /// The answers, without that to the probe.
    pub(super) responses: Vec<Response>,
    /// How it ended.
    pub(super) ending: Ending,
    /// What is wrong with the bytes that are no whole answer, if there are any.
    pub(super) broken: Option<String>,
    /// All bytes that were read.
    pub(super) bytes: Vec<u8>,
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The probe was answered.
    Open,
    /// The server ended its side.
    Eof,
    /// The server reset the connection.
    Reset,
    /// Nothing came any more, and the connection did not end.
    Silent,
    /// The client stopped, since what came was no answer, or none came that it waited for.
    Stopped,
}

/// Does what `case` says on a fresh connection to `address`. An error when there is no connection.
pub(super) fn exchange(address: SocketAddr, case: &Case, settings: &Settings) -> std::io::Result<Exchange> {
    let mut client = Client::connect(address, case.head_only(), settings)?;
    let (last, steps) = match case.steps.split_last() {
        Some((Step::Send(last), steps)) if case.finish == Finish::Probe => (last.as_slice(), steps),
        _ => (&[][..], case.steps.as_slice()),
    };
    for step in steps {
        client.take(step);
    }
    match case.finish {
        // One write, so that it does not depend on luck whether a server reads them together.
        Finish::Probe => client.send(&[last, PROBE].concat()),
        Finish::HalfClose => client.half_close(),
        Finish::Wait | Finish::WaitFor(_) => {}
    }
    let deadline = Instant::now()
        + match case.finish {
            // Its idle timeout must not be taken for the server's obedience.
            Finish::Wait => settings.patience.min(settings.timeouts.idle * 8 / 10),
            Finish::WaitFor(timeout) => settings.timeouts.of(timeout) * 2 + settings.patience / 2,
            Finish::Probe | Finish::HalfClose => settings.patience,
        };
    while client.ending.is_none() && client.receive(deadline) {}
    Ok(client.into_exchange())
}

struct Client<'a> {
    stream: TcpStream,
    settings: &'a Settings,
    /// Which of the final answers have no body, because they are to a HEAD.
    head_only: Vec<bool>,
    bytes: Vec<u8>,
    /// How many of the bytes are in `responses`.
    parsed: usize,
    responses: Vec<Response>,
    /// How many of the responses are final ones.
    finals: usize,
    broken: Option<String>,
    ending: Option<Ending>,
}

impl<'a> Client<'a> {
    fn connect(address: SocketAddr, head_only: Vec<bool>, settings: &'a Settings) -> std::io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, settings.patience)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            settings,
            head_only,
            bytes: Vec::new(),
            parsed: 0,
            responses: Vec::new(),
            finals: 0,
            broken: None,
            ending: None,
        })
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Send(bytes) => self.send(bytes),
            Step::Yield => std::thread::sleep(A_READ),
            Step::Await(count) => {
                let deadline = Instant::now() + self.settings.patience;
                while self.ending.is_none() && self.responses.len() < *count {
                    if !self.receive(deadline) {
                        self.broken = Some(format!("answer {count} did not come before more was sent"));
                        self.ending = Some(Ending::Stopped);
                    }
                }
            }
            Step::Pause(timeout, tenths) => {
                let deadline = Instant::now() + self.settings.timeouts.of(*timeout) * *tenths / 10;
                while self.ending.is_none() && self.receive(deadline) {}
            }
            Step::Drip(timeout, bytes) => {
                let pause = self.settings.timeouts.of(*timeout) / 10;
                for byte in bytes.as_bytes() {
                    self.send(&[*byte]);
                    let deadline = Instant::now() + pause;
                    while self.ending.is_none() && self.receive(deadline) {}
                    if self.ending.is_some() || !self.responses.is_empty() {
                        break;
                    }
                }
            }
        }
    }

    /// Sends `bytes`, and reads what comes meanwhile, so that neither side waits for the other one to read. A
    /// server may close before it has read all, which is for its answers to tell.
    fn send(&mut self, mut bytes: &[u8]) {
        let deadline = Instant::now() + self.settings.patience;
        while self.ending.is_none() && !bytes.is_empty() {
            match self.stream.write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if !self.wait(PollFlags::POLLIN | PollFlags::POLLOUT, deadline) {
                        return;
                    }
                    self.read();
                }
                Err(_) => return,
            }
        }
    }

    fn half_close(&mut self) {
        // It fails where the server has reset the connection, which reading tells too.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Waits for bytes and reads them; false when none have come until the deadline.
    fn receive(&mut self, deadline: Instant) -> bool {
        let readable = self.wait(PollFlags::POLLIN, deadline);
        if readable {
            self.read();
        }
        readable
    }

    fn wait(&self, events: PollFlags, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        // Rounded up, so that it does not spin through the last millisecond.
        let left = PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
        let mut descriptors = [PollFd::new(self.stream.as_fd(), events)];
        match poll(&mut descriptors, left) {
            Ok(ready) => ready > 0,
            Err(error) => error == nix::errno::Errno::EINTR,
        }
    }

    /// Reads what is there, and takes the answers that are whole.
    fn read(&mut self) {
        let mut buffer = [0; 64 * 1024];
        let ended = match self.stream.read(&mut buffer) {
            Ok(0) => Some(Ending::Eof),
            Ok(read) => {
                self.bytes.extend_from_slice(&buffer[..read]);
                None
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => None,
            Err(_) => Some(Ending::Reset),
        };
        self.parse(ended.is_some());
        self.ending = self.ending.or(ended);
        if self.bytes.len() > MOST_BYTES {
            self.broken = Some("there is no end to the answers".into());
        }
        if self.broken.is_some() {
            self.ending = self.ending.or(Some(Ending::Stopped));
        }
    }

    fn parse(&mut self, ended: bool) {
        while self.broken.is_none() && self.ending.is_none() {
            let head_only = self.head_only.get(self.finals).copied().unwrap_or(false);
            let rest = &self.bytes[self.parsed..];
            match response::parse(rest, head_only, ended) {
                Ok(Some((response, length))) => {
                    self.parsed += length;
                    if response.body == PROBE_BODY {
                        self.ending = Some(Ending::Open);
                    } else {
                        self.finals += usize::from(!response.is_interim());
                        self.responses.push(response);
                    }
                }
                Ok(None) if ended && !rest.is_empty() => {
                    self.broken = Some("the connection ended within an answer".into());
                }
                Ok(None) => return,
                Err(wrong) => self.broken = Some(wrong),
            }
        }
    }

    fn into_exchange(self) -> Exchange {
        let ending = self.ending.unwrap_or(Ending::Silent);
        Exchange { responses: self.responses, ending, broken: self.broken, bytes: self.bytes }
    }
}
