//! The part of HTTP/2 (RFC 9113) that a load tool needs: it sends the same few requests repeatedly,
//! and checks every byte of the answers.
//!
//! ```text
//! bytes → frame → session (settings, streams, windows) → events: answered, reset, goaway
//!                   └ block (the header of an answer, HPACK)
//! ```
//!
//! A [`Session`] has no socket: it takes frames, and holds the bytes that are to be written. A
//! request is always the same block of bytes, so the encoder has no state. An answer whose header
//! block equals the last right one, with the same dynamic table, is right too.

#[cfg(test)]
mod allocations;
mod block;
mod fault;
mod frame;
#[cfg(any(test, feature = "testing"))]
pub mod invariants;
mod receive;
mod request;
mod session;
mod settings;

pub(crate) use fault::{Fault, code};
pub(crate) use frame::{HEAD, split};
pub(crate) use request::{Asks, frames};
pub(crate) use session::{Event, Session};

/// The maximum number of streams per connection: far more than servers allow.
pub(crate) const MOST_STREAMS: u32 = 10_000;
