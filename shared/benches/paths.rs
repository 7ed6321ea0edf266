//! Benchmarks of the shared code that every request of a Rust server runs. gungraun counts its
//! instructions with callgrind; `bench/tests/budgets` compares the counts with
//! `bench/budgets.toml`.
//!
//! Each benchmark runs [`REQUESTS`] requests, so that rare work, such as formatting the date of the
//! next second, does not show.
#![allow(missing_docs, reason = "gungraun's macros make undocumented functions")]
#![allow(clippy::panic, reason = "a wrong answer is not counted")]

use std::hint::black_box;

use gungraun::{library_benchmark, library_benchmark_group};
use shared::http::answer::{Persistence, write};
use shared::http::rules::{Framing, Method, Request, Version};
use shared::http::{RequestFilter, Session, Turn, date as dates, head};
use shared::testing::REQUESTS;
use shared::testing::heads::{BARE, BROWSER, WRK};
use shared::testing::wire::{ServingThread, Wire};

library_benchmark_group!(name = paths, benchmarks = [answer, request, connection, filter, date]);

/// Runs gungraun only as a benchmark: `cargo test --all-targets` also runs this program, and must
/// not need gungraun's runner.
fn main() {
    if std::env::args().any(|argument| ["--bench", "--gungraun-run"].contains(&argument.as_str())) {
        runner::run();
    }
}

mod runner {
    use gungraun::{Callgrind, LibraryBenchmarkConfig, main};

    use super::paths;

    main!(
        // Only instructions are shown, so the caches are not simulated.
        config = LibraryBenchmarkConfig::default().tool(Callgrind::with_args(["--cache-sim=no"])),
        library_benchmark_groups = paths
    );

    pub(super) fn run() {
        main();
    }
}

// Writes whole answers. The parameter is the length of the path in bytes.
#[library_benchmark]
#[bench::bytes_4(path(4))]
#[bench::bytes_1024(path(1024))]
fn answer(path: String) -> Vec<u8> {
    let date = [b'.'; dates::LEN];
    let mut out = Vec::with_capacity(16 * 1024);
    for _ in 0..REQUESTS {
        let request = Request {
            method: Method::Get,
            path: black_box(path.as_bytes()),
            version: Version::Http11,
            framing: Framing::None,
            keep_alive: true,
            expects_continue: false,
            wants_upgrade: false,
        };
        out.clear();
        write(&request, Persistence::KeepAlive, &date, &mut out);
        assert!(black_box(&out).ends_with(b"\n"));
    }
    out
}

#[library_benchmark]
#[bench::bare(BARE)]
#[bench::wrk(WRK)]
#[bench::browser(BROWSER)]
fn request(text: &str) {
    for _ in 0..REQUESTS {
        match head::parse(black_box(text.as_bytes())) {
            Ok(Some((request, length))) => assert_eq!((request.path, length), (&b"/abc"[..], text.len())),
            other => panic!("{other:?}"),
        }
    }
}

// Serves requests with the loop that threads and coroutines share. The parameter is the number of
// pipelined requests.
#[library_benchmark]
#[bench::pipelined_1(1)]
#[bench::pipelined_16(16)]
fn connection(at_once: usize) {
    let input = BARE.repeat(at_once);
    let (mut thread, mut session) = (ServingThread::new(false), Session::default());
    for _ in 0..REQUESTS / at_once {
        let pieces = [black_box(input.as_str())];
        let mut wire = Wire::new(&pieces);
        assert_eq!(thread.turn(&mut session, &mut wire), Turn::Readable);
        assert!(wire.received > input.len());
    }
}

// Passes the same requests through the filter in front of a framework.
#[library_benchmark]
#[bench::pipelined_1(1)]
#[bench::pipelined_16(16)]
fn filter(at_once: usize) {
    let input = BARE.repeat(at_once);
    let mut filter = RequestFilter::default();
    for _ in 0..REQUESTS / at_once {
        assert_eq!(filter.admit(black_box(input.as_bytes())).bytes, input.len());
    }
}

#[library_benchmark]
fn date() {
    (0..REQUESTS).for_each(|_| assert!(black_box(dates::now()).ends_with(b" GMT")));
}

fn path(length: usize) -> String {
    format!("/{}", "p".repeat(length - 1))
}
