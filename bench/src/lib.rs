//! The harness: starts every server in turn, verifies it, loads it with a real load tool, and keeps a record of each
//! run, from which the reports are made.
//!
//! Values move one way:
//!
//! ```text
//! checkout (servers, workloads) → plan → measure (host, launch, tool) → record → results → summary → report
//! ```
//!
//! The harness knows no server by name, and a server knows nothing of the harness: they meet at the manifest
//! ([`server`]) and at the process contract ([`launch`]).
#![allow(
    clippy::indexing_slicing,
    reason = "a mistake in the harness may end the harness, and ends no server"
)]

pub mod check;
pub mod checkout;
pub mod cli;
pub mod command;
pub mod compare;
pub mod conformance;
pub mod cores;
pub mod doctor;
pub mod drill;
pub mod explain;
pub mod history;
pub mod host;
pub mod install;
pub mod launch;
pub mod machine;
pub mod measure;
pub mod microbench;
pub mod names;
pub mod plan;
pub mod progress;
pub mod record;
pub mod recorded;
pub mod report;
pub mod results;
pub mod run;
pub mod server;
pub mod statistics;
pub mod summary;
pub mod template;
pub mod toml_file;
pub mod tool;
pub mod verdict;
pub mod verify;
pub mod visit;
pub mod workload;
