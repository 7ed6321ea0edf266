//! Tests of what every server must do for many clients and for difficult ones. A server's own tests
//! call them. They send raw bytes over real sockets, and assert no time: bounds only end a test
//! that hangs.
//!
//! [`invariants`] has the guarantees of the shared code for any bytes from a client.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by its panic"
)]

mod allocations;
mod encrypted;
pub mod heads;
pub mod invariants;
mod program;
mod refusals;
pub mod scenarios;
mod tls;
pub mod wire;

pub use allocations::Allocations;
pub use program::{Client, Program, Server, wait_for};
pub use tls::{Identity, TlsStream};

/// Requests per benchmark of instructions: a multiple of all numbers of pipelined requests.
pub const REQUESTS: usize = 1600;
