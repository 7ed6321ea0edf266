//! The code that the servers on tokio share.
//!
//! [`serve`](fn@serve) accepts connections in the runtimes of a [`Layout`], gives each a task, and
//! ends the server. A connection's [`Socket`] is registered with tokio only when it has to wait,
//! and a [`TaskTimer`](shared::process::TaskTimer) is its deadline.
//!
//! [`FilteredStream`] lies between a socket and a framework that speaks HTTP on it. It admits
//! requests that keep the rules, rejects the others, enforces the timeouts, and closes the
//! connection so that its last answer arrives. A [`RequestCounter`] is the state that a
//! connection's stream and its service share. For HTTP/2, these are a [`TimedStream`] and
//! [`OpenBodies`].

mod filtered_stream;
mod layout;
mod open_bodies;
mod request_counter;
mod serve;
mod socket;
mod task_stream;
mod timed_socket;
mod timed_stream;

pub use filtered_stream::{FilteredStream, Flush};
pub use layout::{Layout, LayoutFlags};
pub use open_bodies::{OpenBodies, OpenBody};
pub use request_counter::RequestCounter;
pub use serve::serve;
pub use socket::Socket;
pub use task_stream::TaskStream;
pub use timed_socket::TimedSocket;
pub use timed_stream::TimedStream;
