//! Tracks a client's position in the record that it sends, to tell which timeout applies. rustls
//! does not report it.

use std::io::{Read, Result};

use crate::framing::Framing;

/// Bytes of a record before its payload, the last two of which are the payload's length (RFC 8446,
/// section 5.1).
const HEADER_BYTES: usize = 5;

/// The record that a client is sending.
#[derive(Debug, Default)]
pub(super) struct Records {
    framing: Framing<HEADER_BYTES>,
}

/// A source whose bytes are noted in `records`.
pub(super) struct Noted<'a, R> {
    pub(super) source: &'a mut R,
    pub(super) records: &'a mut Records,
}

impl Records {
    /// Whether part of a record has arrived.
    pub(super) fn have_part(&self) -> bool {
        self.framing.has_part()
    }

    /// Takes note of bytes that have arrived.
    fn receive(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let length =
                |[.., high, low]: &[u8; HEADER_BYTES]| usize::from(u16::from_be_bytes([*high, *low]));
            bytes = self.framing.take(bytes, length).rest;
        }
    }
}

impl<R: Read> Read for Noted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let read = self.source.read(buffer)?;
        self.records.receive(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn part_of_a_record_is_one_however_it_arrives() {
        let record = |length: u16| {
            let [high, low] = length.to_be_bytes();
            [vec![23, 3, 3, high, low], vec![0; usize::from(length)]].concat()
        };
        let bytes = [record(1), record(300), record(0), record(16_640), record(7)].concat();
        let mut ends = Vec::new();
        let mut end = 0;
        for length in [1, 300, 0, 16_640, 7] {
            end += HEADER_BYTES + length;
            ends.push(end);
        }
        for size in [1, 2, 3, 5, 6, 299, 4096, 20_000] {
            let mut records = Records::default();
            let mut arrived = 0;
            for piece in bytes.chunks(size) {
                records.receive(piece);
                arrived += piece.len();
                assert_eq!(records.have_part(), !ends.contains(&arrived), "{arrived} bytes by {size}");
            }
        }
    }
}
