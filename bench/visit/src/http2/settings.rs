//! Settings (RFC 9113, section 6.5).

use super::fault::{Fault, code};
use super::frame::{self, LONGEST, PREFACE, kind};

/// The size of the table that the server's encoder may use, as in browsers (RFC 7541, section 4.2).
pub(super) const HEADER_TABLE: u32 = 4096;

/// The window of a connection before the first update, and of each stream (section 6.9.2).
pub(super) const FIRST_WINDOW: u32 = 65_535;

/// The largest window (section 6.9.1).
pub(super) const LARGEST_WINDOW: u32 = 0x7fff_ffff;

/// The numbers of settings.
mod id {
    pub(super) const HEADER_TABLE_SIZE: u16 = 1;
    pub(super) const ENABLE_PUSH: u16 = 2;
    pub(super) const MAX_CONCURRENT_STREAMS: u16 = 3;
    pub(super) const INITIAL_WINDOW_SIZE: u16 = 4;
    pub(super) const MAX_FRAME_SIZE: u16 = 5;
}

/// Appends the first bytes of a connection: the preface, the settings, and an update that makes the
/// window of the connection so large that the answers of a run hardly use it up.
pub(super) fn greeting(out: &mut Vec<u8>) {
    out.extend_from_slice(PREFACE);
    let mut settings = Vec::new();
    for (id, value) in [(id::HEADER_TABLE_SIZE, HEADER_TABLE), (id::ENABLE_PUSH, 0)] {
        settings.extend_from_slice(&id.to_be_bytes());
        settings.extend_from_slice(&value.to_be_bytes());
    }
    frame::write(out, kind::SETTINGS, 0, 0, &settings);
    let more = LARGEST_WINDOW - FIRST_WINDOW;
    frame::write(out, kind::WINDOW_UPDATE, 0, 0, &more.to_be_bytes());
}

/// The number of streams that a server allows; `None` when it sets no limit. Other settings do not
/// affect requests without a body, and are only checked.
pub(super) fn read(payload: &[u8]) -> Result<Option<u32>, Fault> {
    let (settings, rest) = payload.as_chunks::<6>();
    if !rest.is_empty() {
        return Err(Fault::new(code::FRAME_SIZE_ERROR, "a SETTINGS frame ends within a setting"));
    }
    let mut streams = None;
    for [a, b, value @ ..] in settings {
        let (id, value) = (u16::from_be_bytes([*a, *b]), u32::from_be_bytes(*value));
        match id {
            id::ENABLE_PUSH if value > 0 => {
                return Err(Fault::protocol(format!("the setting ENABLE_PUSH of a server is {value}")));
            }
            id::INITIAL_WINDOW_SIZE if value > LARGEST_WINDOW => {
                let text = format!("the setting INITIAL_WINDOW_SIZE is {value}");
                return Err(Fault::new(code::FLOW_CONTROL_ERROR, text));
            }
            id::MAX_FRAME_SIZE if !(LONGEST..1 << 24).contains(&(value as usize)) => {
                return Err(Fault::protocol(format!("the setting MAX_FRAME_SIZE is {value}")));
            }
            id::MAX_CONCURRENT_STREAMS => streams = Some(value),
            _ => {}
        }
    }
    Ok(streams)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greeting_is_constant() {
        let mut out = Vec::new();
        greeting(&mut out);
        let settings = b"\0\0\x0c\x04\0\0\0\0\0\0\x01\0\0\x10\0\0\x02\0\0\0\0";
        let window = b"\0\0\x04\x08\0\0\0\0\0\x7f\xff\0\0";
        assert_eq!(out, [PREFACE, settings, window].concat());
    }

    #[test]
    fn settings_are_checked() {
        /// The payload, and the streams that it allows or the code of the error.
        type Case<'a> = (&'a [u8], Result<Option<u32>, u32>);
        let cases: [Case; 13] = [
            (b"", Ok(None)),
            (b"\0\x03\0\0\0\x64", Ok(Some(100))),
            (b"\0\x03\0\0\0\x64\0\x03\0\0\0\x05", Ok(Some(5))),
            (b"\0\x03\xff\xff\xff\xff", Ok(Some(u32::MAX))),
            (b"\0\x02\0\0\0\0", Ok(None)),
            (b"\0\x02\0\0\0\x01", Err(1)),
            (b"\0\x04\x7f\xff\xff\xff", Ok(None)),
            (b"\0\x04\x80\0\0\0", Err(3)),
            (b"\0\x05\0\0\x40\0", Ok(None)),
            (b"\0\x05\0\0\x3f\xff", Err(1)),
            (b"\0\x05\x01\0\0\0", Err(1)),
            (b"\x12\x34\0\0\0\x01", Ok(None)),
            (b"\0\x03\0\0\0", Err(6)),
        ];
        for (payload, expected) in cases {
            assert_eq!(read(payload).map_err(|fault| fault.code), expected, "{payload:?}");
        }
    }
}
