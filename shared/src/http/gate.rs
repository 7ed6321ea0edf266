//! The rules in front of a framework: which bytes of a connection it gets to see.
//!
//! A framework parses for itself, and is lenient where it may not be, or hides what was ambiguous. So the bytes are
//! judged before: what passes are whole heads that keep the rules, and the bodies that belong to them.

use super::body::Discard;
use super::head;
use super::rules::{Framing, Method, Refusal, Request, Version};

/// Requests that pass together at most. A framework may hold the heads of all that it has read and not answered, in some
/// kilobytes each.
const REQUESTS_AT_ONCE: usize = 16;

/// One connection's input, in front of a framework.
#[derive(Debug, Default)]
pub struct Gate {
    body: Option<Discard>,
    /// What passed last closes the connection.
    closed: bool,
}

/// What [`Gate::admit`] lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passage {
    /// Bytes from the start of the input.
    pub bytes: usize,
    /// Requests whose heads are among them.
    pub requests: usize,
    /// Whether one of them has a body. It is then the only one.
    pub has_body: bool,
    /// What comes after them.
    pub then: Then,
}

/// What comes after the bytes that pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// More input is needed, after what was left of this one.
    Input,
    /// What passed has to be answered before more may pass.
    Answer,
    /// Nothing: the last request to pass closes the connection.
    Close,
    /// Nothing: what follows is refused, once what passed has been answered.
    Refuse(Refusal),
}

impl Gate {
    /// Judges `input`, which begins where the bytes ended that passed before.
    ///
    /// Only plain requests pass together, and others alone: a framework may keep one state for all requests that it has
    /// read and not answered.
    pub fn admit(&mut self, input: &[u8]) -> Passage {
        let mut passage = Passage { bytes: 0, requests: 0, has_body: false, then: Then::Input };
        while let Some(rest) = input.get(passage.bytes..) {
            if let Some(then) = self.step(rest, &mut passage) {
                passage.then = then;
                break;
            }
        }
        passage
    }

    /// Whether a body is passing.
    pub fn is_in_body(&self) -> bool {
        self.body.is_some()
    }

    /// Lets one head pass, or a piece of a body. Something when that is all for now.
    fn step(&mut self, input: &[u8], passage: &mut Passage) -> Option<Then> {
        if let Some(body) = &mut self.body {
            match body.take(input) {
                Ok(bytes) => passage.bytes += bytes,
                Err(refusal) => return Some(Then::Refuse(refusal)),
            }
            if !body.is_done() {
                return Some(Then::Input);
            }
            self.body = None;
            return Some(if self.closed { Then::Close } else { Then::Answer });
        }
        if self.closed {
            return Some(Then::Close);
        }
        if input.is_empty() {
            return Some(Then::Input);
        }
        let (request, length) = match head::parse(input) {
            Ok(Some(head)) => head,
            Ok(None) => return Some(Then::Input),
            Err(refusal) => return Some(Then::Refuse(refusal)),
        };
        let plain = is_plain(&request);
        if passage.requests == REQUESTS_AT_ONCE || !plain && passage.requests > 0 {
            return Some(Then::Answer);
        }
        passage.bytes += length;
        passage.requests += 1;
        self.closed = !request.keep_alive;
        match request.framing {
            Framing::None if plain => None,
            Framing::None if self.closed => Some(Then::Close),
            Framing::None => Some(Then::Answer),
            framing => {
                passage.has_body = true;
                self.body = Some(Discard::new(framing));
                None
            }
        }
    }
}

fn is_plain(request: &Request) -> bool {
    request.method == Method::Get
        && request.version == Version::Http11
        && request.framing == Framing::None
        && request.keep_alive
        && !request.wants_upgrade
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: &str = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
    const HEAD: &str = "HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n";
    const LAST: &str = "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    const UPGRADE: &str = "GET /a HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\n\r\n";
    const POST: &str = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";
    const CHUNKED: &str = "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    const BAD: &str = "GET /a HTTP/1.1\nHost: h\r\n\r\n";

    fn passage(passes: &[&str], requests: usize, then: Then) -> Passage {
        let has_body = passes.first().is_some_and(|head| head.starts_with("POST"));
        Passage { bytes: passes.concat().len(), requests, has_body, then }
    }

    #[test]
    fn lets_pass_what_keeps_the_rules() {
        let refuse = Then::Refuse(Refusal::Malformed);
        let cases: [(&[&str], Passage); 13] = [
            (&[], passage(&[], 0, Then::Input)),
            (&[GET, GET], passage(&[GET, GET], 2, Then::Input)),
            (&[GET, "GET /a"], passage(&[GET], 1, Then::Input)),
            (&[GET, BAD, GET], passage(&[GET], 1, refuse)),
            (&[UPGRADE, GET], passage(&[UPGRADE], 1, Then::Answer)),
            (&[GET, HEAD], passage(&[GET], 1, Then::Answer)),
            (&[HEAD, GET], passage(&[HEAD], 1, Then::Answer)),
            (&[LAST, GET], passage(&[LAST], 1, Then::Close)),
            (&[LAST], passage(&[LAST], 1, Then::Close)),
            (&[POST, GET], passage(&[POST], 1, Then::Answer)),
            (&[CHUNKED, "0\r\n\r\n", GET], passage(&[CHUNKED, "0\r\n\r\n"], 1, Then::Answer)),
            (&[CHUNKED, "3\r\nab"], passage(&[CHUNKED, "3\r\nab"], 1, Then::Input)),
            (&[CHUNKED, "x\r\n"], passage(&[CHUNKED], 1, refuse)),
        ];
        for (input, expected) in cases {
            assert_eq!(Gate::default().admit(input.concat().as_bytes()), expected, "{input:?}");
        }
    }

    #[test]
    fn only_so_many_pass_together() {
        let input = GET.repeat(REQUESTS_AT_ONCE + 1);
        let expected = passage(&[GET; REQUESTS_AT_ONCE], REQUESTS_AT_ONCE, Then::Answer);
        assert_eq!(Gate::default().admit(input.as_bytes()), expected);
    }

    #[test]
    fn goes_on_where_it_stopped() {
        let input = [GET, HEAD, POST, LAST, GET].concat();
        let mut gate = Gate::default();
        let mut passed = Vec::new();
        let mut start = 0;
        for end in 0..=input.len() {
            loop {
                let passage = gate.admit(&input.as_bytes()[start..end]);
                start += passage.bytes;
                if passage.bytes == 0 {
                    break;
                }
                passed.push(passage.requests);
            }
        }
        assert_eq!(passed.iter().sum::<usize>(), 4);
        assert_eq!(start, input.len() - GET.len());
        assert_eq!(gate.admit(GET.as_bytes()), passage(&[], 0, Then::Close));
    }
}
