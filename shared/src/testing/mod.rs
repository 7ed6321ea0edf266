//! What every server must do with many and with difficult clients, to be called from a server's own tests: raw bytes over
//! real sockets. Nothing here asserts how long a thing takes; bounds are there so that a failure ends.
//!
//! [`invariants`] is what must hold of the code that they share, whatever bytes a client sends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what is wrong by its panic"
)]

pub mod allocations;
pub mod heads;
pub mod invariants;
mod program;
pub mod scenarios;
pub mod wire;

pub use program::{Client, Program, Server};

/// How many requests each benchmark of instructions takes its path for: a multiple of all depths of pipelining, and enough for what
/// happens once to be a thousandth.
pub const REQUESTS: usize = 1600;
