//! Tracks a client's position in the HTTP/2 frames that it sends, to tell which timeout applies.

use super::WaitingFor;
use crate::framing::Framing;

/// Bytes that a client sends before its first frame. That frame also belongs to the preface (RFC
/// 9113, section 3.4).
const PREFACE_BYTES: usize = 24;

/// Bytes of a frame before its payload (RFC 9113, section 4.1).
const HEADER_BYTES: usize = 9;

/// Types of frames, and a flag (RFC 9113, section 6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

/// The frame that a client is sending. This only counts bytes: a library enforces the rules.
#[derive(Debug, Default)]
pub struct Frames {
    /// Bytes of the preface that have arrived.
    preface: usize,
    framing: Framing<HEADER_BYTES>,
    /// Whether a CONTINUATION frame has to follow.
    is_in_head: bool,
    /// Whether the first frame, which belongs to the preface, has ended.
    is_greeted: bool,
}

impl Frames {
    /// Takes note of bytes that have arrived. Returns whether the client's time starts again: a
    /// head or another frame of a stream has ended, or a piece of a body has arrived. Frames of the
    /// connection, such as PING, request nothing, and do not count.
    pub fn receive(&mut self, mut bytes: &[u8]) -> bool {
        let (mut is_progress, mut has_ended) = (false, false);
        let of_preface = (PREFACE_BYTES - self.preface).min(bytes.len());
        self.preface += of_preface;
        bytes = bytes.get(of_preface..).unwrap_or_default();
        while !bytes.is_empty() {
            let taken = self.framing.take(bytes, |[high, middle, low, ..]| {
                usize::from(*high) << 16 | usize::from(*middle) << 8 | usize::from(*low)
            });
            bytes = taken.rest;
            is_progress |= taken.is_payload && self.kind() == DATA;
            if taken.ends_frame {
                self.end_frame();
                is_progress |= self.is_of_stream() && !self.is_in_head;
                has_ended |= !self.is_in_head;
            }
        }
        // A frame that began after the end of another one has a time of its own.
        is_progress || has_ended && self.waiting_for() == WaitingFor::Head
    }

    /// Returns the action of the client that the server waits for.
    pub fn waiting_for(&self) -> WaitingFor {
        let has_part_of_preface = self.preface > 0 && !self.is_greeted;
        let has_part = self.framing.has_part() || self.is_in_head || has_part_of_preface;
        WaitingFor::input(self.framing.is_in_payload() && self.kind() == DATA, has_part)
    }

    fn kind(&self) -> u8 {
        let [_, _, _, kind, ..] = *self.framing.header();
        kind
    }

    fn is_of_stream(&self) -> bool {
        let [.., high, a, b, low] = *self.framing.header();
        [high & 0x7f, a, b, low] != [0; 4]
    }

    fn end_frame(&mut self) {
        let [_, _, _, kind, flags, ..] = *self.framing.header();
        if matches!(kind, HEADERS | CONTINUATION) {
            self.is_in_head = flags & END_HEADERS == 0;
        }
        self.is_greeted = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use WaitingFor::{Body, Head, Request};

    /// A piece of input, whether the client's time starts again, and the result of `waiting_for`.
    type Piece<'a> = (&'a [u8], bool, WaitingFor);

    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

    fn frame(kind: u8, flags: u8, stream: u8, payload: usize) -> Vec<u8> {
        let [.., high, middle, low] = payload.to_be_bytes();
        let mut bytes = vec![high, middle, low, kind, flags, 0, 0, 0, stream];
        bytes.resize(HEADER_BYTES + payload, 0);
        bytes
    }

    #[test]
    fn the_time_is_that_of_what_is_being_sent() {
        const PING: u8 = 6;
        const WINDOW_UPDATE: u8 = 8;
        let head = frame(HEADERS, END_HEADERS, 1, 70_000);
        let cut = frame(HEADERS, 0, 1, 5);
        let data = frame(DATA, 0, 1, 300);
        let ping = frame(PING, 0, 0, 8);
        let both = |first: &[u8], second: &[u8]| [first, second].concat();
        let cases: [(&str, &[Piece]); 11] = [
            ("nothing", &[(b"", false, Request)]),
            (
                "preface",
                &[
                    (&PREFACE[..1], false, Head),
                    (&PREFACE[1..24], false, Head),
                    (&PREFACE[24..], false, Request),
                ],
            ),
            ("a byte of a header", &[(PREFACE, false, Request), (&head[..1], false, Head)]),
            (
                "a head in pieces",
                &[
                    (&both(PREFACE, &head[..9]), true, Head),
                    (&head[9..69_000], false, Head),
                    (&head[69_000..], true, Request),
                ],
            ),
            (
                "a head that needs CONTINUATION",
                &[
                    (&both(PREFACE, &cut), true, Head),
                    (&frame(CONTINUATION, 0, 1, 5), false, Head),
                    (&frame(CONTINUATION, 0, 1, 0), false, Head),
                    (&frame(CONTINUATION, END_HEADERS, 1, 1), true, Request),
                ],
            ),
            (
                "a body in pieces",
                &[
                    (&both(PREFACE, &data[..8]), true, Head),
                    (&data[8..9], false, Body),
                    (&data[9..10], true, Body),
                    (&data[10..], true, Request),
                    (&frame(DATA, 1, 1, 0), true, Request),
                ],
            ),
            ("a head behind a head", &[(&both(PREFACE, &both(&head, &head[..20])), true, Head)]),
            (
                "a head behind part of PING",
                &[
                    (&both(PREFACE, &ping[..5]), true, Head),
                    (&both(&ping[5..], &head[..5]), true, Head),
                    (&head[5..10], false, Head),
                ],
            ),
            ("PING asks nothing", &[(&both(PREFACE, &ping), false, Request)]),
            (
                "a window that grows",
                &[
                    (&both(PREFACE, &frame(WINDOW_UPDATE, 0, 0, 4)), false, Request),
                    (&frame(WINDOW_UPDATE, 0, 1, 4), true, Request),
                ],
            ),
            ("a reserved bit", &[(&both(PREFACE, &[0, 0, 0, 2, 0, 0x80, 0, 0, 0]), false, Request)]),
        ];
        for (name, pieces) in cases {
            let mut frames = Frames::default();
            for (index, (bytes, starts_again, waiting)) in pieces.iter().enumerate() {
                assert_eq!(frames.receive(bytes), *starts_again, "{name}, piece {index}");
                assert_eq!(frames.waiting_for(), *waiting, "{name}, piece {index}");
            }
        }
    }

    #[test]
    fn a_stream_of_frames_ends_alike_however_it_is_cut() {
        let frames = [
            PREFACE.to_vec(),
            frame(4, 0, 0, 6),
            frame(HEADERS, 0, 1, 10),
            frame(CONTINUATION, END_HEADERS, 1, 3),
            frame(DATA, 0, 1, 40),
            frame(DATA, 1, 1, 0),
        ];
        let bytes = frames.concat();
        for length in 1..bytes.len() {
            let mut whole = Frames::default();
            for piece in bytes.chunks(length) {
                whole.receive(piece);
            }
            assert_eq!(whole.waiting_for(), Request, "in pieces of {length}");
        }
    }
}
