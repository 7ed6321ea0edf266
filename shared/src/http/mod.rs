//! The endpoint, without a runtime.
//!
//! [`rules`] has the rules of HTTP for a request's head. Every server enforces them, in front of a
//! framework by a [`RequestFilter`]. [`Connection`] is the protocol without I/O, and [`Session`]
//! runs it over a stream.

pub mod answer;
pub mod body;
mod buffers;
mod connection;
pub mod date;
mod filter;
mod frames;
pub mod greeting;
pub mod head;
pub mod limits;
pub mod rules;
mod session;
mod stream;
pub mod target;
mod timeouts;

pub use buffers::Buffers;
pub use connection::{Connection, Progress, Wants};
pub use filter::{Admitted, Next, RequestFilter};
pub use frames::Frames;
pub use session::{Driver, Session, Turn};
pub use stream::{NonBlocking, Stream};
pub use timeouts::{Timeouts, WaitingFor};
