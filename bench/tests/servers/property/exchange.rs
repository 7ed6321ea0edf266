//! Generated exchanges on one connection: requests, and the pieces in which the client sends them.

use answers::Response;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::model;
use super::request::{self, Request};
use super::wire::Wire;

/// Requests on one connection, the last of which closes it.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    requests: Vec<Request>,
    /// The end of each piece, and whether the client waits there for the answers that are due.
    splits: Vec<(usize, bool)>,
}

/// The answers that the client has received so far.
#[derive(Default)]
struct Received<'a> {
    requests: &'a [Request],
    /// Bytes of an incomplete answer.
    bytes: Vec<u8>,
    /// The number of answered requests.
    answered: usize,
    /// Whether `100 Continue` has arrived for the next request.
    continued: bool,
    closed: bool,
}

/// Generates exchanges.
pub(crate) fn exchanges() -> impl Strategy<Value = Exchange> {
    let requests = vec(request::requests(), 1..6);
    let splits = vec((any::<Index>(), any::<bool>()), 0..6);
    (requests, splits, any::<bool>()).prop_map(|(mut requests, splits, waits)| {
        requests.push(request::last());
        let sent: usize = requests.iter().map(Request::len).sum();
        let mut splits: Vec<_> = splits.into_iter().map(|(at, waits)| (at.index(sent), waits)).collect();
        // A client that expects `100 Continue` often waits for it.
        if waits {
            let expecting = starts(&requests).zip(&requests).filter(|(_, request)| request.expects);
            splits.extend(expecting.map(|(at, request)| (at + request.head.len(), true)));
        }
        splits.push((sent, false));
        splits.sort_unstable();
        Exchange { requests, splits }
    })
}

/// The offset of each request in the bytes of all requests.
fn starts(requests: &[Request]) -> impl Iterator<Item = usize> {
    requests.iter().scan(0, |end, request| {
        let start = *end;
        *end += request.len();
        Some(start)
    })
}

impl Request {
    fn len(&self) -> usize {
        self.head.len() + self.body.len()
    }
}

impl Exchange {
    /// Plays the client, and compares the answers with the model.
    pub(crate) fn play(&self, wire: &mut impl Wire) -> Result<(), String> {
        let bytes = |request: &Request| [request.head.as_bytes(), &request.body].concat();
        let sent: Vec<u8> = self.requests.iter().flat_map(bytes).collect();
        let mut received = Received { requests: &self.requests, ..Received::default() };
        let mut start = 0;
        for (end, waits) in &self.splits {
            wire.send(&sent[start..*end]);
            start = *end;
            if *waits {
                received.wait(wire, self.due(start))?;
            }
        }
        received.read_to_the_end(wire)
    }

    /// The number of answers that are due after `sent` bytes, and whether `100 Continue` is due for
    /// the next request.
    fn due(&self, sent: usize) -> (usize, bool) {
        let mut answers = 0;
        for (start, request) in starts(&self.requests).zip(&self.requests) {
            if sent < start + request.len() {
                return (answers, model::has_to_continue(request) && sent == start + request.head.len());
            }
            answers += 1;
            if model::closes(request) {
                break;
            }
        }
        (answers, false)
    }
}

impl Received<'_> {
    /// Reads until the answers that are due have arrived, or the connection is closed.
    fn wait(&mut self, wire: &mut impl Wire, (answers, continues): (usize, bool)) -> Result<(), String> {
        let is_due =
            |now: &Self| now.answered < answers || continues && now.answered == answers && !now.continued;
        while !self.closed && is_due(self) {
            let answered = self.answered;
            if !wire.receive(&mut self.bytes)? {
                return Err(format!("the server closes when {answers} answers are due, after {answered}"));
            }
            self.take_answers()?;
        }
        Ok(())
    }

    /// Reads to the end of the connection, which has to follow the answer that announces it.
    fn read_to_the_end(&mut self, wire: &mut impl Wire) -> Result<(), String> {
        while wire.receive(&mut self.bytes)? {
            self.take_answers()?;
        }
        if !self.closed {
            return Err(format!(
                "the server closes after {} answers, none of which announces it",
                self.answered
            ));
        }
        Ok(())
    }

    fn take_answers(&mut self) -> Result<(), String> {
        while !self.bytes.is_empty() {
            let request = self.requests.get(self.answered).filter(|_| !self.closed);
            let request = request.ok_or_else(|| format!("{:?} after the last answer", self.bytes))?;
            let read = answers::parse(&self.bytes, request.method == "HEAD", false)?;
            let Some((answer, length)) = read else { break };
            self.bytes.drain(..length);
            self.take(request, &answer)?;
        }
        Ok(())
    }

    fn take(&mut self, request: &Request, answer: &Response) -> Result<(), String> {
        if answer.is_interim() {
            if answer.status != 100 || self.continued || !model::may_continue(request) {
                return Err(format!("{request:?} is first answered with {}", answer.status));
            }
            self.continued = true;
            return Ok(());
        }
        model::check(request, answer)?;
        self.answered += 1;
        self.continued = false;
        self.closed = model::ends(request, answer);
        Ok(())
    }
}
