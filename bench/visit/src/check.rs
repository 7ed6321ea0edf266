//! Checks every answer, all of its bytes.
//!
//! Most answers within a second have the same bytes, as only `Date` changes. So the last right
//! answer to each target is kept, and an answer that equals it, head and body, is right too. An
//! answer that differs in any byte is read from the beginning.

use super::chunks;
use super::head::{self, Framing, Head};
use super::requests::Requests;

/// The longest body of an answer that is not a success; a longer one is wrong.
const OTHER_BODY_BYTES: usize = 1024 * 1024;

const SHOWN: usize = 300;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) length: usize,
    /// Its status code: 200, or 300 and above.
    pub(super) status: u16,
    /// Whether it announces the end of the connection.
    pub(super) close: bool,
}

pub(super) struct Checker<'a> {
    requests: &'a Requests,
    known: Vec<KnownAnswer>,
}

/// The last right answer to one target; empty before the first.
#[derive(Clone, Default)]
struct KnownAnswer {
    bytes: Vec<u8>,
    close: bool,
}

impl<'a> Checker<'a> {
    pub(super) fn new(requests: &'a Requests) -> Self {
        Self { requests, known: vec![KnownAnswer::default(); requests.targets.len()] }
    }

    /// The answer at the start of `bytes` to the request with this number; `None` while it is not
    /// whole. `ended`: the connection has ended after `bytes`. Fails on a wrong answer, described.
    pub(super) fn answer(
        &mut self,
        number: usize,
        bytes: &[u8],
        ended: bool,
    ) -> Result<Option<Answer>, String> {
        let known = &mut self.known[self.requests.index(number)];
        if !known.bytes.is_empty() && bytes.starts_with(&known.bytes) {
            return Ok(Some(Answer { length: known.bytes.len(), status: 200, close: known.close }));
        }
        let target = self.requests.target(number);
        let read = read(bytes, ended, &target.body);
        let answer = read.map_err(|wrong| describe(&target.path, &wrong, bytes))?;
        if let Some(Answer { length, status: 200, close }) = answer {
            known.bytes.clear();
            known.bytes.extend_from_slice(&bytes[..length]);
            known.close = close;
        }
        Ok(answer)
    }
}

/// Describes a wrong answer: the request, the fault, and the first bytes that came.
pub(super) fn describe(path: &str, wrong: &str, bytes: &[u8]) -> String {
    let more = if bytes.len() > SHOWN { "…" } else { "" };
    let shown = bytes[..bytes.len().min(SHOWN)].escape_ascii();
    format!("GET {path}: {wrong}; got \"{shown}\"{more}")
}

fn read(bytes: &[u8], ended: bool, body: &[u8]) -> Result<Option<Answer>, String> {
    let Some(head) = head::read(bytes)? else { return Ok(None) };
    let rest = &bytes[head.length..];
    let length = match head.status {
        200 => success(&head, rest, body)?,
        100..300 => return Err(format!("the status is {}, not 200", head.status)),
        _ => other(&head, rest, ended)?,
    };
    let whole = |length| Answer { length: head.length + length, status: head.status, close: head.close };
    Ok(length.map(whole))
}

/// The length of the body of a 200, which has to be `body`; `None` while it is not whole.
fn success(head: &Head, rest: &[u8], body: &[u8]) -> Result<Option<usize>, String> {
    if head.types != 1 {
        return Err(format!("it has {} Content-Type fields, not one", head.types));
    }
    if head.dates != 1 || !head.date_is_sound {
        return Err(format!("it has {} Date fields, not one like Sun, 06 Nov 1994 08:49:37 GMT", head.dates));
    }
    match head.framing {
        Framing::Length(length) if length != body.len() => {
            Err(format!("its Content-Length is {length}, not {}", body.len()))
        }
        Framing::Length(length) => match rest.iter().zip(body).position(|(got, expected)| got != expected) {
            Some(at) => Err(format!("the body differs at byte {at}")),
            None => Ok((rest.len() >= length).then_some(length)),
        },
        Framing::Chunked => chunks::read(rest, Some(body)),
        Framing::NoBody | Framing::UntilClose => {
            Err("it has neither Content-Length nor Transfer-Encoding".into())
        }
    }
}

/// The length of the body of any other answer, which may be anything; `None` if not whole.
fn other(head: &Head, rest: &[u8], ended: bool) -> Result<Option<usize>, String> {
    let length = match head.framing {
        Framing::NoBody => Some(0),
        Framing::Length(length) if length > OTHER_BODY_BYTES => return Err(too_long(head.status)),
        Framing::Length(length) => (rest.len() >= length).then_some(length),
        Framing::Chunked => chunks::read(rest, None)?,
        Framing::UntilClose => ended.then_some(rest.len()),
    };
    match length {
        None if rest.len() > OTHER_BODY_BYTES => Err(too_long(head.status)),
        length => Ok(length),
    }
}

fn too_long(status: u16) -> String {
    format!("the body of a {status} has more than {OTHER_BODY_BYTES} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: &str = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";

    fn requests() -> Requests {
        Requests::new("h", &["/a".to_owned(), "/b".to_owned()], None, false, 1)
    }

    fn right(fields: &str, body: &str) -> String {
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n{fields}{DATE}\r\n{body}")
    }

    fn sized(body: &str) -> String {
        right(&format!("Content-Length: {}\r\n", body.len()), body)
    }

    #[test]
    fn a_right_answer_is_whole_at_its_last_byte() {
        let requests = requests();
        let body = "Hello, visitor! You've requested: /a\n";
        let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
        for text in [sized(body), right("Transfer-Encoding: chunked\r\n", &chunked)] {
            let mut checker = Checker::new(&requests);
            // The second time the answer is known, and still not whole before its last byte.
            for _ in 0..2 {
                for cut in 0..text.len() {
                    let part = &text.as_bytes()[..cut];
                    assert_eq!(checker.answer(0, part, false), Ok(None), "{cut} of {text:?}");
                }
                let expected = Answer { length: text.len(), status: 200, close: false };
                let followed = format!("{text}HTTP/1.1 ");
                assert_eq!(checker.answer(2, followed.as_bytes(), false), Ok(Some(expected)), "{text:?}");
            }
        }
    }

    #[test]
    fn what_differs_from_a_known_answer_is_read_again() {
        let requests = requests();
        let mut checker = Checker::new(&requests);
        let a = sized("Hello, visitor! You've requested: /a\n");
        checker.answer(0, a.as_bytes(), false).unwrap().unwrap();
        assert!(checker.answer(1, a.as_bytes(), false).is_err(), "the answer to another request");
        let later = a.replace("37 GMT", "38 GMT");
        assert!(checker.answer(0, later.as_bytes(), false).unwrap().is_some());
        for at in 0..a.len() {
            let mut bytes = a.clone().into_bytes();
            bytes[at] ^= 0x10;
            // A changed byte may be harmless in the head, but never in the body.
            let answer = checker.answer(0, &bytes, false);
            let is_body = at >= a.find("Hello").unwrap();
            assert!(answer.is_err() || !is_body, "byte {at}: {answer:?}");
        }
    }

    #[test]
    fn a_wrong_answer_is_described_with_its_request() {
        let body = "Hello, visitor! You've requested: /a\n";
        let cases = [
            (sized("Hello, visitor! You've requested: /b\n"), "the body differs at byte 35"),
            (sized("Hello"), "its Content-Length is 5, not 37"),
            (right("Content-Length: 38\r\n", body), "its Content-Length is 38, not 37"),
            (right("", body), "neither Content-Length nor"),
            (sized(body).replace(DATE, ""), "it has 0 Date"),
            (sized(body).replace("GMT", "UTC"), "it has 1 Date fields, not one like"),
            (sized(body).replace("Content-Type", "Content-Kind"), "it has 0 Content-Type"),
            (sized(body).replace("200 OK", "201 Created"), "the status is 201, not 200"),
            (format!("HTTP/1.1 100 Continue\r\n\r\n{}", sized(body)), "the status is 100"),
        ];
        for (text, expected) in cases {
            let requests = requests();
            let wrong = Checker::new(&requests).answer(0, text.as_bytes(), true).unwrap_err();
            assert!(wrong.starts_with("GET /a: ") && wrong.contains(expected), "{text:?}: {wrong}");
        }
    }

    #[test]
    fn the_body_of_a_refusal_may_be_anything() {
        let cases = [
            ("HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno", false, Some((503, false))),
            ("HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nn", false, None),
            ("HTTP/1.1 503 Busy\r\n\r\nno", false, None),
            ("HTTP/1.1 503 Busy\r\n\r\nno", true, Some((503, true))),
            ("HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false, Some((404, false))),
            ("HTTP/1.1 304 Not Modified\r\n\r\n", false, Some((304, false))),
        ];
        for (text, ended, expected) in cases {
            let requests = requests();
            let answer = Checker::new(&requests).answer(0, text.as_bytes(), ended).unwrap();
            let expected = expected.map(|(status, close)| Answer { length: text.len(), status, close });
            assert_eq!(answer, expected, "{text:?}");
        }
    }
}
