//! Tracks the position in a stream of frames or records. Each has a header and then a payload,
//! whose length the header says.

/// The frame that is being received, whose header has `HEADER` bytes.
#[derive(Debug)]
pub(crate) struct Framing<const HEADER: usize> {
    header: [u8; HEADER],
    /// Bytes of the header that have arrived.
    filled: usize,
    /// Bytes of the payload that are still to come.
    payload: usize,
}

/// The result of [`Framing::take`].
pub(crate) struct Taken<'a> {
    /// Whether the taken bytes belong to a payload.
    pub(crate) is_payload: bool,
    /// Whether the frame ends with the taken bytes.
    pub(crate) ends_frame: bool,
    /// The bytes after the taken ones.
    pub(crate) rest: &'a [u8],
}

impl<const HEADER: usize> Default for Framing<HEADER> {
    fn default() -> Self {
        Self { header: [0; HEADER], filled: 0, payload: 0 }
    }
}

impl<const HEADER: usize> Framing<HEADER> {
    /// Whether part of a frame has arrived.
    pub(crate) fn has_part(&self) -> bool {
        self.filled > 0
    }

    /// Whether the header is complete and bytes of its payload come next.
    pub(crate) fn is_in_payload(&self) -> bool {
        self.filled == HEADER
    }

    /// The header of the current frame, or of the previous frame when no new one has begun.
    pub(crate) fn header(&self) -> &[u8; HEADER] {
        &self.header
    }

    /// Takes the first bytes of `bytes`, up to the end of the current header or payload. `length`
    /// returns the length of the payload from its header.
    pub(crate) fn take<'a>(
        &mut self,
        bytes: &'a [u8],
        length: impl FnOnce(&[u8; HEADER]) -> usize,
    ) -> Taken<'a> {
        let is_payload = self.is_in_payload();
        let missing = if is_payload { self.payload } else { HEADER - self.filled };
        let (piece, rest) = bytes.split_at(missing.min(bytes.len()));
        if is_payload {
            self.payload -= piece.len();
        } else {
            if let Some(place) = self.header.get_mut(self.filled..self.filled + piece.len()) {
                place.copy_from_slice(piece);
            }
            self.filled += piece.len();
            self.payload = if self.is_in_payload() { length(&self.header) } else { 0 };
        }
        let ends_frame = self.is_in_payload() && self.payload == 0;
        if ends_frame {
            self.filled = 0;
        }
        Taken { is_payload, ends_frame, rest }
    }
}
