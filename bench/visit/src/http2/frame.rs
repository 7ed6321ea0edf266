//! Frames (RFC 9113, section 4).

use super::fault::{Fault, code};

/// The length of the head of each frame, in bytes.
pub(crate) const HEAD: usize = 9;

/// The longest payload that a server may send: the default, as `visit` sets none (section 4.2).
pub(super) const LONGEST: usize = 16_384;

/// The first bytes that a client sends (section 3.4).
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The types of frames (section 6).
pub(super) mod kind {
    pub(in crate::http2) const DATA: u8 = 0;
    pub(in crate::http2) const HEADERS: u8 = 1;
    pub(in crate::http2) const PRIORITY: u8 = 2;
    pub(in crate::http2) const RST_STREAM: u8 = 3;
    pub(in crate::http2) const SETTINGS: u8 = 4;
    pub(in crate::http2) const PUSH_PROMISE: u8 = 5;
    pub(in crate::http2) const PING: u8 = 6;
    pub(in crate::http2) const GOAWAY: u8 = 7;
    pub(in crate::http2) const WINDOW_UPDATE: u8 = 8;
    pub(in crate::http2) const CONTINUATION: u8 = 9;
}

/// The flags of frames. 0x1 is ACK in SETTINGS and PING, and END_STREAM in DATA and HEADERS.
pub(super) mod flag {
    pub(in crate::http2) const ACK: u8 = 0x1;
    pub(in crate::http2) const END_STREAM: u8 = 0x1;
    pub(in crate::http2) const END_HEADERS: u8 = 0x4;
    pub(in crate::http2) const PADDED: u8 = 0x8;
    pub(in crate::http2) const PRIORITY: u8 = 0x20;
}

/// The length of the priority in a HEADERS frame, in bytes. Priorities are ignored.
const PRIORITY: usize = 5;

/// A frame without its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) length: usize,
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
}

/// Returns the frame at the start of `bytes` and its payload, or `None` while the frame is not
/// whole. Fails on a frame that is too long.
pub(crate) fn split(bytes: &[u8]) -> Result<Option<(Head, &[u8])>, Fault> {
    let Some((head, rest)) = bytes.split_first_chunk::<HEAD>() else { return Ok(None) };
    let [a, b, c, kind, flags, stream @ ..] = *head;
    let length = u32::from_be_bytes([0, a, b, c]) as usize;
    if length > LONGEST {
        let text = format!("a frame has {length} bytes, more than {LONGEST}");
        return Err(Fault::new(code::FRAME_SIZE_ERROR, text));
    }
    let Some(payload) = rest.get(..length) else { return Ok(None) };
    // The first bit is reserved.
    let stream = u32::from_be_bytes(stream) & 0x7fff_ffff;
    Ok(Some((Head { length, kind, flags, stream }, payload)))
}

/// Appends a frame to `out`.
pub(super) fn write(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let [_, length @ ..] = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes();
    out.extend_from_slice(&length);
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
}

impl Head {
    pub(super) fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The content of a DATA or HEADERS frame, without its padding and priority.
    pub(super) fn content(self, mut payload: &[u8]) -> Result<&[u8], Fault> {
        let mut padding = 0;
        if self.has(flag::PADDED) {
            let Some((length, rest)) = payload.split_first() else { return Err(padded()) };
            (padding, payload) = (usize::from(*length), rest);
        }
        if self.kind == kind::HEADERS && self.has(flag::PRIORITY) {
            payload = payload.get(PRIORITY..).ok_or_else(|| {
                Fault::new(code::FRAME_SIZE_ERROR, "a HEADERS frame is too short for its priority")
            })?;
        }
        let length = payload.len().checked_sub(padding).ok_or_else(padded)?;
        Ok(&payload[..length])
    }
}

fn padded() -> Fault {
    Fault::protocol("a frame has more padding than bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_whole_at_its_last_byte() {
        for (length, stream) in [(0, 0), (1, 1), (300, 0x7fff_ffff), (LONGEST, 5)] {
            let mut bytes = Vec::new();
            write(&mut bytes, kind::DATA, flag::END_STREAM, stream, &vec![7; length]);
            for cut in [0, 1, HEAD - 1, HEAD, bytes.len() - 1] {
                if cut < bytes.len() {
                    assert_eq!(split(&bytes[..cut]), Ok(None), "{cut} of {length}");
                }
            }
            bytes.push(1);
            let (head, payload) = split(&bytes).unwrap().unwrap();
            let expected = Head { length, kind: kind::DATA, flags: flag::END_STREAM, stream };
            assert_eq!((head, payload), (expected, vec![7; length].as_slice()));
        }
        assert_eq!(split(&[0, 0, 0, 4, 0, 0x80, 0, 0, 1]).unwrap().unwrap().0.stream, 1, "a reserved bit");
        let long = split(&[0, 0x40, 1, 0, 0, 0, 0, 0, 1]).unwrap_err();
        assert_eq!((long.code, long.text.as_str()), (6, "a frame has 16385 bytes, more than 16384"));
    }

    #[test]
    fn padding_and_priority_are_no_content() {
        let (padded, both) = (flag::PADDED, flag::PADDED | flag::PRIORITY);
        /// Type, flags, payload, content.
        type Case<'a> = (u8, u8, &'a [u8], Option<&'a [u8]>);
        let cases: [Case; 11] = [
            (kind::DATA, 0, b"ab", Some(b"ab")),
            (kind::DATA, padded, b"\x00ab", Some(b"ab")),
            (kind::DATA, padded, b"\x01ab", Some(b"a")),
            (kind::DATA, padded, b"\x02ab", Some(b"")),
            (kind::DATA, padded, b"\x03ab", None),
            (kind::DATA, padded, b"", None),
            (kind::DATA, flag::PRIORITY, b"abcdefg", Some(b"abcdefg")),
            (kind::HEADERS, flag::PRIORITY, b"\x00\x00\x00\x00\x10ab", Some(b"ab")),
            (kind::HEADERS, flag::PRIORITY, b"\x00\x00", None),
            (kind::HEADERS, both, b"\x01\x00\x00\x00\x00\x10ab", Some(b"a")),
            (kind::HEADERS, both, b"\x03\x00\x00\x00\x00\x10ab", None),
        ];
        for (kind, flags, payload, expected) in cases {
            let head = Head { length: payload.len(), kind, flags, stream: 1 };
            assert_eq!(head.content(payload).ok(), expected, "{kind} {flags} {payload:?}");
        }
    }
}
