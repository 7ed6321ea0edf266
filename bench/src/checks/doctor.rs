//! Is this machine fit for a measurement? What it has, what it lacks, and whether it is quiet.
//!
//! Findings are made by functions that read nothing, so that tests need no particular machine.

mod cores;
mod finding;
mod hosts;
mod limits;
mod parts;
mod quiet;
mod system;

pub(crate) use cores::{cores, picture};
pub(crate) use finding::{Finding, Level, is_any_ready};
pub(crate) use hosts::hosts;
pub(crate) use limits::limits;
pub(crate) use parts::{optional, servers, tools};
pub(crate) use quiet::quietness;
pub(crate) use system::system;
