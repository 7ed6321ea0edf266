//! What the servers on tokio have in common.
//!
//! [`serve`](fn@serve) accepts connections in the runtimes of a [`Layout`], gives each a task, and ends the server. A connection's
//! [`Socket`] is watched by tokio only once somebody has to wait for it, and an [`TaskTimer`] is the time that it has for that.
//!
//! [`FilteredStream`] lies between a socket and a framework that speaks HTTP on it. It lets through what keeps the rules,
//! refuses what does not, keeps the times, and ends the connection so that its last answer arrives. [`Lifecycle`] is how far
//! the server has come, and [`RequestCounter`] what a connection's stream and its service know of each other.

mod client_timeout;
mod filtered_stream;
mod layout;
mod lifecycle;
mod request_counter;
mod serve;
mod socket;
mod timer;

pub use filtered_stream::{FilteredStream, Flush};
pub use layout::Layout;
pub use lifecycle::{Lifecycle, Stage};
pub use request_counter::RequestCounter;
pub use serve::serve;
pub use socket::Socket;
pub use timer::TaskTimer;
