//! The endpoint, without a runtime.
//!
//! [`rules`] are the rules of HTTP on a request's head, used by every server, also in front of a framework.
//! [`Connection`] is the whole protocol without input or output; [`Session`] runs it over a blocking stream.

pub mod answer;
pub mod body;
mod buffers;
mod connection;
pub mod date;
mod filter;
pub mod greeting;
pub mod head;
pub mod limits;
pub mod rules;
mod session;
pub mod target;

pub use buffers::Buffers;
pub use connection::{Connection, Progress, Wants};
pub use filter::{Admitted, Next, RequestFilter};
pub use session::{Pace, Session, Stream, Timeouts, Turn};
