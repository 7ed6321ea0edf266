//! What every server must do for many clients and for difficult ones, to be called from a server's
//! own tests: raw bytes over real sockets. Nothing here asserts a time; bounds only end what hangs.
//!
//! [`invariants`] has what the shared code guarantees for any bytes from a client.
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

/// Requests per benchmark of instructions: a multiple of all depths of pipelining.
pub const REQUESTS: usize = 1600;
