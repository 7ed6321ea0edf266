//! The response to every request of a connection, made from its first head.

use std::sync::Arc;

use shared::http::answer::{self, Persistence};
use shared::http::{date, head, rules::Framing};

/// Bytes of answers that are ready, so that a burst is answered in one write. More of them per
/// system call would save nothing that can be measured beside what the kernel does for each.
const READY_BYTES: usize = 16 * 1024;

/// How long one request is, and the answer to each.
pub(crate) struct CannedResponse {
    head: Vec<u8>,
    date: [u8; date::LEN],
    answer_bytes: usize,
    /// The answer, repeated.
    answers: Vec<u8>,
    closes: bool,
}

/// The last response of a worker. A connection whose first bytes are the same reuses it, so that
/// where each request has a connection of its own none is parsed.
#[derive(Default)]
pub(crate) struct LastResponse(Option<Arc<CannedResponse>>);

impl LastResponse {
    /// The response for a connection with these first bytes; `None` while they are no whole head.
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
    /// `None` while the head is not whole. One that breaks a rule is rejected, as by any server.
    fn new(bytes: &[u8], date: [u8; date::LEN]) -> Option<Self> {
        let mut one = Vec::new();
        let (length, closes) = match head::parse(bytes) {
            Ok(None) => return None,
            Ok(Some((request, length))) => {
                // A body is not read: what follows a request that has one cannot be counted.
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

    /// Whether the connection is closed after its first answer.
    pub(crate) fn closes(&self) -> bool {
        self.closes
    }

    /// Bytes of one request.
    pub(crate) fn request_bytes(&self) -> usize {
        self.head.len()
    }

    /// Bytes of one answer.
    pub(crate) fn answer_bytes(&self) -> usize {
        self.answer_bytes
    }

    /// What to write when `owed` bytes of answers are not written, the first answer perhaps in
    /// part: all of them, or as many as are ready.
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
    const BODY: &str = "Hello, visitor! You've requested: /abc\n";

    fn canned(bytes: &str) -> Arc<CannedResponse> {
        LastResponse::default().for_head(bytes.as_bytes()).unwrap()
    }

    #[test]
    fn a_head_decides_the_length_of_a_request_and_its_answer() {
        let close = GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
        let post = GET.replace("GET", "POST").replace("\r\n\r\n", "\r\nContent-Length: 3\r\n\r\n");
        let cases = [
            ("keep-alive", GET.to_owned(), "HTTP/1.1 200 OK\r\n", BODY, false),
            ("and more", GET.repeat(2), "HTTP/1.1 200 OK\r\n", BODY, false),
            ("close", close, "HTTP/1.1 200 OK\r\n", BODY, true),
            ("a body", post, "HTTP/1.1 405 ", "Connection: close\r\n\r\n", true),
            ("garbage", "\0\r\n\r\n".into(), "HTTP/1.1 400 ", "Connection: close\r\n\r\n", true),
            ("without an end", "A".repeat(20_000), "HTTP/1.1 4", "Connection: close\r\n\r\n", true),
        ];
        for (name, bytes, begin, end, closes) in cases {
            let response = canned(&bytes);
            let answer = std::str::from_utf8(response.answers(response.answer_bytes())).unwrap();
            assert!(answer.starts_with(begin) && answer.ends_with(end), "{name}: {answer}");
            assert_eq!(response.closes(), closes, "{name}");
        }
        assert_eq!(canned(&GET.repeat(2)).request_bytes(), GET.len());
        assert!(LastResponse::default().for_head(&GET.as_bytes()[..GET.len() - 1]).is_none());
    }

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

    #[test]
    fn an_answer_written_in_part_is_continued() {
        let response = canned(GET);
        let one = response.answer_bytes();
        let many = READY_BYTES / one;
        let whole = response.answers(one).repeat(many);
        let cases = [
            ("one", one, &whole[..one]),
            ("the rest of one", 7, &whole[one - 7..one]),
            ("three", 3 * one, &whole[..3 * one]),
            ("two and the rest of one", 2 * one + 7, &whole[one - 7..3 * one]),
            ("more than are ready", 2 * many * one, &whole[..]),
            ("nothing", 0, &[]),
        ];
        for (name, owed, expected) in cases {
            assert!(response.answers(owed) == expected, "{name}");
        }
    }
}
