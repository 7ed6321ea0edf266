//! Checks whether this machine is fit for a measurement: its programs, settings and limits, and
//! whether other processes use its cores.
//!
//! Most findings are made by functions that read nothing themselves, so that tests need no
//! particular machine.

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
