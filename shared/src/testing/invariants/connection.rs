//! The invariants of a connection.

use super::client::{Client, piece, rng};
use super::outcome::Outcome;
use crate::http::{Connection, Next, RequestFilter, Session, Turn, Wants, limits};
use crate::testing::wire::ServingThread;

/// More than a connection's output may ever take: it has up to 16 KiB before the last answer, which
/// may have the longest target, and a vector that grows takes up to twice what it needs.
pub(super) const OUTPUT_BYTES: usize = 64 * 1024;

/// Whatever a client sends, its answers are whole, and only the last closes the connection. They
/// depend neither on how the bytes are split nor on the code that reads them: a [`Connection`], a
/// [`Session`] over a stream, or a filter in front of a framework. Kept bytes are bounded.
pub fn connection(bytes: &[u8]) {
    let whole = exchange(bytes, || bytes.len(), false);

    // Pieces of one byte, or more when the input is long, so that there are some hundreds.
    let step = 1 + bytes.len() / 512;
    assert_eq!(exchange(bytes, || step, false), whole, "in pieces of {step} bytes");
    let mut rng = rng(bytes);
    assert_eq!(exchange(bytes, || piece(&mut rng), false), whole, "in pieces of several lengths");
    assert_eq!(session(bytes), whole, "in a session");
    check_filter(bytes, &whole);

    let drained = exchange(bytes, || bytes.len(), true);
    assert!(drained.answers.len() <= whole.answers.len(), "more answers when the server drains");
}

/// Returns a connection's answers to `bytes`. `piece` returns the length of the next piece.
fn exchange(bytes: &[u8], mut piece: impl FnMut() -> usize, draining: bool) -> Outcome {
    let mut connection = Connection::default();
    let (mut output, mut received) = (Vec::new(), Vec::new());
    let (mut start, mut end, mut answered) = (0, 0, 0);
    let mut wants = Wants::Input;
    while wants == Wants::Flush || wants == Wants::Input && end < bytes.len() {
        if wants == Wants::Input {
            end = bytes.len().min(end + piece().max(1));
        }
        let progress = connection.advance(&bytes[start..end], &mut output, draining);
        assert!(
            wants != Wants::Flush || progress.consumed > 0 || progress.wants != Wants::Flush,
            "no progress"
        );
        assert!(output.capacity() <= OUTPUT_BYTES, "an output of {} bytes", output.capacity());
        wants = progress.wants;
        answered += progress.answered;
        start += progress.consumed;
        // A head that is not complete within the limit is rejected: a buffer of that size is
        // enough.
        assert!(start <= end && (wants != Wants::Input || end - start < limits::HEAD_BYTES), "unread input");
        received.append(&mut output);
        output = Vec::new();
    }
    let outcome = Outcome::read(&received);
    assert_eq!(outcome.answered(), answered, "requests that were answered: {outcome:?}");
    assert_eq!(outcome.closes(), wants == Wants::Close, "the answer and the connection differ: {outcome:?}");
    assert_eq!(outcome.rejection().is_some(), connection.has_rejected(), "{outcome:?}");
    outcome
}

/// Returns a session's answers to `bytes`. Both the bytes and the answers are sent in pieces.
pub(super) fn session(bytes: &[u8]) -> Outcome {
    let mut client = Client::new(bytes);
    let mut thread = ServingThread::new(true);
    let mut session = Session::default();
    while thread.turn(&mut session, &mut client) != Turn::Over {
        let (input, output) = session.kept();
        assert!(input <= limits::HEAD_BYTES && output <= OUTPUT_BYTES, "kept: {input} and {output} bytes");
    }
    Outcome::read(&client.received)
}

/// Checks that the filter admits and rejects the requests that a connection answers and rejects.
fn check_filter(bytes: &[u8], outcome: &Outcome) {
    let mut filter = RequestFilter::default();
    let (mut start, mut requests) = (0, 0);
    let next = loop {
        let admitted = filter.admit(&bytes[start..]);
        start += admitted.bytes;
        requests += admitted.requests;
        match admitted.next {
            Next::Answer => assert!(admitted.bytes > 0, "no progress"),
            next => break next,
        }
    };
    // A request whose body is not complete is not answered.
    let answered = requests - usize::from(filter.is_in_body());
    assert_eq!(answered, outcome.answered(), "admitted requests: {outcome:?}");
    let rejection = if let Next::Reject(rejection) = next { Some(rejection.status().0) } else { None };
    assert_eq!(rejection, outcome.rejection(), "{outcome:?}");
    assert_eq!(next != Next::Input, outcome.closes(), "{next:?}: {outcome:?}");
}
