//! Frames of HTTP/2 (RFC 9113, sections 4 and 6): how the client makes them, right or wrong, and how
//! it reads those of the server.

/// The bytes that a client sends first (RFC 9113, section 3.4), before its SETTINGS.
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The largest payload of a frame unless the receiver allows more (RFC 9113, section 4.2).
pub(super) const MAX_PAYLOAD: usize = MAX_FRAME_SIZE as usize;
pub(super) const MAX_FRAME_SIZE: u32 = 16 * 1024;

/// The window of a new stream and of the connection (RFC 9113, section 6.9.2).
pub(super) const WINDOW: u32 = 65_535;

/// The largest window (RFC 9113, section 6.9.1).
pub(super) const MAX_WINDOW: u32 = (1 << 31) - 1;

/// Types of frames (RFC 9113, section 6).
pub(super) mod kind {
    pub(in super::super) const DATA: u8 = 0;
    pub(in super::super) const HEADERS: u8 = 1;
    pub(in super::super) const PRIORITY: u8 = 2;
    pub(in super::super) const RST_STREAM: u8 = 3;
    pub(in super::super) const SETTINGS: u8 = 4;
    pub(in super::super) const PUSH_PROMISE: u8 = 5;
    pub(in super::super) const PING: u8 = 6;
    pub(in super::super) const GOAWAY: u8 = 7;
    pub(in super::super) const WINDOW_UPDATE: u8 = 8;
    pub(in super::super) const CONTINUATION: u8 = 9;
    /// A type that no document defines.
    pub(in super::super) const UNKNOWN: u8 = 0xbe;
}

/// Flags of frames. Their meaning depends on the type of the frame.
pub(super) mod flag {
    pub(in super::super) const END_STREAM: u8 = 0x1;
    pub(in super::super) const ACK: u8 = 0x1;
    pub(in super::super) const END_HEADERS: u8 = 0x4;
    pub(in super::super) const PADDED: u8 = 0x8;
    pub(in super::super) const PRIORITY: u8 = 0x20;
    /// The flags of a request without content in one frame.
    pub(in super::super) const WHOLE: u8 = END_STREAM | END_HEADERS;
}

/// Settings (RFC 9113, section 6.5.2).
pub(super) mod setting {
    pub(in super::super) const HEADER_TABLE_SIZE: u16 = 1;
    pub(in super::super) const ENABLE_PUSH: u16 = 2;
    pub(in super::super) const MAX_CONCURRENT_STREAMS: u16 = 3;
    pub(in super::super) const INITIAL_WINDOW_SIZE: u16 = 4;
    pub(in super::super) const MAX_FRAME_SIZE: u16 = 5;
    pub(in super::super) const MAX_HEADER_LIST_SIZE: u16 = 6;
}

/// Error codes (RFC 9113, section 7).
pub(super) mod code {
    pub(in super::super) const NO_ERROR: u32 = 0;
    pub(in super::super) const PROTOCOL_ERROR: u32 = 1;
    pub(in super::super) const INTERNAL_ERROR: u32 = 2;
    pub(in super::super) const FLOW_CONTROL_ERROR: u32 = 3;
    pub(in super::super) const STREAM_CLOSED: u32 = 5;
    pub(in super::super) const FRAME_SIZE_ERROR: u32 = 6;
    pub(in super::super) const REFUSED_STREAM: u32 = 7;
    pub(in super::super) const CANCEL: u32 = 8;
    pub(in super::super) const COMPRESSION_ERROR: u32 = 9;
    pub(in super::super) const ENHANCE_YOUR_CALM: u32 = 11;
}

const CODES: [&str; 14] = [
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
];

/// The name of an error code.
pub(super) fn code_name(code: u32) -> String {
    let name = usize::try_from(code).ok().and_then(|code| CODES.get(code));
    name.map_or_else(|| format!("code {code:#x}"), |name| (*name).to_owned())
}

/// A frame with these bytes, whether they are allowed or not.
pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// A request without content in one frame.
pub(super) fn request(stream: u32, block: &[u8]) -> Vec<u8> {
    frame(kind::HEADERS, flag::WHOLE, stream, block)
}

/// The HEADERS of a request whose content follows.
pub(super) fn opening(stream: u32, block: &[u8]) -> Vec<u8> {
    frame(kind::HEADERS, flag::END_HEADERS, stream, block)
}

/// Content that ends a request.
pub(super) fn last_data(stream: u32, bytes: &[u8]) -> Vec<u8> {
    frame(kind::DATA, flag::END_STREAM, stream, bytes)
}

/// SETTINGS with these values.
pub(super) fn settings(values: &[(u16, u32)]) -> Vec<u8> {
    let payload: Vec<u8> = values
        .iter()
        .flat_map(|(setting, value)| [&setting.to_be_bytes()[..], &value.to_be_bytes()].concat())
        .collect();
    frame(kind::SETTINGS, 0, 0, &payload)
}

/// The acknowledgement of SETTINGS.
pub(super) fn settings_ack() -> Vec<u8> {
    frame(kind::SETTINGS, flag::ACK, 0, &[])
}

/// PING with this number as its data.
pub(super) fn ping(data: u64) -> Vec<u8> {
    frame(kind::PING, 0, 0, &data.to_be_bytes())
}

/// WINDOW_UPDATE of a stream; stream 0 stands for the connection.
pub(super) fn window_update(stream: u32, increment: u32) -> Vec<u8> {
    frame(kind::WINDOW_UPDATE, 0, stream, &increment.to_be_bytes())
}

/// RST_STREAM.
pub(super) fn reset(stream: u32, code: u32) -> Vec<u8> {
    frame(kind::RST_STREAM, 0, stream, &code.to_be_bytes())
}

/// GOAWAY of a client that has seen no stream of the server.
pub(super) fn goaway(code: u32, debug: &[u8]) -> Vec<u8> {
    frame(kind::GOAWAY, 0, 0, &[&[0; 4][..], &code.to_be_bytes(), debug].concat())
}

/// The payload of PRIORITY. HEADERS with the PRIORITY flag also have it, before their field block.
pub(super) fn priority(dependency: u32, weight: u8) -> Vec<u8> {
    [&dependency.to_be_bytes()[..], &[weight]].concat()
}

/// A frame that was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
    pub(super) payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Reads the frame at the start of `bytes`; `None` while it is not whole. The error is the
    /// length of the frame, if that is more than a server may send.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Option<Self>, usize> {
        let Some((head, rest)) = bytes.split_at_checked(9) else { return Ok(None) };
        let number = |bytes: &[u8]| bytes.iter().fold(0, |number: u32, byte| number << 8 | u32::from(*byte));
        let length = number(&head[..3]) as usize;
        if length > MAX_PAYLOAD {
            return Err(length);
        }
        let stream = number(&head[5..]) & MAX_WINDOW;
        let frame = |payload| Self { kind: head[3], flags: head[4], stream, payload };
        Ok(rest.get(..length).map(frame))
    }

    /// The length of the whole frame in bytes.
    pub(super) fn len(&self) -> usize {
        9 + self.payload.len()
    }

    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The number in the payload's four bytes from `at`.
    pub(super) fn number(&self, at: usize) -> Option<u32> {
        let bytes = self.payload.get(at..at + 4)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    }

    /// The payload without padding, and in HEADERS without the priority; `None` if they do not fit.
    pub(super) fn content(&self) -> Option<&'a [u8]> {
        let mut content = self.payload;
        if self.has(flag::PADDED) {
            let (padding, rest) = content.split_first()?;
            content = rest.get(..rest.len().checked_sub(usize::from(*padding))?)?;
        }
        if self.kind == kind::HEADERS && self.has(flag::PRIORITY) {
            content = content.get(5..)?;
        }
        Some(content)
    }
}
