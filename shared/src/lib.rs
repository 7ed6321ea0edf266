//! What the Rust servers have in common.
//!
//! [`process`] is how a server behaves as a program: its flags, its ready line, its signals.
//! [`lifecycle`] is how far it is from its start to its end, and which connections it has open.
//! [`http`] is the endpoint: one greeting, its limits and the rules of HTTP/1.1. [`tls`] is what lies
//! below it where a connection is encrypted.
//! There is no runtime in this crate: no tokio, no actix, no may.

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

/// The same for tests, which count allocations.
#[cfg(all(any(test, feature = "counting"), not(fuzzing)))]
#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;
