//! Does a server keep the rules? Tables of raw requests with the answers that are right, by subject, and a client that
//! sends them over a real socket.
//!
//! Nothing here knows a server: it is given an address. What a server is known to get wrong stands in its manifest, by
//! the name of the case.

mod case;
mod client;
mod connection;
mod endpoint;
mod framing;
mod limits;
mod response;

use std::net::SocketAddr;

pub use case::{Answer, Case, End, Expected};
pub use client::{Exchange, exchange};
pub use response::Response;

/// The case that says whether a server answers a pipelined burst in order.
pub const BURST: &str = "endpoint/burst";

/// Every case, by subject.
pub fn cases() -> Vec<Case> {
    [endpoint::cases(), connection::cases(), framing::cases(), limits::cases()].concat()
}

/// What came of one case.
#[derive(Debug)]
pub struct Finding {
    /// `subject/name`.
    pub case: &'static str,
    /// What was expected and what came instead; `None` when the case passed.
    pub wrong: Option<String>,
}

/// Sends each case to the server at `address` on a connection of its own.
pub fn run(address: SocketAddr, cases: &[Case]) -> Vec<Finding> {
    cases.iter().map(|case| Finding { case: case.name, wrong: case.check(address) }).collect()
}
