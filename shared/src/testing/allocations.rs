//! Counts a server's allocations per request: of its runtime, its framework and our code together.

use std::process::Stdio;

use super::heads::{BARE, BROWSER};
use super::program::Program;

/// The number of requests by which two runs differ. Both runs have the allocations of the start,
/// which cancel out; those that are not made per request vanish in the rounding.
const REQUESTS: usize = 1000;

/// The number of pipelined requests.
const DEPTH: usize = 10;

/// Allocations per request, by the kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allocations {
    /// The allocations for a request without any field but `Host`.
    pub bare: u64,
    /// The allocations for a request with the fields of a browser.
    pub browser: u64,
    /// The allocations for one of ten bare requests in one write.
    pub pipelined: u64,
}

/// Counts allocations per request, with one worker, in a program with the feature `counting`.
pub(super) fn per_request(program: &Program) -> Allocations {
    let count = |request: &str, pipelined: usize| {
        let count = |requests| in_all(program, &request.repeat(pipelined), pipelined, requests);
        let more = count(2 * REQUESTS).saturating_sub(count(REQUESTS));
        let requests = REQUESTS as u64;
        (more + requests / 2) / requests
    };
    Allocations { bare: count(BARE, 1), browser: count(BROWSER, 1), pipelined: count(BARE, DEPTH) }
}

/// Allocations of a server from its start until it has answered `requests` on one connection.
fn in_all(program: &Program, batch: &str, pipelined: usize, requests: usize) -> u64 {
    let one_worker = Program { workers: 1, ..*program };
    let mut server = one_worker.start_with(&[], Stdio::piped());
    let mut client = server.connect();
    client.ask("/abc");
    let bytes = client.answer("/abc").len();
    client.repeat(batch, requests / pipelined, pipelined * bytes);
    server.terminate();
    let line = server.first_error_line();
    let count = line.strip_prefix("allocations: ").and_then(|count| count.trim().parse().ok());
    count.unwrap_or_else(|| panic!("the server does not count: {line:?}"))
}
