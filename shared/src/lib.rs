//! The code that the Rust servers share.
//!
//! [`process`] makes a server behave as a program: its flags, its ready line, its signals.
//! [`lifecycle`] holds the stage of a server and counts its open connections. [`http`] is the
//! endpoint: one greeting, its limits and the rules of HTTP/1.1. [`tls`] is the layer below it on
//! encrypted connections. There is no runtime in this crate: no tokio, no actix, no may.

#[cfg(any(test, feature = "counting"))]
pub mod counting;
mod framing;
pub mod http;
pub mod lifecycle;
pub mod process;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod tls;

/// Every program that links this crate allocates with mimalloc, so that no server can forget it.
/// The fuzzer's programs do not: its sanitizer has to see what is allocated.
#[cfg(not(any(test, feature = "counting", fuzzing)))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The allocator of tests: mimalloc that counts allocations.
#[cfg(all(any(test, feature = "counting"), not(fuzzing)))]
#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;
