//! Cases of TLS: records in raw bytes, and the responses that RFC 8446 allows.
//!
//! rustls makes the handshake. With the keys that were agreed on, the client then encrypts records
//! that no library would send, such as a second hello, and decrypts the answers. A case is a
//! function that returns a [`Verdict`]: right, left open by the RFCs, or wrong.

mod alert;
mod client;
mod hello;
mod script;
pub(crate) mod session;
mod subject;
#[cfg(test)]
mod tests;
mod verdict;

use std::net::SocketAddr;

use rustls::ClientConnection;

use crate::case::{Case, Severity};
use crate::played::{Failure, Played};
use crate::settings::Settings;

use client::Client;
pub(crate) use script::Records;
pub(crate) use subject::cases;
use verdict::Verdict;

/// A client of TLS 1.3 that offers one protocol by ALPN, trusts any certificate, and has not sent
/// anything.
pub(crate) fn client(protocol: &str) -> Result<ClientConnection, String> {
    session::start(&session::Offer { alpn: &[protocol], ..Default::default() })
}

/// Plays a case against the server at `address`. Fails when no connection can be made.
pub(crate) fn play(
    address: SocketAddr,
    case: &Case,
    records: &Records,
    settings: &Settings,
) -> std::io::Result<Played> {
    let mut client = Client::connect(address, &case.target, settings)?;
    let (severity, reason) = match (records.act)(&mut client) {
        Verdict::Right => return Ok(Played::default()),
        Verdict::LeftOpen(reason) => (Severity::Strict, reason),
        Verdict::Wrong(reason) => (case.severity, reason),
    };
    let got = client.describe();
    let failure = Failure { severity, split: None, reason, got, stops_early: false, is_dropped: false };
    Ok(Played { failure: Some(failure), ..Played::default() })
}
