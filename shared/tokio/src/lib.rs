//! What the servers on tokio have in common.
//!
//! [`Guarded`] lies between a socket and a framework that speaks HTTP on it. It lets through what keeps the rules,
//! refuses what does not, keeps the times, and ends the connection so that its last answer arrives. [`Life`] is how far
//! the server has come, and [`Ledger`] what a connection's stream and its service know of each other.

mod alarm;
mod guarded;
mod ledger;
mod life;
mod patience;
mod socket;

pub use guarded::{Flush, Guarded};
pub use ledger::Ledger;
pub use life::{Life, Stage};
pub use socket::Socket;
