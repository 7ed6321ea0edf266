//! Versions of TLS, and unknown versions and extensions in a hello.

use super::super::alert::{HANDSHAKE_FAILURE, INSUFFICIENT_SECURITY, PROTOCOL_VERSION};
use super::super::client::Client;
use super::super::hello::{HANDSHAKE, Hello, record};
use super::super::session::Offer;
use super::super::verdict::Verdict;
use super::{ANSWERED, Definition, refused, taken, with};
use crate::rules::tls as rules;

/// The extension `supported_versions`.
const SUPPORTED_VERSIONS: u16 = 43;

pub(super) fn rows() -> Vec<Definition> {
    vec![
        ("tls/version-1.3", rules::VERSION, ANSWERED, version_1_3),
        ("tls/version-1.2", rules::ONLY_1_3, "protocol_version", |client| older(client, 3)),
        ("tls/version-1.1", rules::NOT_1_1, "protocol_version", |client| older(client, 2)),
        ("tls/version-1.0", rules::NOT_1_0, "protocol_version", |client| older(client, 1)),
        ("tls/ssl-3.0", rules::NOT_SSL, "protocol_version", |client| older(client, 0)),
        ("tls/unknown-versions-beside-1.3", rules::VERSION, "ServerHello", unknown_versions),
        ("tls/unknown-versions-alone", rules::VERSION, "protocol_version", no_known_version),
        ("tls/unknown-extensions", rules::EXTENSIONS, "ServerHello", unknown_extensions),
    ]
}

fn version_1_3(client: &mut Client) -> Verdict {
    with(client, Offer::default())
}

/// Sends the hello of a version before 1.3. A server must not agree on a version before 1.2, and
/// the endpoint does not agree on 1.2 either.
fn older(client: &mut Client, minor: u8) -> Verdict {
    let hello = Hello::before_1_3(minor).message();
    client.send(&record(HANDSHAKE, &hello));
    client.read_until(|seen| seen.hello || seen.alert.is_some());
    match (client.seen.hello, minor) {
        (true, 3) => Verdict::LeftOpen("expected protocol_version, got a handshake of TLS 1.2".into()),
        (true, _) => Verdict::Wrong("expected no handshake of that version".into()),
        // A server that knows the version may have no parameters in common with the client.
        (false, _) => client.expect_alert(&[PROTOCOL_VERSION, HANDSHAKE_FAILURE, INSUFFICIENT_SECURITY]),
    }
}

/// Offers versions that no document defines, one of them of the form that is kept free for this
/// (RFC 8701).
fn unknown_versions(client: &mut Client) -> Verdict {
    taken(client, |hello| {
        if let Some(versions) = hello.extension(SUPPORTED_VERSIONS) {
            *versions = vec![6, 0x7a, 0x7a, 3, 5, 3, 4];
        }
    })
}

fn no_known_version(client: &mut Client) -> Verdict {
    refused(client, &[PROTOCOL_VERSION], |hello| {
        if let Some(versions) = hello.extension(SUPPORTED_VERSIONS) {
            *versions = vec![4, 0x7a, 0x7a, 3, 9];
        }
    })
}

fn unknown_extensions(client: &mut Client) -> Verdict {
    taken(client, |hello| {
        hello.extensions.insert(0, (0x0a0a, Vec::new()));
        hello.extensions.insert(1, (0xfafa, vec![1, 2, 3]));
    })
}
