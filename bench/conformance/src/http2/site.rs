//! The server that the cases are made for, and the kinds of case that several subjects use.

use super::frame::{PREFACE, WINDOW, code, request, setting, settings};
use super::hpack::{field, index, indexed, named};
use super::hpack::{fields, form};
use super::script::{End, Event, Frames, PROBE, Step, Want};
use crate::case::{Case, Script};
use crate::expected::Expected;
use crate::rules::Rule;
use crate::socket::Transport;
use crate::target::Target;

/// The server that the cases are made for.
#[derive(Clone, Copy)]
pub(super) struct Site<'a> {
    pub(super) transport: Transport,
    pub(super) target: &'a Target,
}

/// Codes of an error: the specific code, and the general ones, which can always replace it (RFC
/// 9113, section 5.4).
pub(super) mod codes {
    use super::code;

    pub(in super::super) const PROTOCOL: &[u32] = &[code::PROTOCOL_ERROR, code::INTERNAL_ERROR];
    pub(in super::super) const FLOW_CONTROL: &[u32] =
        &[code::FLOW_CONTROL_ERROR, code::PROTOCOL_ERROR, code::INTERNAL_ERROR];
    pub(in super::super) const CLOSED: &[u32] =
        &[code::STREAM_CLOSED, code::PROTOCOL_ERROR, code::INTERNAL_ERROR];
    pub(in super::super) const SIZE: &[u32] =
        &[code::FRAME_SIZE_ERROR, code::PROTOCOL_ERROR, code::INTERNAL_ERROR];
    pub(in super::super) const COMPRESSION: &[u32] =
        &[code::COMPRESSION_ERROR, code::PROTOCOL_ERROR, code::INTERNAL_ERROR];
    pub(in super::super) const REFUSED: &[u32] =
        &[code::REFUSED_STREAM, code::PROTOCOL_ERROR, code::INTERNAL_ERROR];
}

impl Site<'_> {
    pub(super) fn is_tls(&self) -> bool {
        self.transport != Transport::Plain
    }

    fn scheme(&self) -> &'static str {
        if self.is_tls() { "https" } else { "http" }
    }

    /// The field `:scheme` in one byte, as an index of the static table.
    pub(super) fn scheme_byte(&self) -> Vec<u8> {
        indexed(if self.is_tls() { index::SCHEME_HTTPS } else { index::SCHEME_HTTP })
    }

    /// The path of requests that may have any path.
    pub(super) fn path(&self) -> &str {
        match self.target {
            Target::Greeting => "/a",
            Target::Fixed { path, .. } => path,
        }
    }

    /// Whether each path has its own answer.
    pub(super) fn greets(&self) -> bool {
        *self.target == Target::Greeting
    }

    /// The expected answer for [`Site::path`].
    pub(super) fn answer(&self) -> Expected {
        match self.target {
            Target::Greeting => Expected::greeting("/a"),
            Target::Fixed { body, .. } => Expected::greeting("/a").with_text(body),
        }
    }

    /// The field block of a request to the host `h`, which leaves the dynamic table as it is.
    pub(super) fn block(&self, method: &str, path: &str) -> Vec<u8> {
        self.block_for(method, path, "h")
    }

    /// The field block of a request to this host, which leaves the dynamic table as it is.
    pub(super) fn block_for(&self, method: &str, path: &str, host: &str) -> Vec<u8> {
        let method = match method {
            "GET" => indexed(index::METHOD_GET),
            other => named(form::PLAIN, index::METHOD, other),
        };
        let path = named(form::PLAIN, index::PATH, path);
        [method, self.scheme_byte(), path, named(form::PLAIN, index::AUTHORITY, host)].concat()
    }

    /// The field block of a GET.
    pub(super) fn get(&self) -> Vec<u8> {
        self.block("GET", self.path())
    }

    /// The field block of a GET with more fields.
    pub(super) fn get_with(&self, more: &[(&str, &str)]) -> Vec<u8> {
        [self.get(), fields(more)].concat()
    }

    /// The field block of a POST with a `content-type`.
    pub(super) fn post(&self) -> Vec<u8> {
        [self.block("POST", self.path()), field("content-type", "text/plain")].concat()
    }

    /// The names and values of the pseudo-fields of a GET.
    pub(super) fn pseudo(&self) -> [(&'static str, String); 4] {
        [
            (":method", "GET".into()),
            (":scheme", self.scheme().into()),
            (":path", self.path().into()),
            (":authority", "h".into()),
        ]
    }

    /// The probe: the request after the bytes of a case.
    fn probe(&self) -> Vec<u8> {
        let path = if self.greets() { "/probe" } else { self.path() };
        request(PROBE, &self.block("GET", path))
    }

    /// A script that begins with these bytes, as they are.
    pub(super) fn raw(&self, bytes: Vec<u8>) -> Frames {
        Frames::new(bytes, self.probe())
    }

    /// A script that begins with the client's preface and then these bytes.
    pub(super) fn sent(&self, bytes: impl AsRef<[u8]>) -> Frames {
        self.raw([&opened(&[]), bytes.as_ref()].concat())
    }

    /// A script that sends these bytes while the answer on stream 1 waits for a window, so that
    /// only the client's side of the stream has ended. Then it opens the window again.
    pub(super) fn blocked(&self, bytes: Vec<u8>) -> Frames {
        let values = [(setting::INITIAL_WINDOW_SIZE, 0)];
        let steps = [Step::Await(Event::Head(1)), send([bytes, initial_window(WINDOW)].concat())];
        self.raw([opened(&values), request(1, &self.get())].concat()).then(steps)
    }

    /// A script of the preface and the probe alone.
    pub(super) fn served(&self) -> Frames {
        self.sent([]).or([], End::Open)
    }

    /// A case of this site.
    pub(super) fn case(&self, name: &'static str, rule: Rule, frames: Frames) -> Case {
        let case = Case::scripted(name, rule, self.transport, Script::Frames(frames));
        Case { target: self.target.clone(), ..case }
    }

    /// A case whose request on stream 1 is answered, after which the connection stays open.
    pub(super) fn answered(&self, name: &'static str, rule: Rule, bytes: impl AsRef<[u8]>) -> Case {
        let frames = self.sent(bytes).or([Want::Answer(1, self.answer())], End::Open);
        self.case(name, rule, frames)
    }

    /// A case in which the connection stays open, whatever else is answered.
    pub(super) fn open(&self, name: &'static str, rule: Rule, bytes: impl AsRef<[u8]>) -> Case {
        self.case(name, rule, self.sent(bytes).or([], End::Open))
    }

    /// A case of a connection error: the server closes, and SHOULD send GOAWAY first.
    pub(super) fn connection_error(
        &self,
        name: &'static str,
        rule: Rule,
        bytes: impl AsRef<[u8]>,
        codes: &'static [u32],
    ) -> Case {
        self.case(name, rule, ending(self.sent(bytes), codes))
    }

    /// A case with a malformed request on stream 1. This is a stream error, before which the server
    /// MAY answer (RFC 9113, section 8.1.1).
    pub(super) fn malformed(&self, name: &'static str, rule: Rule, bytes: impl AsRef<[u8]>) -> Case {
        let frames = resetting(self.sent(bytes), codes::PROTOCOL).or([Want::Refusal(1)], End::Open);
        self.case(name, rule, frames)
    }

    /// A case with a GET whose fields make it malformed.
    pub(super) fn malformed_fields(&self, name: &'static str, rule: Rule, more: &[u8]) -> Case {
        self.malformed(name, rule, request(1, &[&self.get(), more].concat()))
    }
}

/// The client's preface, with these settings.
pub(super) fn opened(values: &[(u16, u32)]) -> Vec<u8> {
    let push = (setting::ENABLE_PUSH, 0);
    [PREFACE, &settings(&[&[push], values].concat())].concat()
}

/// Adds the alternatives of a connection error.
pub(super) fn ending(frames: Frames, codes: &'static [u32]) -> Frames {
    frames.or([], End::GoAway(codes)).left_open([], End::Closed)
}

/// Adds the alternatives of a stream error on stream 1.
pub(super) fn resetting(frames: Frames, codes: &'static [u32]) -> Frames {
    let of = |codes| [Want::Reset(1, codes)];
    frames.or(of(codes), End::Open).left_open(of(&[]), End::Open).left_open([], End::Closed)
}

/// SETTINGS that change the initial window.
pub(super) fn initial_window(window: u32) -> Vec<u8> {
    settings(&[(setting::INITIAL_WINDOW_SIZE, window)])
}

/// A step that sends these bytes in one write.
pub(super) fn send(bytes: impl AsRef<[u8]>) -> Step {
    Step::Send(bytes.as_ref().to_vec())
}
