//! Everything that answers "is it right?": a server's manifest, its answers, how it withstands
//! faults, and whether the machine is fit for a measurement.

pub(crate) mod doctor;
pub mod drill;
pub mod manifest;
pub mod verify;
