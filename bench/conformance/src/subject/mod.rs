//! The cases, one file per subject. A subject is the first half of a case's name, such as `host` in
//! `host/missing`.

mod chunks;
mod connection;
mod endpoint;
mod framing;
mod host;
mod https;
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

/// The subject of HTTP/1.1 within TLS.
pub(crate) const HTTPS: &str = "https";

/// The cases of [`HTTPS`].
pub(crate) fn https_cases() -> Vec<Case> {
    https::cases()
}

/// The cases within TLS that wait for the server's timeouts.
pub(crate) fn https_timing_cases() -> Vec<Case> {
    https::timing_cases()
}

/// All cases of HTTP/1.1 on plain TCP, by subject. Those of [`ENDPOINT`] come first.
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
