//! A case of HTTP/2: the frames that the client sends, and how the server may respond.

use std::fmt;
use std::time::Duration;

use super::frame::{code, code_name};
use crate::expected::Expected;
use crate::settings::{SHORT, Timeout, Timeouts};

/// The stream of the probe, which shows whether a connection is still served. It is above the
/// streams of all cases, since stream identifiers only rise.
pub(super) const PROBE: u32 = 1001;

/// The decoder's dynamic table in bytes, unless SETTINGS set it (RFC 9113, section 6.5.2).
pub(super) const TABLE: u32 = 4096;

/// The most streams that a case opens at once.
pub(super) const MOST_STREAMS: u32 = 300;

/// The number of times that a [`Step::Drip`] sends its bytes.
pub(super) const DRIPS: u32 = 30;

/// What the client sends on a new connection, and the alternatives for the server's response.
#[derive(Clone, Debug)]
pub(crate) struct Frames {
    pub(super) steps: Vec<Step>,
    pub(super) finish: Finish,
    pub(super) alternatives: Vec<Alternative>,
    /// The size of the dynamic table that answers may use.
    pub(super) table: u32,
    /// The request that is sent last, with [`Finish::Probe`].
    pub(super) probe: Vec<u8>,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Sends these bytes in one write.
    Send(Vec<u8>),
    /// Gives the server time to read what was sent.
    Yield,
    /// Waits for this event.
    Await(Event),
    /// Is silent for this number of tenths of a timeout.
    Pause(Timeout, u32),
    /// Acknowledges nothing from here on, since the client may send a part of a frame.
    Silence,
    /// Sends these bytes repeatedly, a tenth of a timeout apart, until the connection ends or three
    /// times the timeout is over.
    Drip(Timeout, Vec<u8>),
    /// Fails if the server has sent more than this number of bytes of content on a stream, where
    /// stream 0 stands for all streams.
    AtMost(u32, usize),
    /// Sends these rounds of requests, each when the previous one is answered on its streams. Shows
    /// whether the answers wait for a TCP acknowledgement.
    Rounds(Vec<(Vec<u8>, Vec<u32>)>),
    /// Sends these bytes for the unfinished stream on which the least content has arrived.
    Unfinished(fn(u32) -> Vec<u8>),
    /// Sends this number of requests with this field block, each with the content of a full frame,
    /// once there is room for it.
    Upload(u32, Vec<u8>),
    /// Opens as many streams as the server allows at once, and one more, with this field block.
    Exceed(Vec<u8>),
}

/// An event that the client can wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// SETTINGS of the server.
    Settings,
    /// This number of acknowledgements of the client's SETTINGS.
    Acks(usize),
    /// The answer to a PING with this data.
    Pong(u64),
    /// The head of the final answer on this stream.
    Head(u32),
    /// This number of bytes of content on this stream, where stream 0 stands for all streams.
    Content(u32, usize),
    /// The end of the answer on this stream.
    End(u32),
}

/// How the client finds out in the end whether the connection is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finish {
    /// The client sends one more request in the last write; [`End::Open`] requires its answer.
    Probe,
    /// The client does nothing but read, until one of the alternatives holds.
    Wait,
    /// The client does nothing but read: the server closes after one of its timeouts.
    WaitFor(Timeout),
}

#[derive(Clone, Debug)]
pub(super) struct Alternative {
    pub(super) wants: Vec<Want>,
    /// The state of the connection at the end.
    pub(super) end: End,
    /// Whether the RFCs allow this alternative, but do not ask for it first. It is then a strict
    /// failure, whatever the severity of the case.
    pub(super) is_left_open: bool,
}

/// Something that the server has to send on a connection, or must not send.
#[derive(Clone, Debug)]
pub(super) enum Want {
    /// A whole answer on a stream.
    Answer(u32, Expected),
    /// An answer of 4xx or 5xx on a stream, ended by END_STREAM or by a reset.
    Refusal(u32),
    /// A reset of a stream with one of these codes, or with any code if the list is empty.
    Reset(u32, &'static [u32]),
    /// No answer on a stream.
    NoAnswer(u32),
    /// No content on a stream.
    NoContent(u32),
    /// A reset of any stream with one of these codes, or with any code if the list is empty.
    SomeReset(&'static [u32]),
    /// An answer to a PING with this data.
    Pong(u64),
    /// No answer to a PING with this data.
    NoPong(u64),
    /// Exactly this number of acknowledgements of SETTINGS.
    Acks(usize),
    /// The server allows larger frames than every server has to, so that the frame of the case is
    /// no error.
    LargeFrames,
    /// The server allows at least as many streams as a case opens, or does not limit them.
    ManyStreams,
}

/// The state of the connection after the last frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Open: a further request is answered.
    Open,
    /// GOAWAY with one of these codes, and then closed.
    GoAway(&'static [u32]),
    /// GOAWAY with any code, or closed, or both.
    Closed,
    /// Closed, with GOAWAY or without.
    Over,
    /// Closed without more frames, or refused by an answer of HTTP/1.1.
    Refused,
    /// Open or closed.
    Any,
}

impl Frames {
    /// A script with one write and no alternative.
    pub(super) fn new(bytes: Vec<u8>, probe: Vec<u8>) -> Self {
        let steps = vec![Step::Send(bytes)];
        Self { steps, finish: Finish::Probe, alternatives: Vec::new(), table: TABLE, probe }
    }

    pub(super) fn or(mut self, wants: impl Into<Vec<Want>>, end: End) -> Self {
        self.alternatives.push(Alternative { wants: wants.into(), end, is_left_open: false });
        self
    }

    pub(super) fn left_open(mut self, wants: impl Into<Vec<Want>>, end: End) -> Self {
        self.alternatives.push(Alternative { wants: wants.into(), end, is_left_open: true });
        self
    }

    pub(super) fn then(mut self, steps: impl IntoIterator<Item = Step>) -> Self {
        self.steps.extend(steps);
        self
    }

    pub(super) fn with_finish(self, finish: Finish) -> Self {
        Self { finish, ..self }
    }

    pub(super) fn with_table(self, table: u32) -> Self {
        Self { table, ..self }
    }

    /// The bytes of the case, if it is also sent split: one short write that waits for no timeout.
    pub(crate) fn short_write(&self) -> Option<&[u8]> {
        match (self.steps.as_slice(), self.finish) {
            (_, Finish::WaitFor(_)) => None,
            ([Step::Send(bytes)], _) if bytes.len() <= SHORT => Some(bytes),
            _ => None,
        }
    }

    /// The total time of the script's own pauses.
    pub(super) fn pauses(&self, timeouts: &Timeouts) -> Duration {
        let pause = |step: &Step| match step {
            Step::Pause(timeout, tenths) => timeouts.get(*timeout) * *tenths / 10,
            Step::Drip(timeout, _) => timeouts.get(*timeout) * DRIPS / 10,
            _ => Duration::ZERO,
        };
        self.steps.iter().map(pause).sum()
    }

    /// Returns the script in two writes, the first of `at` bytes.
    pub(super) fn split(&self, at: usize) -> Self {
        let mut frames = self.clone();
        if let [Step::Send(bytes)] = frames.steps.as_mut_slice() {
            let rest = bytes.split_off(at.min(bytes.len()));
            frames.steps.extend([Step::Yield, Step::Send(rest)]);
        }
        frames
    }

    /// The right alternatives in words, such as `200 on stream 1, then open`.
    pub(crate) fn right(&self) -> String {
        let right = self.alternatives.iter().filter(|alternative| !alternative.is_left_open);
        right.map(ToString::to_string).collect::<Vec<_>>().join("; or ")
    }

    /// The streams on which an alternative wants an answer or a reset.
    pub(super) fn streams(&self) -> impl Iterator<Item = u32> + '_ {
        self.alternatives.iter().flat_map(|alternative| &alternative.wants).filter_map(|want| match want {
            Want::Answer(stream, _) | Want::Refusal(stream) | Want::Reset(stream, _) => Some(*stream),
            _ => None,
        })
    }
}

impl fmt::Display for Alternative {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wants: Vec<String> = self.wants.iter().map(ToString::to_string).collect();
        match wants.as_slice() {
            [] => {}
            [first, .., last] if wants.len() > 4 => write!(out, "{first} … {last} ({} in all)", wants.len())?,
            few => out.write_str(&few.join(", "))?,
        }
        let separator = if wants.is_empty() { "" } else { ", then " };
        match self.end {
            End::Open => write!(out, "{separator}open"),
            End::GoAway(codes) => write!(out, "{separator}GOAWAY {} and closed", codes_named(codes)),
            End::Closed => write!(out, "{separator}GOAWAY or closed"),
            End::Over => write!(out, "{separator}closed"),
            End::Refused => write!(out, "{separator}closed, or an error of HTTP/1.1 and closed"),
            End::Any if wants.is_empty() => out.write_str("anything"),
            End::Any => Ok(()),
        }
    }
}

impl fmt::Display for Want {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(stream, answer) => write!(out, "{answer} on stream {stream}"),
            Self::Refusal(stream) => write!(out, "an error status on stream {stream}"),
            Self::Reset(stream, []) => write!(out, "RST_STREAM of stream {stream}"),
            Self::Reset(stream, codes) => {
                write!(out, "RST_STREAM {} of stream {stream}", codes_named(codes))
            }
            Self::NoAnswer(stream) => write!(out, "no answer on stream {stream}"),
            Self::NoContent(stream) => write!(out, "no content on stream {stream}"),
            Self::SomeReset(codes) => write!(out, "RST_STREAM {} of a stream", codes_named(codes)),
            Self::Pong(data) => write!(out, "PING with ACK and {data:#x}"),
            Self::NoPong(data) => write!(out, "no PING with ACK and {data:#x}"),
            Self::Acks(count) => write!(out, "{count} × SETTINGS with ACK"),
            Self::LargeFrames => out.write_str("a larger SETTINGS_MAX_FRAME_SIZE"),
            Self::ManyStreams => out.write_str("a larger SETTINGS_MAX_CONCURRENT_STREAMS"),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings => out.write_str("SETTINGS"),
            Self::Acks(count) => write!(out, "{count} × SETTINGS with ACK"),
            Self::Pong(data) => write!(out, "PING with ACK and {data:#x}"),
            Self::Head(stream) => write!(out, "an answer on stream {stream}"),
            Self::Content(stream, count) => write!(out, "{count} bytes of content on stream {stream}"),
            Self::End(stream) => write!(out, "the end of the answer on stream {stream}"),
        }
    }
}

/// The names of the codes without the general ones, which are always right; `PROTOCOL_ERROR` if
/// there are no others.
pub(super) fn codes_named(codes: &[u32]) -> String {
    let general = [code::PROTOCOL_ERROR, code::INTERNAL_ERROR];
    let special: Vec<String> =
        codes.iter().filter(|code| !general.contains(code)).map(|code| code_name(*code)).collect();
    if special.is_empty() { code_name(code::PROTOCOL_ERROR) } else { special.join(" or ") }
}
