//! A case: bytes to send, and the outcomes that are right.

use std::net::SocketAddr;

use super::client::{Exchange, exchange};
use super::response::Response;

/// Bytes to send on a fresh connection, and the outcomes of which one has to come.
#[derive(Clone, Debug)]
pub struct Case {
    /// `subject/name`, by which manifests refer to it.
    pub name: &'static str,
    /// Where its rule comes from.
    pub rule: &'static str,
    /// What is sent.
    pub request: Vec<u8>,
    /// What is right: more than one where the RFC leaves a choice.
    pub expected: Vec<Expected>,
}

/// One outcome.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The answers in order.
    pub answers: Vec<Answer>,
    /// What becomes of the connection.
    pub end: End,
}

/// One answer.
#[derive(Clone, Debug)]
pub enum Answer {
    /// 200 with all of the endpoint's fields and the greeting for this path.
    Greeting(String),
    /// The same head and no body.
    Head(String),
    /// 405 that says what is allowed.
    NotAllowed,
    /// 100, after which another answer follows.
    Continue,
    /// Any final answer of this status.
    Status(u16),
}

/// What becomes of the connection after the last answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It answers a further request.
    Open,
    /// It is closed, and a further request is not answered.
    Closed,
}

impl Case {
    /// A case with one right outcome.
    pub fn new(
        name: &'static str,
        rule: &'static str,
        request: impl Into<Vec<u8>>,
        answers: impl Into<Vec<Answer>>,
        end: End,
    ) -> Self {
        let expected = vec![Expected { answers: answers.into(), end }];
        Self { name, rule, request: request.into(), expected }
    }

    /// A case in which the answers count, and not what becomes of the connection.
    pub fn answered(
        name: &'static str,
        rule: &'static str,
        request: impl Into<Vec<u8>>,
        answers: impl Into<Vec<Answer>>,
    ) -> Self {
        let answers = answers.into();
        Self::new(name, rule, request, answers.clone(), End::Open).or(answers, End::Closed)
    }

    /// A case whose request has to be refused: answered with `status`, and the connection closed.
    pub fn refused(name: &'static str, rule: &'static str, request: impl Into<Vec<u8>>, status: u16) -> Self {
        Self::new(name, rule, request, [Answer::Status(status)], End::Closed)
    }

    /// The same case with one more right outcome.
    #[must_use]
    pub fn or(mut self, answers: impl Into<Vec<Answer>>, end: End) -> Self {
        self.expected.push(Expected { answers: answers.into(), end });
        self
    }

    /// What is wrong with the answer of the server at `address`, if anything is.
    pub fn check(&self, address: SocketAddr) -> Option<String> {
        let bodiless = self.expected.first().map(|expected| {
            expected.answers.iter().map(|answer| matches!(answer, Answer::Head(_))).collect::<Vec<_>>()
        });
        let got = match exchange(address, &self.request, &bodiless.unwrap_or_default()) {
            Ok(got) => got,
            Err(error) => return Some(format!("{error:#}")),
        };
        let wrong = |expected: &Expected| expected.wrong(&got);
        let mut reasons = Vec::new();
        for expected in &self.expected {
            let reason = wrong(expected)?;
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        Some(format!("{}, got {}", reasons.join(", or "), got.summary()))
    }
}

impl Expected {
    fn wrong(&self, got: &Exchange) -> Option<String> {
        let count = |number| format!("{number} answer{}", if number == 1 { "" } else { "s" });
        if let Some(broken) = &got.broken {
            return Some(format!("expected {}, but {broken}", count(self.answers.len())));
        }
        let mut pairs = self.answers.iter().zip(&got.responses).enumerate();
        if let Some((place, wrong)) =
            pairs.find_map(|(place, (answer, response))| Some((place + 1, answer.wrong(response)?)))
        {
            return Some(format!("answer {place}: {wrong}"));
        }
        if self.answers.len() != got.responses.len() {
            return Some(format!("expected {}", count(self.answers.len())));
        }
        match (self.end, got.end) {
            (End::Open, End::Closed) => Some("expected the connection to stay open".into()),
            (End::Closed, End::Open) => Some("expected the connection to be closed".into()),
            _ => None,
        }
    }
}

impl Answer {
    /// A greeting for `path`.
    pub fn greeting(path: &str) -> Self {
        Self::Greeting(path.into())
    }

    /// What is wrong with `response`, if anything is.
    pub fn wrong(&self, response: &Response) -> Option<String> {
        match self {
            Self::Greeting(path) => {
                let body = greeting(path);
                wrong_head(&body, response).or_else(|| {
                    let got = String::from_utf8_lossy(&response.body);
                    (body.as_bytes() != response.body)
                        .then(|| format!("expected the body {body:?}, got {got:?}"))
                })
            }
            Self::Head(path) => wrong_head(&greeting(path), response),
            Self::NotAllowed => {
                wrong_status(405, response).or_else(|| wrong_field("allow", "GET, HEAD", response))
            }
            Self::Continue => wrong_status(100, response),
            Self::Status(status) => wrong_status(*status, response),
        }
    }
}

/// The endpoint's body for `path`.
fn greeting(path: &str) -> String {
    format!("Hello, visitor! You've requested: {path}\n")
}

fn wrong_head(body: &str, response: &Response) -> Option<String> {
    wrong_status(200, response)
        .or_else(|| wrong_field("content-type", "text/plain; charset=utf-8", response))
        .or_else(|| wrong_field("content-length", &body.len().to_string(), response))
        .or_else(|| match response.field("date") {
            Some(date) if is_imf_fixdate(date) => None,
            date => Some(format!("expected a Date as IMF-fixdate, got {}", date.unwrap_or("none"))),
        })
}

fn wrong_status(status: u16, response: &Response) -> Option<String> {
    (response.status != status).then(|| format!("expected {status}, got {}", response.status))
}

fn wrong_field(name: &str, expected: &str, response: &Response) -> Option<String> {
    let got = response.field(name);
    (got != Some(expected)).then(|| format!("expected {name}: {expected}, got {}", got.unwrap_or("none")))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
fn is_imf_fixdate(date: &str) -> bool {
    jiff::fmt::strtime::parse("%a, %d %b %Y %H:%M:%S GMT", date).is_ok() && date.len() == 29
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    /// A server that answers whatever comes with `canned`, and then closes or waits for the client to.
    fn canned(canned: String, closes: bool) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).unwrap();
            stream.write_all(canned.as_bytes()).unwrap();
            if !closes {
                while stream.read(&mut request).is_ok_and(|read| read > 0) {}
            }
        });
        address
    }

    fn answer(path: &str) -> String {
        let body = greeting(path);
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
             Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n{body}",
            body.len()
        )
    }

    #[test]
    fn every_kind_of_wrong_answer_is_found() {
        let (right, probe) = (answer("/a"), answer("/probe"));
        let open = |canned: &str| (canned.to_owned() + &probe, false);
        let cases = [
            ("right", open(&right), End::Open, None),
            ("right and closed", (right.clone(), true), End::Closed, None),
            (
                "another status",
                open(&right.replace("200 OK", "404 Not Found")),
                End::Open,
                Some("expected 200, got 404"),
            ),
            ("another body", open(&answer("/b")), End::Open, Some("expected the body")),
            ("a longer body", open(&answer("/a/b")), End::Open, Some("expected content-length: 37, got 39")),
            ("another type", open(&right.replace("plain", "html")), End::Open, Some("expected content-type")),
            ("no date", open(&right.replace("Date", "Data")), End::Open, Some("got none")),
            ("a broken date", open(&right.replace("Nov 1994", "1994 Nov")), End::Open, Some("IMF-fixdate")),
            (
                "one answer too many",
                open(&(right.clone() + &right)),
                End::Open,
                Some("expected 1 answer, got 200 200"),
            ),
            ("no answer", (String::new(), true), End::Open, Some("expected 1 answer, got nothing, closed")),
            ("open", open(&right), End::Closed, Some("expected the connection to be closed")),
            ("closed", (right.clone(), true), End::Open, Some("expected the connection to stay open")),
            ("half an answer", (right[..90].to_owned(), true), End::Open, Some("ended within an answer")),
            ("no HTTP", open("Hello\r\n\r\n"), End::Open, Some("is no status line")),
        ];
        for (name, (bytes, closes), end, expected) in cases {
            let case =
                Case::new("test/case", "a test", "GET /a HTTP/1.1\r\n\r\n", [Answer::greeting("/a")], end);
            let wrong = case.check(canned(bytes, closes));
            match (&wrong, expected) {
                (None, None) => {}
                (Some(wrong), Some(expected)) if wrong.contains(expected) => {}
                _ => panic!("{name}: {wrong:?}"),
            }
        }
    }

    #[test]
    fn a_head_with_a_body_is_found() {
        let head =
            Case::answered("test/head", "a test", "HEAD /a HTTP/1.1\r\n\r\n", [Answer::Head("/a".into())]);
        assert!(head.check(canned(answer("/a") + &answer("/probe"), false)).is_some());
        let (bodiless, _) =
            answer("/a").split_once("Hello").map(|(head, body)| (head.to_owned(), body.len())).unwrap();
        assert_eq!(head.check(canned(bodiless + &answer("/probe"), false)), None);
    }
}
