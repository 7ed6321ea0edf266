//! How often a server allocates for a request: its runtime, its framework and our code together.

use std::process::Stdio;

use super::heads::{BARE, BROWSER};
use super::program::Program;

/// By how many requests two runs differ. What is allocated at the start is in both, and what is not once a request is lost
/// in the rounding.
const REQUESTS: usize = 1000;

/// Requests that are pipelined.
const DEPTH: usize = 10;

/// How often requests of a kind allocate, each of them.
#[derive(Debug, PartialEq, Eq)]
pub struct Allocations {
    /// With nothing but a `Host`.
    pub bare: u64,
    /// With the fields of a browser.
    pub browser: u64,
    /// Ten bare ones in one write.
    pub pipelined: u64,
}

/// Counts them, in a program that is built with the feature `counting` of this crate.
pub fn count(program: &Program) -> Allocations {
    let each = |request: &str, at_once: usize| {
        let count = |requests| in_all(program, &request.repeat(at_once), at_once, requests);
        let more = count(2 * REQUESTS).saturating_sub(count(REQUESTS));
        let requests = REQUESTS as u64;
        (more + requests / 2) / requests
    };
    Allocations { bare: each(BARE, 1), browser: each(BROWSER, 1), pipelined: each(BARE, DEPTH) }
}

/// Allocations of a server from its start until it has answered so many requests on one connection.
fn in_all(program: &Program, batch: &str, at_once: usize, requests: usize) -> u64 {
    let mut server = program.start_with(&[], Stdio::piped());
    let mut client = server.connect();
    client.ask("/abc");
    let bytes = client.answer("/abc").len();
    client.repeat(batch, requests / at_once, at_once * bytes);
    server.terminate();
    let said = server.complaint();
    let count = said.strip_prefix("allocations: ").and_then(|count| count.trim().parse().ok());
    count.unwrap_or_else(|| panic!("it does not count: {said:?}"))
}
