//! Checks every answer, all of its bytes.
//!
//! Most answers within a second have the same bytes, as only `Date` changes. So the last right
//! answer to each target is kept, and an answer that equals it, head and body, is right too. An
//! answer that differs in any byte is read from the beginning, which allocates.

use answers::{Arrived, Framing};

use super::requests::{Requests, Target};

/// The maximum size of an answer whose body is not compared. A longer answer is wrong.
pub(super) const OTHER_BYTES: usize = 1024 * 1024;

const SHOWN: usize = 300;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) length: usize,
    /// The status code: 200, or 300 and above; any from 200 where the body is not compared.
    pub(super) status: u16,
    /// Whether the answer announces the end of the connection.
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
    answer: Answer,
}

impl<'a> Checker<'a> {
    pub(super) fn new(requests: &'a Requests) -> Self {
        Self { requests, known: vec![KnownAnswer::default(); requests.targets.len()] }
    }

    /// Returns the answer at the start of `bytes` to the request with this number, or `None` while
    /// it is not whole. `ended` says that the connection has ended after `bytes`. Fails on a wrong
    /// answer, with its description.
    pub(super) fn answer(
        &mut self,
        number: usize,
        bytes: &[u8],
        ended: bool,
    ) -> Result<Option<Answer>, String> {
        let known = &mut self.known[self.requests.index(number)];
        if !known.bytes.is_empty() && bytes.starts_with(&known.bytes) {
            return Ok(Some(known.answer));
        }
        if known.bytes.starts_with(bytes) {
            return Ok(None);
        }
        let target = self.requests.target(number);
        let read = read(bytes, ended, target);
        let answer = read.map_err(|wrong| describe(target, &wrong, bytes))?;
        // An answer that may end with its connection is not kept: its bytes do not show its end.
        if let Some(answer) = answer.filter(|answer| !ended && answer.status == target.status) {
            known.bytes.clear();
            known.bytes.extend_from_slice(&bytes[..answer.length]);
            known.answer = answer;
        }
        Ok(answer)
    }
}

/// Describes a wrong answer: the request, the fault, and the first bytes that came.
pub(super) fn describe(target: &Target, wrong: &str, bytes: &[u8]) -> String {
    let Target { method, path, .. } = target;
    let more = if bytes.len() > SHOWN { "…" } else { "" };
    let shown = bytes[..bytes.len().min(SHOWN)].escape_ascii();
    format!("{method} {path}: {wrong}; got \"{shown}\"{more}")
}

fn read(bytes: &[u8], ended: bool, target: &Target) -> Result<Option<Answer>, String> {
    let Some(start) = answers::final_at(bytes)? else { return Ok(None) };
    let Some(arrived) = answers::read(&bytes[start..], false, ended)? else { return Ok(None) };
    let status = arrived.response.status;
    match (status, &target.body) {
        (200, Some(body)) => check(&arrived, body)?,
        (100..200, _) | (200..300, Some(_)) => {
            return Err(format!("the status is {status}, not {}", target.status));
        }
        _ if arrived.length.unwrap_or(bytes.len()) > OTHER_BYTES => {
            return Err(format!("a {status} has more than {OTHER_BYTES} bytes"));
        }
        _ => {}
    }
    let close = arrived.response.closes();
    Ok(arrived.length.map(|length| Answer { length: start + length, status, close }))
}

/// Fails when the part of a 200 answer that has arrived is wrong. `expected` is the whole body.
fn check(arrived: &Arrived, expected: &[u8]) -> Result<(), String> {
    let Arrived { response, framing, length } = arrived;
    if response.field("content-type").is_none_or(str::is_empty) {
        return Err("it has no Content-Type, or several".into());
    }
    if !response.field("date").is_some_and(answers::is_imf_fixdate) {
        return Err("it has no Date like Sun, 06 Nov 1994 08:49:37 GMT, or several".into());
    }
    match framing {
        Framing::Length(length) if *length != expected.len() => {
            return Err(format!("its Content-Length is {length}, not {}", expected.len()));
        }
        Framing::Length(_) | Framing::Chunked => {}
        Framing::None | Framing::UntilClose => {
            return Err("it has neither Content-Length nor Transfer-Encoding".into());
        }
    }
    let body = &response.body;
    if let Some(at) = body.iter().zip(expected).position(|(got, expected)| got != expected) {
        return Err(format!("the body differs at byte {at}"));
    }
    if body.len() > expected.len() || length.is_some() && body.len() < expected.len() {
        return Err(format!("the body has {} bytes, not {}", body.len(), expected.len()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::Form;
    use visit_output::Mode;

    const DATE: &str = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";

    fn requests() -> Requests {
        let form = Form { host: "h", fields: &[], mode: Mode::KeepAlive };
        Requests::new(&form, &["/a".to_owned(), "/b".to_owned()], None, &[])
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
        let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n".repeat(2);
        let after_hints = hints + &sized(body);
        for text in [sized(body), right("Transfer-Encoding: chunked\r\n", &chunked), after_hints] {
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
            (sized(body).replace(DATE, ""), "it has no Date"),
            (sized(body).replace("GMT", "UTC"), "it has no Date like"),
            (sized(body).replace(DATE, &DATE.repeat(2)), "it has no Date like"),
            (sized(body).replace("Content-Type", "Content-Kind"), "it has no Content-Type"),
            (right("Transfer-Encoding: chunked\r\n", "2\r\nHe\r\n0\r\n\r\n"), "the body has 2 bytes"),
            (right("Transfer-Encoding: chunked\r\n", "9\r\nHello!"), "the body differs at byte 5"),
            (right("Transfer-Encoding: chunked\r\n", &format!("26\r\n{body}x")), "the body has 38 bytes"),
            (sized(body).replace("200 OK", "201 Created"), "the status is 201, not 200"),
            (format!("HTTP/1.1 101 Switching\r\n\r\n{}", sized(body)), "the status is 101"),
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
            ("HTTP/1.1 503 Busy\r\n\r\nno", true, Some((503, false))),
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

    #[test]
    fn an_answer_to_a_kind_has_any_body_and_right_framing() {
        let form = Form { host: "h", fields: &[], mode: Mode::KeepAlive };
        let kind = "name=a,share=0.5,method=DELETE,path=/d,status=405".parse().unwrap();
        let requests = Requests::new(&form, &["/a".to_owned()], None, &[kind]);
        let number = requests.number_of_kind(1, false);
        let sized = |status: &str, body| {
            format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{body}")
        };
        let right = [
            (sized("405 No", "no"), 405, true),
            (sized("405 No", "NO"), 405, true),
            ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned(), 200, false),
            ("HTTP/1.1 204 None\r\n\r\n".to_owned(), 204, false),
        ];
        let mut checker = Checker::new(&requests);
        // In the second round one of the answers is known.
        for (text, status, close) in right.iter().chain(&right) {
            for cut in 0..text.len() {
                assert_eq!(
                    checker.answer(number, &text.as_bytes()[..cut], false),
                    Ok(None),
                    "{cut} of {text:?}"
                );
            }
            let answer = checker.answer(number, text.as_bytes(), false);
            let expected = Answer { length: text.len(), status: *status, close: *close };
            assert_eq!(answer, Ok(Some(expected)), "{text:?}");
        }
        // An answer whose body ends with its connection is not whole before that end.
        let unsized_text = b"HTTP/1.1 405 No\r\n\r\nno";
        for ended in [true, false] {
            let answer = checker.answer(number, unsized_text, ended).unwrap();
            assert_eq!(answer.is_some(), ended);
        }
        let wrong = [
            ("HTTP/1.1 405 No\r\nContent-Length: 2, 3\r\n\r\nno", "DELETE /d: "),
            ("HTTP/1.1 101 Switching\r\n\r\n", "the status is 101, not 405"),
            ("HTTP/1.1 405 No\r\nContent-Length: no\r\n\r\n", "DELETE /d: "),
        ];
        for (text, expected) in wrong {
            let error = checker.answer(number, text.as_bytes(), true).unwrap_err();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
    }
}
