//! Records after the handshake: their sizes, their types, and their keys.

use std::io::{Cursor, Read, Write};
use std::time::Instant;

use rustls::ClientConnection;

use super::super::alert::{
    BAD_RECORD_MAC, DECODE_ERROR, ILLEGAL_PARAMETER, RECORD_OVERFLOW, UNEXPECTED_MESSAGE,
};
use super::super::client::Client;
use super::super::hello::{APPLICATION, HANDSHAKE, hello, record};
use super::super::session::{self, Offer};
use super::super::verdict::Verdict;
use super::{ANSWERED, Definition, after_handshake};
use crate::rules::tls as rules;

/// The most bytes of content in a record (RFC 8446, section 5.1), and the most that encryption
/// adds.
const MAX_RECORD: usize = 1 << 14;
const MAX_EXPANSION: usize = 256;

pub(super) fn rows() -> Vec<Definition> {
    vec![
        ("tls/records-byte-by-byte", rules::FRAGMENTS, ANSWERED, bytes_of_records),
        ("tls/request-in-small-records", rules::FRAGMENTS, ANSWERED, small_records),
        ("tls/empty-records", rules::EMPTY_RECORDS, ANSWERED, empty_records),
        ("tls/padded-record", rules::PADDING, ANSWERED, padded_record),
        ("tls/largest-record", rules::OVERFLOW, ANSWERED, largest_record),
        ("tls/too-large-record", rules::OVERFLOW, "record_overflow", too_large_record),
        ("tls/damaged-record", rules::BAD_RECORD, "bad_record_mac", damaged_record),
        ("tls/plain-record-after-the-handshake", rules::RECORD_TYPE, "unexpected_message", plain_record),
        ("tls/nothing-but-padding", rules::PADDING, "unexpected_message", only_padding),
        ("tls/protected-record-of-an-unknown-type", rules::RECORD_TYPE, "unexpected_message", unknown_type),
        ("tls/second-hello", rules::RENEGOTIATION, "unexpected_message", second_hello),
        ("tls/key-update", rules::KEY_UPDATE, "answers before and after", key_update),
        ("tls/key-update-of-an-unknown-value", rules::KEY_UPDATE_VALUE, "illegal_parameter", bad_key_update),
    ]
}

fn bytes_of_records(client: &mut Client) -> Verdict {
    after_handshake(client, |client| {
        let request = client.request("");
        let bytes = client.sealed(APPLICATION, &request, 0);
        client.send_bytewise(&bytes);
        client.expect_answer()
    })
}

fn small_records(client: &mut Client) -> Verdict {
    after_handshake(client, |client| {
        let request = client.request("");
        request.iter().for_each(|byte| client.seal(APPLICATION, &[*byte], 0));
        client.expect_answer()
    })
}

fn empty_records(client: &mut Client) -> Verdict {
    after_handshake(client, |client| {
        let request = client.request("");
        let (first, second) = request.split_at(9);
        for part in [&[][..], &[], first, &[], second] {
            client.seal(APPLICATION, part, 0);
        }
        client.expect_answer()
    })
}

fn padded_record(client: &mut Client) -> Verdict {
    after_handshake(client, |client| {
        let request = client.request("");
        client.seal(APPLICATION, &request, 1000);
        client.expect_answer()
    })
}

/// Sends the largest record that is allowed: a request and padding.
fn largest_record(client: &mut Client) -> Verdict {
    after_handshake(client, |client| {
        let request = client.request("");
        client.seal(APPLICATION, &request, MAX_RECORD - request.len());
        client.expect_answer()
    })
}

/// Sends a record that can be decrypted, but is longer than a record may be.
fn too_large_record(client: &mut Client) -> Verdict {
    after_handshake(client, |client| {
        let request = client.request("");
        client.seal(APPLICATION, &request, MAX_RECORD + MAX_EXPANSION - request.len());
        client.expect_alert(&[RECORD_OVERFLOW])
    })
}

fn damaged_record(client: &mut Client) -> Verdict {
    after_handshake(client, |client| {
        let request = client.request("");
        let mut bytes = client.sealed(APPLICATION, &request, 0);
        if let Some(last) = bytes.last_mut() {
            *last ^= 1;
        }
        client.send(&bytes);
        client.expect_alert(&[BAD_RECORD_MAC])
    })
}

fn plain_record(client: &mut Client) -> Verdict {
    after_handshake(client, |client| {
        let mut bytes = record(HANDSHAKE, &[0; 32]);
        // The version of all records but the first.
        if let Some(minor) = bytes.get_mut(2) {
            *minor = 3;
        }
        client.send(&bytes);
        // The record also cannot be decrypted.
        client.expect_alert(&[UNEXPECTED_MESSAGE, BAD_RECORD_MAC])
    })
}

fn only_padding(client: &mut Client) -> Verdict {
    after_handshake(client, |client| {
        let bytes = client.sealed_as_it_is(vec![0; 32]);
        client.send(&bytes);
        client.expect_alert(&[UNEXPECTED_MESSAGE])
    })
}

fn unknown_type(client: &mut Client) -> Verdict {
    after_handshake(client, |client| {
        client.seal(99, b"x", 0);
        // The record also cannot be parsed.
        client.expect_alert(&[UNEXPECTED_MESSAGE, DECODE_ERROR])
    })
}

fn second_hello(client: &mut Client) -> Verdict {
    after_handshake(client, |client| {
        client.seal(HANDSHAKE, &hello(&Offer::default()), 0);
        client.expect_alert(&[UNEXPECTED_MESSAGE])
    })
}

/// Expects an answer, sends a KeyUpdate that asks for one of the server, and expects an answer
/// under the new keys.
fn key_update(client: &mut Client) -> Verdict {
    let Ok(mut session) = session::start(&Offer::default()) else {
        return Verdict::Wrong("no session".into());
    };
    if client.shake_hands(&mut session, Client::send).is_err() {
        return Verdict::Wrong("expected a handshake".into());
    }
    let request = client.request("");
    for when in ["before", "after"] {
        client.seen.data.clear();
        if let Err(error) = ask_session(client, &mut session, &request) {
            return Verdict::Wrong(format!("expected an answer {when} KeyUpdate: {error}"));
        }
        if let Err(error) = session.refresh_traffic_keys() {
            return Verdict::Wrong(error.to_string());
        }
    }
    Verdict::Right
}

/// Sends a request by the session, and waits for its answer.
fn ask_session(client: &mut Client, session: &mut ClientConnection, request: &[u8]) -> Result<(), String> {
    let deadline = Instant::now() + client.timeout();
    session.writer().write_all(request).map_err(|error| error.to_string())?;
    while Client::answer(&client.seen).is_none() {
        let mut bytes = Vec::new();
        while session.wants_write() {
            session.write_tls(&mut bytes).map_err(|error| error.to_string())?;
        }
        client.send(&bytes);
        let record = client.next_record(deadline).ok_or("no answer")?;
        session.read_tls(&mut Cursor::new(record)).map_err(|error| error.to_string())?;
        session.process_new_packets().map_err(|error| error.to_string())?;
        // Fails when all bytes are read.
        let _ = session.reader().read_to_end(&mut client.seen.data);
    }
    match client.expect_answer() {
        Verdict::Right => Ok(()),
        Verdict::Wrong(reason) | Verdict::LeftOpen(reason) => Err(reason),
    }
}

fn bad_key_update(client: &mut Client) -> Verdict {
    after_handshake(client, |client| {
        client.seal(HANDSHAKE, &[24, 0, 0, 1, 2], 0);
        client.expect_alert(&[ILLEGAL_PARAMETER, DECODE_ERROR])
    })
}
