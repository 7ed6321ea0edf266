//! The checks of a server (its manifest, its answers, and how it withstands faults), and of the
//! machine: whether it is fit for a measurement.

pub(crate) mod doctor;
pub mod drill;
pub mod manifest;
pub mod verify;
