//! HTTP/2 (RFC 9113), as much of it as a client needs that asks for the same few things without
//! end, and checks every byte of the answers.
//!
//! ```text
//! bytes → frame → session (settings, streams, windows) → events: answered, reset, goaway
//!                   └ block (the header of an answer, HPACK)
//! ```
//!
//! A [`Session`] knows no socket: it takes frames, and has the bytes that are to be written. A
//! request is always the same block of constant bytes, so that there is no state of an encoder, and
//! an answer whose header equals the last right one, with the same dynamic table, is right too.

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

/// The most streams per connection that can be asked for: far more than servers allow.
pub(crate) const MOST_STREAMS: u32 = 10_000;
