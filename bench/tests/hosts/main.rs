//! Measurements whose sides are on several hosts. The hosts are network namespaces of this machine
//! with an `sshd` each, and the real `ssh` reaches them. Where this machine cannot have such hosts,
//! for example without root, a test says so and passes. The tests of the channel alone need no such
//! hosts.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test says what is wrong by its panic, and that it was skipped"
)]

mod channel;
mod commands;
mod faults;
mod figures;
mod link;
#[path = "../mock/mod.rs"]
mod mock;
mod refusals;
mod refused;
mod rig;
mod testbed;
