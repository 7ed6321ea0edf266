//! Counts the allocations of an answer over HTTP/2.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Instant;

use super::frame::HEAD;
use super::receive::tests::{asked, frame, header, requests};
use super::request;
use super::session::Event;
use super::split;
use crate::connection::Batch;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

/// The allocator of the system, which counts the allocations of each thread.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[allow(unsafe_code, reason = "an allocator is written")]
// SAFETY: The system's allocator does all of it. Counting allocates nothing: a thread-local that is
// initialised by a constant and needs no destructor exists as long as its thread.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: The caller's promises are passed on, here and below.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: As above.
        unsafe { System.realloc(block, layout, bytes) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: As above.
        unsafe { System.dealloc(block, layout) }
    }
}

/// The header of an answer whose date is in the table, or is inserted into it.
fn dated(date: &[u8]) -> Vec<u8> {
    frame(1, 4, 1, &[b"\x88\x0f\x10\x0atext/plain", date].concat())
}

#[test]
fn an_answer_that_equals_the_last_one_allocates_nothing() {
    let date = b"\x61\x1dSun, 06 Nov 1994 08:49:37 GMT";
    let body = frame(0, 1, 1, b"Hello, visitor! You've requested: /a\n");
    let cases: [(&str, Vec<u8>, Vec<u8>); 3] = [
        ("without the table", header(1), header(1)),
        ("with the table", dated(date), dated(b"\xbe")),
        ("inserted again and again", dated(date), dated(date)),
    ];
    let requests = requests();
    let frames = request::frames(false, "h", &[], ["/a"].into_iter()).unwrap();
    let batch = Batch { first: 0, count: 1, answered: 0, start: Instant::now(), measured: true };
    for (name, first, header) in cases {
        let mut session = asked(0, &requests);
        let mut before = 0;
        for number in 0..1000_u32 {
            // The first answers are not counted: they are decoded, and buffers grow for them.
            if number == 10 {
                before = COUNT.get();
            }
            let stream = (2 * number + 1).to_be_bytes();
            session.ask(batch, &frames[0]);
            let bytes = session.unsent().len();
            session.sent(bytes);
            let header = if number == 0 { &first } else { &header };
            for (part, is_last) in [(header, false), (&body, true)] {
                let mut bytes = [0; 256];
                bytes[..part.len()].copy_from_slice(part);
                bytes[5..HEAD].copy_from_slice(&stream);
                let (head, payload) = split(&bytes[..part.len()]).unwrap().unwrap();
                let event = session.receive(head, payload, &requests).unwrap();
                let is_answered = matches!(event, Event::Answered { status: 200, .. });
                assert_eq!(is_answered, is_last, "{name}");
            }
        }
        assert_eq!(COUNT.get() - before, 0, "{name}");
    }
}
