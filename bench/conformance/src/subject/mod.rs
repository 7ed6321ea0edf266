//! The cases, one file per subject. A subject is the first half of a case's name: `host/missing`.

mod chunks;
mod connection;
mod endpoint;
mod framing;
mod host;
mod limits;
mod methods;
mod pipelining;
pub(crate) mod shorthand;
mod smuggling;
mod target;
mod timing;

use crate::case::Case;

pub use endpoint::{BURST, cases as endpoint_cases, floor_cases};

/// The subject whose cases show whether a server is the endpoint at all.
pub const ENDPOINT: &str = "endpoint";

/// The subject whose cases wait for the server's timeouts.
pub const TIMING: &str = "timing";

/// All cases, by subject. Those of [`ENDPOINT`] come first.
pub fn cases() -> Vec<Case> {
    [
        endpoint::cases(),
        framing::cases(),
        chunks::cases(),
        host::cases(),
        target::cases(),
        methods::cases(),
        connection::cases(),
        limits::cases(),
        pipelining::cases(),
        smuggling::cases(),
        timing::cases(),
    ]
    .concat()
}
