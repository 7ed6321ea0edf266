//! The response to every request of a connection, made from its first head.

use std::sync::Arc;

use shared::http::answer::{self, Persistence};
use shared::http::{date, head, rules::Framing};

/// Bytes of prepared answers, so that a burst is answered in one write. More of them per system
/// call would save too little to be measured, compared with the kernel's work for each answer.
const READY_BYTES: usize = 16 * 1024;

/// The length of one request, and the answer to each.
pub(crate) struct CannedResponse {
    head: Vec<u8>,
    date: [u8; date::LEN],
    /// Bytes of one answer.
    pub(crate) answer_bytes: usize,
    /// The answer, repeated.
    answers: Vec<u8>,
    /// Whether the connection is closed after its first answer.
    pub(crate) closes: bool,
}

/// The last response of a worker. A connection with the same first bytes reuses it, so that even
/// with one connection per request, requests are not parsed.
#[derive(Default)]
pub(crate) struct LastResponse(Option<Arc<CannedResponse>>);

impl LastResponse {
    /// Returns the response for a connection's first bytes, or `None` until its head is whole.
    pub(crate) fn for_head(&mut self, bytes: &[u8]) -> Option<Arc<CannedResponse>> {
        let now = date::now();
        let known = self.0.as_ref().filter(|last| last.date == now && bytes.starts_with(&last.head));
        if let Some(known) = known {
            return Some(Arc::clone(known));
        }
        let response = Arc::new(CannedResponse::new(bytes, now)?);
        self.0 = Some(Arc::clone(&response));
        Some(response)
    }
}

impl CannedResponse {
    /// Returns `None` until the head is whole. One that breaks a rule is rejected as usual.
    fn new(bytes: &[u8], date: [u8; date::LEN]) -> Option<Self> {
        let mut one = Vec::new();
        let (length, closes) = match head::parse(bytes) {
            Ok(None) => return None,
            Ok(Some((request, length))) => {
                // A body is not read, so the requests after it cannot be counted.
                let has_body = request.framing != Framing::None;
                let persistence = Persistence::after(&request, has_body);
                answer::write(&request, persistence, &date, &mut one);
                (length, persistence == Persistence::Close)
            }
            Err(rejection) => {
                answer::write_rejection(rejection, &date, &mut one);
                (bytes.len(), true)
            }
        };
        let head = bytes.get(..length).unwrap_or(bytes).to_vec();
        let times = if closes { 1 } else { (READY_BYTES / one.len()).max(1) };
        Some(Self { head, date, answer_bytes: one.len(), answers: one.repeat(times), closes })
    }

    /// Returns the number of bytes of one request.
    pub(crate) fn request_bytes(&self) -> usize {
        self.head.len()
    }

    /// Returns the bytes to write when `owed` bytes of answers are not written: all of them, or as
    /// many as are prepared. Part of the first answer may already be written.
    pub(crate) fn answers(&self, owed: usize) -> &[u8] {
        let written = (self.answer_bytes - owed % self.answer_bytes) % self.answer_bytes;
        let end = (written + owed).min(self.answers.len());
        self.answers.get(written..end).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: &str = "GET /abc HTTP/1.1\r\nHost: h\r\n\r\n";

    #[test]
    fn the_same_head_is_parsed_once_per_second() {
        let mut last = LastResponse::default();
        let second = "Sun, 06 Nov 1994 08:49:37 GMT".as_bytes().first_chunk().copied().unwrap();
        // A second may end between two calls, but not ten times.
        let again = (0..10).any(|_| {
            let [one, two] = [(); 2].map(|()| last.for_head(GET.as_bytes()).unwrap());
            Arc::ptr_eq(&one, &two)
        });
        assert!(again);
        last.0 = Some(Arc::new(CannedResponse::new(GET.as_bytes(), second).unwrap()));
        let later = last.for_head(GET.as_bytes()).unwrap();
        assert!(later.date != second, "a response of another second is made again");
        let other = last.for_head(GET.replace("abc", "abd").as_bytes()).unwrap();
        assert!(!Arc::ptr_eq(&later, &other));
    }
}
