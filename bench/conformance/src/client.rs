//! A client that sends raw bytes, reads answers strictly, and observes how the connection ends.
//!
//! While it sends it also reads, since a server may stop reading until its answers are taken.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::case::{Case, Finish, Messages, Rounds, Step, delayed};
use crate::settings::Settings;
use crate::socket::{Client, Closed, Link, Socket};
use crate::target::Target;
use answers::Response;

/// Enough for a server on this machine to read the first of two writes. A slower server sees both
/// as one, which is also a valid way for the bytes to arrive.
pub(crate) const READ_TIME: Duration = Duration::from_millis(1);

/// The most bytes that are read per exchange: a server that never stops cannot fill the memory.
const MAX_BYTES: usize = 16 * 1024 * 1024;

#[derive(Debug, Default)]
pub(crate) struct Exchange {
    /// The answers, except the one to the probe.
    pub(crate) responses: Vec<Response>,
    /// The offset of each answer in `bytes`.
    pub(crate) starts: Vec<usize>,
    pub(crate) ending: Ending,
    /// Why the bytes after the last answer are malformed, or what did not arrive in time.
    pub(crate) malformed: Option<String>,
    pub(crate) bytes: Vec<u8>,
    /// The offset in `bytes` of the first byte after the answers.
    pub(crate) unread: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The probe was answered.
    Open,
    Eof,
    Reset,
    /// The server has neither answered nor closed so far.
    #[default]
    Silent,
    /// The client gave up: the bytes were not an answer, or an awaited answer did not arrive.
    Stopped,
    /// The server speaks another protocol from here on.
    Switched,
}

impl From<Closed> for Ending {
    fn from(closed: Closed) -> Self {
        match closed {
            Closed::Eof => Self::Eof,
            Closed::Reset => Self::Reset,
        }
    }
}

/// Plays `case` on a new connection to `address`. The request that shows whether the connection is
/// still open, the probe, comes last. The exchange waits for the answer to it or for the end of the
/// connection: for an event, never for time to pass. Fails when it cannot connect.
pub(crate) fn exchange(
    address: SocketAddr,
    case: &Case,
    messages: &Messages,
    settings: &Settings,
) -> std::io::Result<Exchange> {
    let mut connection = RawConnection::connect(address, case, messages, settings)?;
    let (last, steps) = match messages.steps.split_last() {
        Some((Step::Send(last), steps)) if messages.finish == Finish::Probe => (last.as_slice(), steps),
        _ => (&[][..], messages.steps.as_slice()),
    };
    for step in steps {
        connection.play(step);
    }
    match messages.finish {
        // One write, so that the server reads both together on every run.
        Finish::Probe => connection.send(&[last, case.target.probe().as_bytes()].concat()),
        Finish::HalfClose => connection.link.socket.half_close(),
        Finish::Wait | Finish::WaitFor(_) => {}
    }
    let deadline = Instant::now()
        + match messages.finish {
            // Less than the idle timeout, whose close would be mistaken for the expected one.
            Finish::Wait => settings.response_timeout.min(settings.timeouts.idle * 8 / 10),
            Finish::WaitFor(timeout) => settings.timeouts.get(timeout) * 2 + settings.response_timeout / 2,
            Finish::Probe | Finish::HalfClose => settings.response_timeout,
        };
    while connection.is_under_way() && connection.receive(deadline) {}
    connection.take_probe(messages);
    connection.got.unread = connection.parsed;
    Ok(connection.got)
}

/// The longest time that a case may take: its own pauses and timeouts, and three late answers.
fn longest(messages: &Messages, settings: &Settings) -> Duration {
    let paused = |step: &Step| match step {
        Step::Pause(timeout, tenths) => settings.timeouts.get(*timeout) * *tenths / 10,
        Step::Drip(timeout, bytes) => {
            settings.timeouts.get(*timeout) / 10 * u32::try_from(bytes.len()).unwrap_or(u32::MAX)
        }
        Step::Send(_) | Step::Yield | Step::Await(_) | Step::Rounds(_) => Duration::ZERO,
    };
    let last = match messages.finish {
        Finish::WaitFor(timeout) => settings.timeouts.get(timeout) * 2,
        Finish::Probe | Finish::HalfClose | Finish::Wait => Duration::ZERO,
    };
    messages.steps.iter().map(paused).sum::<Duration>() + last + settings.response_timeout * 3
}

struct RawConnection<'a> {
    link: Link,
    settings: &'a Settings,
    target: &'a Target,
    head_only: Vec<bool>,
    /// The exchange so far.
    got: Exchange,
    /// The number of bytes that have been read as answers.
    parsed: usize,
    /// The number of final answers so far.
    finals: usize,
}

impl Client for RawConnection<'_> {
    fn link(&mut self) -> &mut Link {
        &mut self.link
    }

    fn is_under_way(&self) -> bool {
        self.got.ending == Ending::Silent
    }

    fn read(&mut self) {
        let ended = self.link.socket.read(&mut self.got.bytes).map(Ending::from);
        self.parse(ended.is_some());
        let got = &mut self.got;
        if got.bytes.len() > MAX_BYTES {
            got.malformed = Some("the answers do not end".into());
        }
        if got.ending == Ending::Silent {
            let stopped = got.malformed.is_some().then_some(Ending::Stopped);
            got.ending = ended.or(stopped).unwrap_or(Ending::Silent);
        }
    }
}

impl<'a> RawConnection<'a> {
    fn connect(
        address: SocketAddr,
        case: &'a Case,
        messages: &Messages,
        settings: &'a Settings,
    ) -> std::io::Result<Self> {
        let (socket, failure) = Socket::connect(address, case.transport, settings.response_timeout)?;
        let (target, head_only) = (&case.target, messages.head_only());
        let (timeout, end) = (settings.response_timeout, Instant::now() + longest(messages, settings));
        let link = Link { socket, timeout, end };
        let ending = if failure.is_some() { Ending::Stopped } else { Ending::Silent };
        let got = Exchange { malformed: failure, ending, ..Exchange::default() };
        Ok(Self { link, settings, target, head_only, got, parsed: 0, finals: 0 })
    }

    fn play(&mut self, step: &Step) {
        match step {
            Step::Send(bytes) => self.send(bytes),
            Step::Yield => std::thread::sleep(READ_TIME),
            Step::Await(count) => self.wait_for(*count),
            Step::Rounds(rounds) => self.play_rounds(rounds),
            Step::Pause(timeout, tenths) => {
                let deadline = Instant::now() + self.settings.timeouts.get(*timeout) * *tenths / 10;
                while self.is_under_way() && self.receive(deadline) {}
            }
            Step::Drip(timeout, bytes) => {
                let pause = self.settings.timeouts.get(*timeout) / 10;
                for byte in bytes.as_bytes() {
                    self.send(&[*byte]);
                    let deadline = Instant::now() + pause;
                    while self.is_under_way() && self.receive(deadline) {}
                    if !self.is_under_way() || !self.got.responses.is_empty() {
                        break;
                    }
                }
            }
        }
    }

    fn wait_for(&mut self, count: usize) {
        let deadline = Instant::now() + self.settings.response_timeout;
        while self.is_under_way() && self.got.responses.len() < count {
            if !self.receive(deadline) {
                self.stop(format!("answer {count} did not arrive before the client sends more"));
            }
        }
    }

    fn play_rounds(&mut self, rounds: &Rounds) {
        let mut times = Vec::new();
        for _ in 0..rounds.rounds {
            let before = self.got.responses.len();
            self.link.socket.delay_acknowledgements();
            let start = Instant::now();
            self.send(rounds.requests.as_bytes());
            self.wait_for(before + rounds.answers);
            times.push(start.elapsed());
        }
        if let Some(wrong) = delayed(times).filter(|_| self.is_under_way()) {
            self.stop(wrong);
        }
    }

    fn stop(&mut self, wrong: String) {
        self.got.malformed = Some(wrong);
        self.got.ending = Ending::Stopped;
    }

    fn push(&mut self, response: Response) {
        self.got.starts.push(self.parsed);
        self.got.responses.push(response);
    }

    /// Removes the answer to the probe, where every answer has the same body: it is the answer
    /// after the most that the case can have.
    fn take_probe(&mut self, messages: &Messages) {
        let got = &mut self.got;
        let is_fixed = self.target.is_probe(&[]).is_none() && messages.finish == Finish::Probe;
        let is_more =
            got.responses.iter().filter(|answer| !answer.is_interim()).count() > messages.most_answers();
        if is_fixed
            && is_more
            && got.ending == Ending::Eof
            && got.responses.last().is_some_and(|last| last.status == 200)
        {
            got.responses.pop();
            got.starts.pop();
            got.ending = Ending::Open;
        }
    }

    fn parse(&mut self, ended: bool) {
        if self.got.responses.is_empty() && is_settings(&self.got.bytes) {
            self.got.ending = Ending::Switched;
        }
        while self.got.malformed.is_none() && self.is_under_way() {
            let head_only = self.head_only.get(self.finals).copied().unwrap_or(false);
            let rest = &self.got.bytes[self.parsed..];
            match answers::parse(rest, head_only, ended) {
                Ok(Some((response, length))) => {
                    if self.target.is_probe(&response.body) == Some(true) {
                        self.got.ending = Ending::Open;
                    } else if response.status == 101 {
                        self.got.ending = Ending::Switched;
                        self.push(response);
                    } else {
                        self.finals += usize::from(!response.is_interim());
                        self.push(response);
                    }
                    self.parsed += length;
                }
                Ok(None) if ended && !rest.is_empty() => {
                    self.got.malformed = Some("the connection ended within an answer".into());
                }
                Ok(None) => return,
                Err(wrong) => self.got.malformed = Some(wrong),
            }
        }
    }
}

/// Whether the bytes begin with SETTINGS, the first frame of an HTTP/2 server (RFC 9113, sections
/// 3.4 and 6.5).
fn is_settings(bytes: &[u8]) -> bool {
    matches!(bytes, [0, _, _, 4, 0, 0, 0, 0, 0, ..])
}
