//! A client in memory, which sends its bytes in pieces and reads answers in pieces.

use std::hash::{DefaultHasher, Hasher};
use std::io::{ErrorKind, Read, Result, Write};

use crate::http::Stream;

/// The most bytes of a piece; one is drawn for each. Small ones are frequent.
const PIECES: [usize; 6] = [1, 2, 3, 17, 200, 5000];

/// Pseudo-random numbers that depend on the bytes alone, so that a failure repeats.
#[derive(Clone)]
pub(super) struct Rng(u64);

impl Rng {
    pub(super) fn new(bytes: &[u8]) -> Self {
        Self(hash(bytes))
    }

    /// A number below `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = hash(&self.0.to_le_bytes());
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    /// The length of a piece.
    pub(super) fn piece(&mut self) -> usize {
        1 + PIECES.get(self.below(PIECES.len())).map_or(0, |most| self.below(*most))
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

/// A client that sends `rest` in pieces, between which there is nothing to read, and ends.
pub(super) struct Client<'a> {
    rest: &'a [u8],
    rng: Rng,
    /// What it has read.
    pub(super) received: Vec<u8>,
}

impl<'a> Client<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, rng: Rng::new(bytes), received: Vec::new() }
    }

    /// How many bytes of `most` are transferred now; fails where none are.
    fn transfer(&mut self, most: usize) -> Result<usize> {
        match self.rng.below(4) {
            0 => Err(ErrorKind::WouldBlock.into()),
            1 => Err(ErrorKind::Interrupted.into()),
            _ => Ok(self.rng.piece().min(most)),
        }
    }
}

impl Read for Client<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        assert!(!buffer.is_empty(), "there is room to read into");
        let bytes = self.transfer(buffer.len().min(self.rest.len()))?;
        let (piece, rest) = self.rest.split_at(bytes);
        buffer[..bytes].copy_from_slice(piece);
        self.rest = rest;
        Ok(bytes)
    }
}

impl Write for Client<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let taken = self.transfer(bytes.len())?;
        self.received.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Stream for Client<'_> {
    fn shut_down_writing(&self) -> Result<()> {
        Ok(())
    }
}
