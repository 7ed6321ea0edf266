//! What the servers on tokio have in common.
//!
//! [`serve`](fn@serve) accepts connections in the runtimes of a [`Layout`], gives each a task, and ends the server. A connection's
//! [`Socket`] is watched by tokio only once somebody has to wait for it, and an [`Alarm`] is the time that it has for that.
//!
//! [`Guarded`] lies between a socket and a framework that speaks HTTP on it. It lets through what keeps the rules,
//! refuses what does not, keeps the times, and ends the connection so that its last answer arrives. [`Life`] is how far
//! the server has come, and [`Ledger`] what a connection's stream and its service know of each other.

mod alarm;
mod guarded;
mod layout;
mod ledger;
mod life;
mod patience;
mod serve;
mod socket;

pub use alarm::Alarm;
pub use guarded::{Flush, Guarded};
pub use layout::Layout;
pub use ledger::Ledger;
pub use life::{Life, Stage};
pub use serve::serve;
pub use socket::Socket;
