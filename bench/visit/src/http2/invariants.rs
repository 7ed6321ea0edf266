//! Invariants that hold whatever a server sends over HTTP/2. Each is a function that takes any
//! bytes, and panics when the invariant is broken.
//!
//! The fuzzer (`shared/fuzz/`) looks for bytes that break an invariant. Inputs that it has found,
//! and inputs written by hand, are in `shared/fuzz/corpus/`; the tests below check all of them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "an invariant that is broken panics")]

use std::time::Instant;

use visit_output::Mode;

use super::block::Blocks;
use super::receive::{LONGEST_BLOCK, MOST_UNSENT};
use super::{Event, HEAD, Session, request, split};
use crate::connection::Batch;
use crate::head::Form;
use crate::requests::Requests;

/// Two targets, whose answers may come in any order.
const PATHS: [&str; 2] = ["/a", "/abc"];

/// The maximum numbers of requests at the same time, and in total.
const STREAMS: usize = 3;
const MOST_ASKED: usize = 64;

/// The lengths of pieces that are also tried: shorter and longer than the head of a frame.
const PIECES: [usize; 3] = [1, 7, 100];

/// The number of bytes that may be written before [`MOST_UNSENT`] is checked.
const UNSENT_SLACK: usize = 128;

/// Checks that the frames of a server mean the same in whatever pieces they arrive, that no answer
/// is counted without a request, and that the bytes that are kept are bounded. The first byte says
/// after which frame the client gives up the requests that are under way, if it does.
pub fn frames(bytes: &[u8]) {
    let Some((late, bytes)) = bytes.split_first() else { return };
    let late = usize::from(*late);
    let whole = exchange(bytes, bytes.len(), late);
    for piece in PIECES {
        assert_eq!(exchange(bytes, piece, late), whole, "in pieces of {piece} bytes");
    }
}

/// Checks that a header means the same whether or not the same bytes have come before. The input is
/// the blocks of a connection. Before each, one byte says what it is, and one gives its length.
pub fn blocks(bytes: &[u8]) {
    let (mut known, mut forgetful) = (Blocks::new(PATHS.len()), Blocks::new(PATHS.len()));
    let mut rest = bytes;
    while let [kind, length, after @ ..] = rest {
        let (block, after) = after.split_at(after.len().min(usize::from(*length)));
        rest = after;
        forgetful.forget();
        let [one, other] = [&mut known, &mut forgetful].map(|blocks| match kind % 4 {
            2 => blocks.trailer(block).map(|()| None),
            3 => blocks.skip(block).map(|()| None),
            target => blocks.header(block, usize::from(target)).map(Some),
        });
        assert_eq!(one, other, "{}", block.escape_ascii());
        if one.is_err() {
            return;
        }
    }
}

/// Returns the events of a connection on which `bytes` arrive in pieces of this length.
fn exchange(bytes: &[u8], piece: usize, late: usize) -> Vec<String> {
    let paths = PATHS.map(str::to_owned);
    let requests = Requests::new(&Form { host: "h", fields: &[], mode: Mode::KeepAlive }, &paths, None, &[]);
    let asks = request::frames(false, "h", &[], PATHS.into_iter()).unwrap();
    let mut session = Session::new(STREAMS, PATHS.len());
    session.begin();
    let (mut asked, mut done, mut said) = (0, 0, Vec::new());
    let (mut start, mut end) = (0, 0);
    while end < bytes.len() {
        end = bytes.len().min(end + piece);
        loop {
            let event = match split(&bytes[start..end]) {
                Ok(None) => break,
                Ok(Some((head, payload))) => {
                    start += HEAD + payload.len();
                    session.receive(head, payload, &requests)
                }
                Err(fault) => Err(fault),
            };
            done += match &event {
                Ok(Event::Answered { .. } | Event::Reset { batch: Some(_), .. }) => 1,
                Ok(Event::GoAway { last, .. }) => {
                    session.leave();
                    session.take_unprocessed(*last).len()
                }
                _ => 0,
            };
            said.push(words(&event));
            if event.is_err() {
                return said;
            }
            if said.len() == late {
                done += session.take_late(|_| true).len();
            }
            while session.capacity() > 0 && asked < MOST_ASKED {
                let first = asked % PATHS.len();
                let batch = Batch { first, count: 1, answered: 0, start: Instant::now(), measured: true };
                session.ask(batch, &asks[first]);
                asked += 1;
            }
            assert_eq!(asked - done, session.busy(), "requests under way");
            assert!(session.busy() <= STREAMS, "more streams than allowed");
            assert!(session.block.len() <= LONGEST_BLOCK, "a block of {} bytes", session.block.len());
            // A request or an answer to PING may be written before the bound is checked.
            assert!(
                session.unsent().len() <= MOST_UNSENT + UNSENT_SLACK,
                "{} bytes wait",
                session.unsent().len()
            );
        }
    }
    said
}

/// Describes an event without its times.
fn words(event: &Result<Event, super::Fault>) -> String {
    match event {
        Ok(Event::Answered { batch, status }) => format!("{status} for {}", batch.first),
        Ok(Event::Reset { batch, is_refused }) => {
            format!("reset of {:?}, {is_refused}", batch.map(|batch| batch.first))
        }
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    /// Checks `invariant` for every file of the corpus called `name`.
    fn check(name: &str, invariant: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fuzz/corpus").join(name);
        let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<PathBuf> = files.collect();
        files.sort();
        assert!(!files.is_empty(), "{} is empty", folder.display());
        for file in files {
            // Shown only when the test fails: the last file is the one that broke the invariant.
            println!("{}", file.display());
            invariant(&fs::read(&file).unwrap());
        }
    }

    #[test]
    fn the_corpus_keeps_the_invariants_of_frames() {
        check("frames", super::frames);
    }

    #[test]
    fn the_corpus_keeps_the_invariants_of_blocks() {
        check("blocks", super::blocks);
    }
}
