//! The harness: it starts every server in turn, verifies it, loads it with a real load tool, and keeps
//! a record of each run, from which the reports are made.
//!
//! Values move one way, and no module imports one that stands below it in this list, read from the
//! last line to the first:
//!
//! ```text
//! text ◀ machine ◀ store ◀ servers ◀ tools ◀ analysis ◀ checks ◀ measure ◀ report ◀ cli
//! ```
//!
//! The harness knows no server by name, and a server knows nothing of the harness: they meet at the
//! manifest ([`servers::server`]) and at the process contract ([`servers::launch`]).
#![allow(
    clippy::indexing_slicing,
    reason = "a mistake in the harness may end the harness, and ends no server"
)]

pub mod analysis;
pub mod checks;
pub mod cli;
pub mod machine;
pub mod measure;
pub mod report;
pub mod servers;
pub mod store;
pub mod text;
pub mod tools;
