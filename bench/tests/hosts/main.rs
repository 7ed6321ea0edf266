//! Measurements whose sides are on several hosts: network namespaces of this machine with an `sshd`
//! each, reached by the real `ssh`. Where this machine has no such hosts, as without root, a test says
//! so and passes; those of the channel alone need none.
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
mod ground;
mod link;
#[path = "../mock/mod.rs"]
mod mock;
mod refusals;
mod refused;
mod rig;
