//! The costs of the parts of a request: in our own code, in the frameworks and in the kernel.
//!
//! All benchmarks are one program, so that they are built once, and timed alike.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a failure is not timed")]

mod answer;
mod connection;
mod kernel;
mod request;
mod runtimes;

use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use shared::http::Connection;
use shared::testing::heads;

/// The benchmarks of one subject, for which criterion writes one page.
type Group<'a> = BenchmarkGroup<'a, WallTime>;

/// The request for benchmarks in which its form does not matter.
const GET: &str = heads::BARE;

/// The bytes of our answers to `input`.
fn answers(input: &[u8]) -> Vec<u8> {
    let mut connection = Connection::default();
    let (mut consumed, mut answers) = (0, Vec::new());
    // A connection limits its output per call.
    while let Some(rest) = input.get(consumed..).filter(|rest| !rest.is_empty()) {
        let mut output = Vec::new();
        consumed += connection.advance(rest, &mut output, false).consumed;
        answers.append(&mut output);
    }
    answers
}

// One second resolves nanoseconds. With criterion's defaults a benchmark would take ten seconds.
criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(1))
        .nresamples(10_000);
    targets =
        answer::answers,
        request::request_heads,
        connection::sessions,
        connection::filters,
        runtimes::frameworks,
        kernel::kernel
}
criterion_main!(benches);
