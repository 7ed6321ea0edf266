//! The endpoint, without a runtime.

pub mod greeting;
pub mod limits;
pub mod target;
