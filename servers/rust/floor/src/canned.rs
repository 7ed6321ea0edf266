//! What a connection's first head teaches of all that follow on it.

use std::sync::Arc;

use shared::http::answer::{self, Persistence};
use shared::http::{date, head, rules::Framing, rules::Request};

/// Bytes of answers that lie ready, so that a burst is answered in one write. More of them in one system call would save
/// nothing that can be seen beside what the kernel does for each.
const READY_BYTES: usize = 16 * 1024;

/// How long one request is, and what each is answered.
pub(crate) struct CannedResponse {
    head: Vec<u8>,
    date: [u8; date::LEN],
    answer_bytes: usize,
    /// The answer, again and again.
    answers: Vec<u8>,
    closes: bool,
}

/// The last canned of a worker: a connection whose first bytes say the same takes it over, so that where each request has a
/// connection of its own none is looked at more closely than that.
#[derive(Default)]
pub(crate) struct CannedResponses(Option<Arc<CannedResponse>>);

impl CannedResponses {
    /// What is learned from a connection's first bytes; `None` while they are no whole head.
    pub(crate) fn learn(&mut self, bytes: &[u8]) -> Option<Arc<CannedResponse>> {
        let now = date::now();
        let known = self.0.as_ref().filter(|last| last.date == now && bytes.starts_with(&last.head));
        if let Some(known) = known {
            return Some(Arc::clone(known));
        }
        let canned = Arc::new(CannedResponse::of(bytes, now)?);
        self.0 = Some(Arc::clone(&canned));
        Some(canned)
    }
}

impl CannedResponse {
    /// `None` while the head is not whole. One that breaks the rules is refused, as any server refuses it.
    fn of(bytes: &[u8], date: [u8; date::LEN]) -> Option<Self> {
        let mut one = Vec::new();
        let (length, closes) = match head::parse(bytes) {
            Ok(None) => return None,
            Ok(Some((request, length))) => {
                let after = after(&request);
                answer::write(&request, after, &date, &mut one);
                (length, after == Persistence::Close)
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

    /// What to write when so many bytes of answers are owed, of which the first may be written in part: all of them, or as many
    /// as lie ready.
    pub(crate) fn answers(&self, owed: usize) -> &[u8] {
        let written = (self.answer_bytes - owed % self.answer_bytes) % self.answer_bytes;
        let end = (written + owed).min(self.answers.len());
        self.answers.get(written..end).unwrap_or_default()
    }
}

/// A body is not read: what follows a request that has one cannot be counted.
fn after(request: &Request) -> Persistence {
    let has_body = request.framing != Framing::None;
    Persistence::request(request, has_body)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: &str = "GET /abc HTTP/1.1\r\nHost: h\r\n\r\n";
    const BODY: &str = "Hello, visitor! You've requested: /abc\n";

    fn learned(bytes: &str) -> Arc<CannedResponse> {
        CannedResponses::default().learn(bytes.as_bytes()).unwrap()
    }

    #[test]
    fn a_head_says_how_long_it_is_and_what_is_answered() {
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
            let canned = learned(&bytes);
            let answer = std::str::from_utf8(canned.answers(canned.answer_bytes())).unwrap();
            assert!(answer.starts_with(begin) && answer.ends_with(end), "{name}: {answer}");
            assert_eq!(canned.closes(), closes, "{name}");
        }
        assert_eq!(learned(&GET.repeat(2)).request_bytes(), GET.len());
        assert!(CannedResponses::default().learn(&GET.as_bytes()[..GET.len() - 1]).is_none());
    }

    #[test]
    fn the_same_head_is_looked_at_once() {
        let mut responses = CannedResponses::default();
        let second = "Sun, 06 Nov 1994 08:49:37 GMT".as_bytes().first_chunk().copied().unwrap();
        // A second may pass between two looks, but not many of them.
        let again = (0..10).any(|_| {
            let [one, two] = [(); 2].map(|()| responses.learn(GET.as_bytes()).unwrap());
            Arc::ptr_eq(&one, &two)
        });
        assert!(again);
        responses.0 = Some(Arc::new(CannedResponse::of(GET.as_bytes(), second).unwrap()));
        let later = responses.learn(GET.as_bytes()).unwrap();
        assert!(later.date != second, "its date is that of another second");
        let other = responses.learn(GET.replace("abc", "abd").as_bytes()).unwrap();
        assert!(!Arc::ptr_eq(&later, &other));
    }

    #[test]
    fn what_is_owed_is_written_from_where_it_was_left() {
        let canned = learned(GET);
        let one = canned.answer_bytes();
        let many = READY_BYTES / one;
        let whole = canned.answers(one).repeat(many);
        let cases = [
            ("one", one, &whole[..one]),
            ("the rest of one", 7, &whole[one - 7..one]),
            ("three", 3 * one, &whole[..3 * one]),
            ("two and the rest of one", 2 * one + 7, &whole[one - 7..3 * one]),
            ("more than lie ready", 2 * many * one, &whole[..]),
            ("nothing", 0, &[]),
        ];
        for (name, owed, expected) in cases {
            assert!(canned.answers(owed) == expected, "{name}");
        }
    }
}
