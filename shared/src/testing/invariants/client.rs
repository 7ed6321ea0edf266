//! A client in memory, which sends its bytes in pieces and reads answers in pieces.

use std::hash::{DefaultHasher, Hasher};
use std::io::{ErrorKind, Read, Result, Write};

use fastrand::Rng;

use crate::http::Stream;

/// Maximum lengths of a piece, one of which is drawn for each piece. Small pieces are frequent.
const PIECES: [usize; 6] = [1, 2, 3, 17, 200, 5000];

/// Pseudo-random numbers that depend on the bytes alone, so that a failure repeats.
pub(super) fn rng(bytes: &[u8]) -> Rng {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    Rng::with_seed(hasher.finish())
}

/// Returns a random length of a piece.
pub(super) fn piece(rng: &mut Rng) -> usize {
    let most = PIECES[rng.usize(..PIECES.len())];
    rng.usize(1..=most)
}

/// Returns the number of bytes, up to `most`, that are transferred now. Fails when none are.
pub(super) fn transfer(rng: &mut Rng, most: usize) -> Result<usize> {
    match rng.usize(..4) {
        0 => Err(ErrorKind::WouldBlock.into()),
        1 => Err(ErrorKind::Interrupted.into()),
        _ => Ok(piece(rng).min(most)),
    }
}

/// A client that sends `rest` in pieces, between which reads may find nothing, and ends.
pub(super) struct Client<'a> {
    rest: &'a [u8],
    rng: Rng,
    /// The bytes that the client has read.
    pub(super) received: Vec<u8>,
}

impl<'a> Client<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, rng: rng(bytes), received: Vec::new() }
    }
}

impl Read for Client<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        assert!(!buffer.is_empty(), "there is room to read into");
        let bytes = transfer(&mut self.rng, buffer.len().min(self.rest.len()))?;
        let (piece, rest) = self.rest.split_at(bytes);
        buffer[..bytes].copy_from_slice(piece);
        self.rest = rest;
        Ok(bytes)
    }
}

impl Write for Client<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let taken = transfer(&mut self.rng, bytes.len())?;
        self.received.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Stream for Client<'_> {
    fn shut_down_writing(&mut self) -> Result<()> {
        Ok(())
    }
}
