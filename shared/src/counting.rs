//! An allocator that counts allocations, for tests of how often a request allocates. Only these
//! tests enable the feature `counting`: a server that is measured has plain mimalloc.
//!
//! A server with this feature prints the number of allocations of its process when a signal asks it
//! to end.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use mimalloc::MiMalloc;

static TOTAL: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static THIS_THREAD: Cell<u64> = const { Cell::new(0) };
}

/// mimalloc, with its allocations counted. A reallocation counts as one, freeing does not.
pub(crate) struct Counting;

/// Returns the number of allocations of the process so far.
pub fn total() -> u64 {
    TOTAL.load(Ordering::Relaxed)
}

/// Returns the number of allocations of the calling thread so far.
pub fn this_thread() -> u64 {
    THIS_THREAD.get()
}

fn count() {
    TOTAL.fetch_add(1, Ordering::Relaxed);
    THIS_THREAD.set(THIS_THREAD.get() + 1);
}

#[allow(unsafe_code, reason = "an allocator is written")]
// SAFETY: mimalloc does all of it. Counting allocates nothing: a thread-local that is initialised
// by a constant and needs no destructor exists as long as its thread.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: The caller's promises are passed on, here and below.
        unsafe { MiMalloc.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: As above.
        unsafe { MiMalloc.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        count();
        // SAFETY: As above.
        unsafe { MiMalloc.realloc(block, layout, bytes) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: As above.
        unsafe { MiMalloc.dealloc(block, layout) }
    }
}

#[cfg(test)]
mod tests {
    use std::iter;

    use super::*;
    use crate::http::{RequestFilter, Session, Turn};
    use crate::testing::heads::{BARE as GET, BROWSER};
    use crate::testing::wire::{ServingThread, Wire};

    const HEAD: &str = "HEAD /abc HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const LAST: &str = "GET /abc HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    const EXPECTS: &str =
        "PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    const CHUNKED: &str =
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    const REJECTED: &str = "GET / HTTP/1.1\r\nNo-Host: localhost\r\n\r\n";

    /// The repetitions of each case, after a first run that allocates the buffers that are kept.
    const REPEATS: u64 = 1000;

    #[test]
    fn counts_what_is_allocated_and_what_grows() {
        let before = (this_thread(), total());
        let mut bytes = vec![0_u8; 10];
        bytes.reserve_exact(100);
        drop(std::hint::black_box(bytes));
        assert_eq!(this_thread() - before.0, 2);
        // Other tests allocate at the same time.
        assert!(total() - before.1 >= 2);
    }

    /// Each case has the reads of each turn, and the number of allocations that they may cause.
    #[test]
    fn a_session_allocates_nothing_for_a_whole_request() {
        let long = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "p".repeat(1023));
        let longest = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "p".repeat(8191));
        let sixteen = GET.repeat(16);
        let (begin, end) = GET.split_at(25);
        let cases: [(&str, &[&[&str]], u64); 13] = [
            ("a request", &[&[GET]], 0),
            ("a browser's", &[&[BROWSER]], 0),
            ("a long path", &[&[&long]], 0),
            ("the longest path", &[&[&longest]], 0),
            ("HEAD", &[&[HEAD]], 0),
            ("sixteen pipelined", &[&[&sixteen]], 0),
            ("one after the other", &[&[GET, BROWSER, HEAD]], 0),
            ("in two pieces", &[&[begin, end]], 0),
            ("a body in chunks", &[&[CHUNKED]], 0),
            ("the last request", &[&[LAST]], 0),
            ("one that is rejected", &[&[REJECTED]], 0),
            // Within a request, a session keeps the input that it has read, or the later answer.
            ("half of it, and later the rest", &[&[begin], &[end]], 1),
            ("a body that waits to be asked for", &[&[EXPECTS], &["abc"]], 2),
        ];
        let mut thread = ServingThread::new(false);
        for (name, turns, expected) in cases {
            let mut session = Session::default();
            let mut serve = || {
                for reads in turns {
                    let mut wire = Wire::new(reads);
                    let turn = thread.turn(&mut session, &mut wire);
                    assert!(matches!(turn, Turn::Readable | Turn::Over), "{name}: {turn:?}");
                }
                if !session.is_idle() {
                    session = Session::default();
                }
            };
            serve();
            let before = this_thread();
            (0..REPEATS).for_each(|_| serve());
            assert_eq!(this_thread() - before, expected * REPEATS, "{name}");
        }
    }

    #[test]
    fn a_filter_allocates_nothing() {
        let mut filter = RequestFilter::default();
        let inputs = [GET.repeat(16), BROWSER.into(), HEAD.into(), CHUNKED.into()];
        let before = this_thread();
        for input in iter::repeat_n(&inputs, 1000).flatten() {
            assert_eq!(filter.admit(input.as_bytes()).bytes, input.len());
        }
        assert_eq!(this_thread(), before);
    }
}
