//! First messages of a client: whole ones, broken ones, and bytes that are not TLS.

use super::super::alert::{
    DECODE_ERROR, HANDSHAKE_FAILURE, ILLEGAL_PARAMETER, INSUFFICIENT_SECURITY, UNEXPECTED_MESSAGE,
};
use super::super::client::Client;
use super::super::hello::{ALERT, APPLICATION, HANDSHAKE, counted, hello, record};
use super::super::session::Offer;
use super::super::verdict::Verdict;
use super::{ANSWERED, Definition, ask, expect_hello, refuse, refused};
use crate::rules::tls as rules;

/// The extensions `supported_groups` and `key_share`.
const SUPPORTED_GROUPS: u16 = 10;
const KEY_SHARE: u16 = 51;

pub(super) fn rows() -> Vec<Definition> {
    vec![
        ("tls/hello-in-small-records", rules::FRAGMENTS, "ServerHello", |client| {
            hello_in_records(client, 32)
        }),
        ("tls/hello-byte-by-byte", rules::FRAGMENTS, ANSWERED, handshake_by_bytes),
        ("tls/no-suite-in-common", rules::NOTHING_IN_COMMON, "handshake_failure", no_suite),
        ("tls/no-group-in-common", rules::NOTHING_IN_COMMON, "handshake_failure", no_group),
        ("tls/compression", rules::COMPRESSION, "illegal_parameter", compression),
        ("tls/hello-with-a-wrong-length", rules::SYNTAX, "decode_error", wrong_length),
        ("tls/fatal-alert", rules::FATAL_ALERT, "closed", fatal_alert),
        ("tls/plain-http", rules::RECORD_TYPE, "an alert, an error in plain text, or closed", plain_http),
        ("tls/garbage", rules::RECORD_TYPE, "an alert, or closed", |client| no_tls(client, &[0x99; 64])),
        ("tls/data-before-the-hello", rules::RECORD_TYPE, "unexpected_message", data_first),
        ("tls/record-of-an-unknown-type", rules::RECORD_TYPE, "unexpected_message", unknown_type_first),
    ]
}

fn hello_in_records(client: &mut Client, size: usize) -> Verdict {
    let message = hello(&Offer::default());
    client.send(&Client::in_records(&message, size));
    expect_hello(client)
}

fn handshake_by_bytes(client: &mut Client) -> Verdict {
    match client.handshake(&Offer::default(), Client::send_bytewise) {
        Ok(_) => ask(client),
        Err(_) => Verdict::Wrong("expected a handshake".into()),
    }
}

fn no_suite(client: &mut Client) -> Verdict {
    refused(client, &[HANDSHAKE_FAILURE, INSUFFICIENT_SECURITY], |hello| {
        hello.suites = vec![0x7a, 0x7a, 0x13, 0xfe];
    })
}

fn no_group(client: &mut Client) -> Verdict {
    refused(client, &[HANDSHAKE_FAILURE, INSUFFICIENT_SECURITY], |hello| {
        for (name, value) in
            [(SUPPORTED_GROUPS, vec![0, 2, 0x7a, 0x7a]), (KEY_SHARE, vec![0, 5, 0x7a, 0x7a, 0, 1, 0])]
        {
            if let Some(extension) = hello.extension(name) {
                *extension = value;
            }
        }
    })
}

fn compression(client: &mut Client) -> Verdict {
    refused(client, &[ILLEGAL_PARAMETER], |hello| hello.compressions = vec![1, 0])
}

/// Sends a message of the right length, whose list of extensions is shorter than it says.
fn wrong_length(client: &mut Client) -> Verdict {
    let message = hello(&Offer::default());
    let body = message.get(4..message.len().saturating_sub(1)).unwrap_or_default();
    client.send(&record(HANDSHAKE, &[&[1][..], &counted(3, body)].concat()));
    refuse(client, &[DECODE_ERROR, ILLEGAL_PARAMETER])
}

fn fatal_alert(client: &mut Client) -> Verdict {
    client.send(&record(ALERT, &[2, HANDSHAKE_FAILURE]));
    client.expect_end()
}

/// Sends bytes that are not TLS. The server has to end the connection, whatever it sends before.
fn no_tls(client: &mut Client, bytes: &[u8]) -> Verdict {
    client.send(bytes);
    client.read_until(|seen| seen.hello || seen.alert.is_some());
    if client.seen.hello {
        return Verdict::Wrong("expected no ServerHello".into());
    }
    client.expect_end()
}

fn plain_http(client: &mut Client) -> Verdict {
    let request = client.request("");
    no_tls(client, &request)
}

fn data_first(client: &mut Client) -> Verdict {
    client.send(&record(APPLICATION, &[0; 32]));
    refuse(client, &[UNEXPECTED_MESSAGE])
}

fn unknown_type_first(client: &mut Client) -> Verdict {
    client.send(&record(99, &[0; 32]));
    refuse(client, &[UNEXPECTED_MESSAGE, DECODE_ERROR])
}
