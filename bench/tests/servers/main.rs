//! The servers of this checkout behave as their manifests say.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test says what is wrong by its panic")]

mod contract;
mod drill;
mod prepared;
mod property;
