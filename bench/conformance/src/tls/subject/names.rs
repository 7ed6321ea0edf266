//! Protocols that are offered by ALPN, and names of servers.

use super::super::alert::{DECODE_ERROR, ILLEGAL_PARAMETER, NO_APPLICATION_PROTOCOL, UNRECOGNIZED_NAME};
use super::super::client::Client;
use super::super::session::Offer;
use super::super::verdict::Verdict;
use super::{ANSWERED, Definition, ask, refused, with};
use crate::rules::tls as rules;

/// The extension `server_name`.
const SERVER_NAME: u16 = 0;

pub(super) fn rows() -> Vec<Definition> {
    vec![
        ("tls/alpn", rules::ALPN, "http/1.1, and an answer", |client| agreed(client, &["http/1.1"])),
        ("tls/alpn-unknown-first", rules::ALPN, "http/1.1, and an answer", |client| {
            agreed(client, &["x-unknown/9", "http/1.1"])
        }),
        ("tls/alpn-none", rules::ALPN, ANSWERED, |client| {
            with(client, Offer { alpn: &[], ..Offer::default() })
        }),
        ("tls/alpn-mismatch", rules::ALPN, "no_application_protocol", mismatch),
        ("tls/name", rules::SNI, ANSWERED, |client| with(client, Offer::default())),
        ("tls/name-absent", rules::SNI_ABSENT, ANSWERED, no_name),
        ("tls/name-unknown", rules::SNI, "an answer, or unrecognized_name", unknown_name),
        ("tls/name-malformed", rules::SYNTAX, "decode_error", malformed_name),
    ]
}

fn agreed(client: &mut Client, alpn: &'static [&'static str]) -> Verdict {
    match client.handshake(&Offer { alpn, ..Offer::default() }, Client::send) {
        Err(_) => Verdict::Wrong("expected a handshake".into()),
        Ok(Some(protocol)) if protocol == b"http/1.1" => ask(client),
        Ok(None) => Verdict::LeftOpen("expected http/1.1 by ALPN, got none".into()),
        Ok(Some(other)) => Verdict::Wrong(format!("expected http/1.1, got {}", other.escape_ascii())),
    }
}

fn mismatch(client: &mut Client) -> Verdict {
    let offer = Offer { alpn: &["x-unknown/9"], ..Offer::default() };
    match client.handshake(&offer, Client::send) {
        // The server may not know the extension.
        Ok(None) => Verdict::LeftOpen("expected no_application_protocol, got none agreed".into()),
        Ok(Some(_)) => Verdict::LeftOpen("expected no_application_protocol".into()),
        Err(_) => client.expect_alert(&[NO_APPLICATION_PROTOCOL]),
    }
}

fn no_name(client: &mut Client) -> Verdict {
    with(client, Offer { name: None, ..Offer::default() })
}

fn unknown_name(client: &mut Client) -> Verdict {
    let offer = Offer { name: Some("unknown.example"), ..Offer::default() };
    match client.handshake(&offer, Client::send) {
        // HTTP has a status for a host that is not served (RFC 9110, section 15.5.20).
        Ok(_) => match ask(client) {
            Verdict::Wrong(_) if matches!(Client::answer(&client.seen), Some(Ok(answer)) if answer.status == 421) => {
                Verdict::Right
            }
            verdict => verdict,
        },
        Err(_) => client.expect_alert(&[UNRECOGNIZED_NAME]),
    }
}

/// Sends a name that is shorter than its length says.
fn malformed_name(client: &mut Client) -> Verdict {
    refused(client, &[DECODE_ERROR, ILLEGAL_PARAMETER], |hello| {
        if let Some(name) = hello.extension(SERVER_NAME) {
            *name = vec![0, 12, 0, 0, 90, b'l', b'o', b'c', b'a', b'l', b'h', b'o', b's', b't'];
        }
    })
}
