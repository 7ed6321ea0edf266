//! The servers of this checkout, each as its manifest says that it is.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test says what is wrong by its panic")]

mod contract;
mod drill;
mod prepared;
mod property;
