//! Enforces the rules in front of a framework: decides which bytes of a connection it may read.
//!
//! A framework has its own parser, which accepts some requests that it must reject, or hides that
//! they were ambiguous. So the bytes are validated first: only whole heads that keep the rules
//! pass, with their bodies.

use super::body::BodySkipper;
use super::head;
use super::rules::{Framing, Method, Rejection, Request, Version};

/// The maximum number of requests that are admitted together. A framework may hold the heads of all
/// requests that it has read and not answered, some kilobytes each.
const REQUESTS_AT_ONCE: usize = 16;

/// The filter of one connection's input.
#[derive(Debug, Default)]
pub struct RequestFilter {
    body: Option<BodySkipper>,
    /// Whether the last admitted request closes the connection.
    closed: bool,
    /// Whether the last admitted head has to be adapted.
    adapts: bool,
}

/// The result of [`RequestFilter::admit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// The number of bytes, from the start of the input.
    pub bytes: usize,
    /// The number of requests whose heads are among these bytes.
    pub requests: usize,
    /// Whether one of these requests has a body. It is then the only one.
    pub has_body: bool,
    /// The condition for more bytes to be admitted.
    pub next: Next,
}

/// The condition for more bytes to be admitted after the admitted bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// More input is needed, appended to the bytes that were not admitted.
    Input,
    /// The admitted requests have to be answered before more are admitted.
    Answer,
    /// No more is admitted: the last admitted request closes the connection.
    Close,
    /// No more is admitted: the next request, or the rest of a body, breaks a rule. It is rejected
    /// once the requests before it are answered.
    Reject(Rejection),
}

impl RequestFilter {
    /// Validates `input`, which begins after the bytes that were admitted before.
    ///
    /// Plain requests are admitted together, all others alone: a framework may keep one state for
    /// all requests that it has read and not answered.
    pub fn admit(&mut self, input: &[u8]) -> Admitted {
        let mut admitted = Admitted { bytes: 0, requests: 0, has_body: false, next: Next::Input };
        while let Some(rest) = input.get(admitted.bytes..) {
            if let Some(next) = self.step(rest, &mut admitted) {
                admitted.next = next;
                break;
            }
        }
        admitted
    }

    /// Rewrites the head among the bytes that [`admit`](Self::admit) has just admitted, where a
    /// framework would serve it differently: a later minor version becomes 1.1, and an upgrade to
    /// another protocol is no longer requested (RFC 9110, sections 2.5 and 7.8).
    pub fn adapt(&mut self, admitted: &mut [u8]) {
        if std::mem::take(&mut self.adapts) {
            adapt(admitted);
        }
    }

    /// Whether the body of the last admitted request is not yet complete.
    pub fn is_in_body(&self) -> bool {
        self.body.is_some()
    }

    /// Admits one head, or a piece of a body. Returns `Some` when no more can be admitted now.
    fn step(&mut self, input: &[u8], admitted: &mut Admitted) -> Option<Next> {
        if let Some(body) = &mut self.body {
            match body.skip(input) {
                Ok(bytes) => admitted.bytes += bytes,
                Err(rejection) => return Some(Next::Reject(rejection)),
            }
            if !body.is_done() {
                return Some(Next::Input);
            }
            self.body = None;
            return Some(if self.closed { Next::Close } else { Next::Answer });
        }
        if self.closed {
            return Some(Next::Close);
        }
        if input.is_empty() {
            return Some(Next::Input);
        }
        let (request, length) = match head::parse(input) {
            Ok(Some(head)) => head,
            Ok(None) => return Some(Next::Input),
            Err(rejection) => return Some(Next::Reject(rejection)),
        };
        let plain = is_plain(&request);
        if admitted.requests == REQUESTS_AT_ONCE || !plain && admitted.requests > 0 {
            return Some(Next::Answer);
        }
        admitted.bytes += length;
        admitted.requests += 1;
        self.closed = !request.keep_alive;
        if !plain {
            self.adapts = request.wants_upgrade || request.version == Version::Later;
        }
        match request.framing {
            Framing::None if plain => None,
            Framing::None if self.closed => Some(Next::Close),
            Framing::None => Some(Next::Answer),
            framing => {
                admitted.has_body = true;
                self.body = Some(BodySkipper::new(framing));
                None
            }
        }
    }
}

/// Adds and removes no byte: overwrites a name or an option with a word that has no meaning.
#[cold]
fn adapt(head: &mut [u8]) {
    let mut lines = head.split_mut(|byte| *byte == b'\n').skip_while(|line| line.len() < 2);
    if let Some([.., minor @ b'2'..=b'9', b'\r']) = lines.next() {
        *minor = b'1';
    }
    for line in lines.take_while(|line| line.len() > 1) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = line.split_at_mut(colon);
        ignore_upgrade(name);
        if name.eq_ignore_ascii_case(b"connection") {
            value.split_mut(|byte| b":, \t\r".contains(byte)).for_each(ignore_upgrade);
        }
    }
}

fn ignore_upgrade(word: &mut [u8]) {
    if word.eq_ignore_ascii_case(b"upgrade") {
        word.copy_from_slice(b"ignored");
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

    fn admitted(passes: &[&str], requests: usize, next: Next) -> Admitted {
        let has_body = passes.first().is_some_and(|head| head.starts_with("POST"));
        Admitted { bytes: passes.concat().len(), requests, has_body, next }
    }

    #[test]
    fn admits_what_keeps_the_rules() {
        let reject = Next::Reject(Rejection::Malformed);
        let cases: [(&[&str], Admitted); 13] = [
            (&[], admitted(&[], 0, Next::Input)),
            (&[GET, GET], admitted(&[GET, GET], 2, Next::Input)),
            (&[GET, "GET /a"], admitted(&[GET], 1, Next::Input)),
            (&[GET, BAD, GET], admitted(&[GET], 1, reject)),
            (&[UPGRADE, GET], admitted(&[UPGRADE], 1, Next::Answer)),
            (&[GET, HEAD], admitted(&[GET], 1, Next::Answer)),
            (&[HEAD, GET], admitted(&[HEAD], 1, Next::Answer)),
            (&[LAST, GET], admitted(&[LAST], 1, Next::Close)),
            (&[LAST], admitted(&[LAST], 1, Next::Close)),
            (&[POST, GET], admitted(&[POST], 1, Next::Answer)),
            (&[CHUNKED, "0\r\n\r\n", GET], admitted(&[CHUNKED, "0\r\n\r\n"], 1, Next::Answer)),
            (&[CHUNKED, "3\r\nab"], admitted(&[CHUNKED, "3\r\nab"], 1, Next::Input)),
            (&[CHUNKED, "x\r\n"], admitted(&[CHUNKED], 1, reject)),
        ];
        for (input, expected) in cases {
            assert_eq!(RequestFilter::default().admit(input.concat().as_bytes()), expected, "{input:?}");
        }
    }

    #[test]
    fn a_head_is_adapted_to_what_is_served() {
        let old = "GET /a HTTP/1.0\r\nConnection: upgrade\r\n\r\n";
        let websocket = "GET /a HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n";
        let several = "\r\nPOST /a HTTP/1.9\r\nHost: upgrade\r\nCONNECTION: Upgrade,close , upgrade\r\n\
                       Content-Length: 21\r\n\r\nConnection: upgrade\r\n";
        let cases = [
            (GET, GET.to_owned()),
            (UPGRADE, UPGRADE.replace("upgrade", "ignored")),
            (websocket, websocket.replace("Upgrade", "ignored")),
            (old, old.replace("upgrade", "ignored")),
            (&GET.replace("1.1", "1.2"), GET.to_owned()),
            (
                several,
                several.replace("1.9", "1.1").replace("Upgrade,close , upgrade", "ignored,close , ignored"),
            ),
        ];
        for (input, expected) in cases {
            let (mut filter, mut bytes) = (RequestFilter::default(), input.as_bytes().to_vec());
            let admitted = filter.admit(&bytes);
            assert_eq!(admitted.bytes, input.len(), "{input}");
            filter.adapt(&mut bytes);
            assert_eq!(String::from_utf8(bytes).unwrap(), expected);
        }
    }

    #[test]
    fn the_number_of_requests_admitted_together_is_bounded() {
        let input = GET.repeat(REQUESTS_AT_ONCE + 1);
        let expected = admitted(&[GET; REQUESTS_AT_ONCE], REQUESTS_AT_ONCE, Next::Answer);
        assert_eq!(RequestFilter::default().admit(input.as_bytes()), expected);
    }

    #[test]
    fn continues_where_it_stopped() {
        let input = [GET, HEAD, POST, LAST, GET].concat();
        let mut filter = RequestFilter::default();
        let mut passed = Vec::new();
        let mut start = 0;
        for end in 0..=input.len() {
            loop {
                let admitted = filter.admit(&input.as_bytes()[start..end]);
                start += admitted.bytes;
                if admitted.bytes == 0 {
                    break;
                }
                passed.push(admitted.requests);
            }
        }
        assert_eq!(passed.iter().sum::<usize>(), 4);
        assert_eq!(start, input.len() - GET.len());
        assert_eq!(filter.admit(GET.as_bytes()), admitted(&[], 0, Next::Close));
    }
}
