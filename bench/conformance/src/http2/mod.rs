//! Cases of HTTP/2: frames in raw bytes, and the responses that RFC 9113 and RFC 7541 allow.
//!
//! The client makes each frame byte by byte. By itself it follows only one rule: it acknowledges
//! SETTINGS and PING. As with HTTP/1.1, the last write of most cases contains one more request, the
//! probe, on its own stream. The server either answers the probe or ends the connection.
//!
//! There are two kinds of error (RFC 9113, section 5.4). A server answers a *connection error* with
//! GOAWAY and a close. It answers a *stream error* with RST_STREAM, and continues to serve the
//! connection; if it treats a stream error as a connection error, the case fails strictly. A
//! general error code is always right in place of a specific one.

mod check;
mod client;
mod connection;
mod exchange;
mod frame;
mod frame_client;
mod hpack;
mod mismatch;
mod script;
mod site;
mod subject;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;

use crate::case::Case;
use crate::expected::Expected;
use crate::rules::Rule;
use crate::settings::Settings;
use crate::socket::Transport;
use crate::target::Target;

pub(crate) use check::play;
pub use client::{Http2Client, MAX_CONTENT, StreamEnd};
pub use frame_client::FrameClient;
pub(crate) use script::Frames;
use script::{End, Finish, Want};
use site::Site;

/// The subject whose cases show whether a server is the endpoint at all.
pub(crate) const ENDPOINT: &str = "h2-endpoint";

/// All cases over a transport, for a server that greets.
pub(crate) fn cases(transport: Transport) -> Vec<Case> {
    subject::cases(&Site { transport, target: &Target::Greeting })
}

/// The cases of [`ENDPOINT`], which are few and small.
pub(crate) fn endpoint_cases(transport: Transport) -> Vec<Case> {
    subject::endpoint_cases(&Site { transport, target: &Target::Greeting })
}

/// Returns the case for another target; `None` if the case is about the paths of the greeting.
pub(crate) fn case_at(case: &Case, target: &Target) -> Option<Case> {
    let site = Site { transport: case.transport, target };
    subject::cases(&site).into_iter().find(|other| other.name == case.name)
}

/// A case of one GET for this path and host.
pub(crate) fn request_case(
    transport: Transport,
    name: &'static str,
    rule: Rule,
    [path, host]: [&str; 2],
    answer: Expected,
) -> Case {
    let site = Site { transport, target: &Target::Greeting };
    let frames = site.sent(frame::request(1, &site.block_for("GET", path, host)));
    let frames = frames.with_finish(Finish::Wait).or([Want::Answer(1, answer)], End::Any);
    site.case(name, rule, frames)
}

/// Whether the server answers a request of HTTP/2.
pub(crate) fn is_spoken(address: SocketAddr, transport: Transport, settings: &Settings) -> bool {
    let script = Site { transport, target: &Target::Greeting }.served();
    connection::exchange(address, transport, &script, settings)
        .is_ok_and(|got| got.ending != crate::client::Ending::Silent)
}
