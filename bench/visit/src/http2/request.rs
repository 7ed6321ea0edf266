//! Requests as frames of constant bytes (RFC 9113, section 8.3.1; RFC 7541).

use anyhow::ensure;

use super::frame::{self, LONGEST, flag, kind};
use crate::field::Field;

/// Indices of the static table (RFC 7541, appendix A).
const METHOD_GET: u8 = 2;
const SCHEME_HTTP: u8 = 6;
const SCHEME_HTTPS: u8 = 7;
const NAME_AUTHORITY: u8 = 1;
const NAME_PATH: u8 = 4;

/// The first bit of a field whose name and value are both in the static table.
const INDEXED: u8 = 0x80;

/// The requests over HTTP/2.
pub(crate) struct Asks {
    /// The HEADERS frame of each target, whose stream is not yet set.
    pub(crate) frames: Vec<Box<[u8]>>,
    /// Streams per connection.
    pub(crate) streams: u32,
}

/// The frames of GET requests for these paths. Their fields do not enter the table of the server's
/// decoder, so that the frames are the same on every connection. Fails on a header that is longer
/// than a frame.
pub(crate) fn frames<'a>(
    is_tls: bool,
    host: &str,
    fields: &[Field],
    paths: impl Iterator<Item = &'a str>,
) -> anyhow::Result<Vec<Box<[u8]>>> {
    let frame = |path: &str| {
        let scheme = if is_tls { SCHEME_HTTPS } else { SCHEME_HTTP };
        let mut block = vec![INDEXED | METHOD_GET, INDEXED | scheme];
        for (name, value) in [(NAME_PATH, path), (NAME_AUTHORITY, host)] {
            // A literal without indexing, whose name is in the table.
            block.push(name);
            string(&mut block, value);
        }
        for field in fields {
            block.push(0);
            string(&mut block, &field.name().to_ascii_lowercase());
            string(&mut block, field.value());
        }
        let length = block.len();
        ensure!(
            length <= LONGEST,
            "--http2: a header has {length} bytes, more than the {LONGEST} of a frame"
        );
        let mut frame = Vec::new();
        frame::write(&mut frame, kind::HEADERS, flag::END_STREAM | flag::END_HEADERS, 0, &block);
        Ok(frame.into_boxed_slice())
    };
    paths.map(frame).collect()
}

/// Adds a string without Huffman coding (RFC 7541, section 5.2).
fn string(out: &mut Vec<u8>, text: &str) {
    const PREFIX: usize = 0x7f;
    let mut length = text.len();
    if length < PREFIX {
        out.push(low_byte(length));
    } else {
        out.push(low_byte(PREFIX));
        length -= PREFIX;
        while length >= 0x80 {
            out.push(low_byte(length | 0x80));
            length >>= 7;
        }
        out.push(low_byte(length));
    }
    out.extend_from_slice(text.as_bytes());
}

fn low_byte(number: usize) -> u8 {
    number.to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_a_frame_of_constant_bytes() {
        let fields: Vec<Field> = ["A: b", "User-Agent: x"].iter().map(|text| text.parse().unwrap()).collect();
        let frames = frames(false, "h:1", &fields, ["/", "/b?c"].into_iter()).unwrap();
        let rest = b"\x01\x03h:1\0\x01a\x01b\0\x0auser-agent\x01x";
        let expected = [
            [&b"\0\0\x1d\x01\x05\0\0\0\0\x82\x86\x04\x01/"[..], rest].concat(),
            [&b"\0\0\x20\x01\x05\0\0\0\0\x82\x86\x04\x04/b?c"[..], rest].concat(),
        ];
        assert_eq!(frames.iter().map(|frame| frame.to_vec()).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn lengths_have_a_prefix_of_seven_bits() {
        let cases: [(usize, &[u8]); 7] = [
            (0, b"\0"),
            (126, b"\x7e"),
            (127, b"\x7f\0"),
            (128, b"\x7f\x01"),
            (254, b"\x7f\x7f"),
            (255, b"\x7f\x80\x01"),
            (16_000, b"\x7f\x81\x7c"),
        ];
        for (length, expected) in cases {
            let mut out = Vec::new();
            string(&mut out, &"a".repeat(length));
            assert_eq!(out[..out.len() - length], *expected, "{length}");
        }
    }

    #[test]
    fn a_header_has_to_fit_into_a_frame() {
        for (length, fits) in [(16_300, true), (16_400, false)] {
            let path = format!("/{}", "a".repeat(length));
            assert_eq!(frames(true, "h", &[], [path.as_str()].into_iter()).is_ok(), fits, "{length}");
        }
    }
}
