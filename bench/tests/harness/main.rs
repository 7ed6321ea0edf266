//! The harness as users run it: tests of `bench` and of the scripts, mostly in a checkout with mock
//! servers and mock load tools.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test says what is wrong by its panic")]

mod attached;
mod check;
mod choice;
mod environment;
mod faults;
mod keep;
mod killed;
mod measure;
#[path = "../mock/mod.rs"]
mod mock;
mod new;
mod reference;
mod slices;
mod surroundings;
mod tasks;
mod tools;
mod until;
mod verify;
mod versus;
