//! The harness starts each server, verifies it, loads it with a load tool, and stores a record of
//! each run. The reports are made from the records.
//!
//! Values move one way: each module imports only modules to its left in this list.
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
