//! The cases of TLS. Each is a function of a few lines, and a row of the table.

use std::time::Instant;

use rustls::Connection;

use super::alert::{
    BAD_RECORD_MAC, DECODE_ERROR, HANDSHAKE_FAILURE, ILLEGAL_PARAMETER, INSUFFICIENT_SECURITY,
    NO_APPLICATION_PROTOCOL, PROTOCOL_VERSION, RECORD_OVERFLOW, UNEXPECTED_MESSAGE, UNRECOGNIZED_NAME,
};
use super::client::Client;
use super::hello::{ALERT, APPLICATION, HANDSHAKE, Hello, hello, record, record_of};
use super::session::{self, Offer};
use super::{Records, Verdict, alert};
use crate::case::{Case, Script};
use crate::rules::Rule;
use crate::rules::tls as rules;
use crate::socket::Transport;

/// Extensions by number.
const SERVER_NAME: u16 = 0;
const SUPPORTED_GROUPS: u16 = 10;
const SUPPORTED_VERSIONS: u16 = 43;
const KEY_SHARE: u16 = 51;

/// The most content of a record (RFC 8446, section 5.1), and what protection may add to it.
const MAX_RECORD: usize = 1 << 14;
const MAX_EXPANSION: usize = 256;

/// A name, the sentence, what is right in words, and what the client does.
type Row = (&'static str, Rule, &'static str, fn(&mut Client) -> Verdict);

const ANSWERED: &str = "an answer";
const NO_HELLO: &str = "an alert, or closed";

const VERSIONS: [Row; 8] = [
    ("tls/version-1.3", rules::VERSION, ANSWERED, version_1_3),
    ("tls/version-1.2", rules::ONLY_1_3, "protocol_version", |client| older(client, 3)),
    ("tls/version-1.1", rules::NOT_1_1, "protocol_version", |client| older(client, 2)),
    ("tls/version-1.0", rules::NOT_1_0, "protocol_version", |client| older(client, 1)),
    ("tls/ssl-3.0", rules::NOT_SSL, "protocol_version", |client| older(client, 0)),
    ("tls/unknown-versions-beside-1.3", rules::VERSION, "ServerHello", unknown_versions),
    ("tls/unknown-versions-alone", rules::VERSION, "protocol_version", no_known_version),
    ("tls/unknown-extensions", rules::EXTENSIONS, "ServerHello", unknown_extensions),
];

const NAMES: [Row; 8] = [
    ("tls/alpn", rules::ALPN, "http/1.1, and an answer", |client| agreed(client, &["http/1.1"])),
    ("tls/alpn-unknown-first", rules::ALPN, "http/1.1, and an answer", |client| {
        agreed(client, &["x-unknown/9", "http/1.1"])
    }),
    ("tls/alpn-none", rules::ALPN, ANSWERED, |client| with(client, Offer { alpn: &[], ..Offer::default() })),
    ("tls/alpn-mismatch", rules::ALPN, "no_application_protocol", mismatch),
    ("tls/name", rules::SNI, ANSWERED, |client| with(client, Offer::default())),
    ("tls/name-absent", rules::SNI_ABSENT, ANSWERED, no_name),
    ("tls/name-unknown", rules::SNI, "an answer, or unrecognized_name", unknown_name),
    ("tls/name-malformed", rules::SYNTAX, "decode_error", malformed_name),
];

const HELLOS: [Row; 8] = [
    ("tls/hello-in-small-records", rules::FRAGMENTS, "ServerHello", |client| hello_in_records(client, 32)),
    ("tls/hello-byte-by-byte", rules::FRAGMENTS, ANSWERED, handshake_by_bytes),
    ("tls/no-suite-in-common", rules::NOTHING_IN_COMMON, "handshake_failure", no_suite),
    ("tls/no-group-in-common", rules::NOTHING_IN_COMMON, "handshake_failure", no_group),
    ("tls/compression", rules::COMPRESSION, "illegal_parameter", compression),
    ("tls/hello-with-a-wrong-length", rules::SYNTAX, "decode_error", wrong_length),
    ("tls/hello-in-a-large-record", rules::PLAIN_OVERFLOW, "record_overflow", large_hello),
    ("tls/fatal-alert", rules::FATAL_ALERT, "closed", fatal_alert),
];

const NO_TLS: [Row; 4] = [
    ("tls/plain-http", rules::RECORD_TYPE, "an alert, an error in plain text, or closed", plain_http),
    ("tls/garbage", rules::RECORD_TYPE, NO_HELLO, |client| no_tls(client, &[0x99; 64])),
    ("tls/data-before-the-hello", rules::RECORD_TYPE, "unexpected_message", data_first),
    ("tls/record-of-an-unknown-type", rules::RECORD_TYPE, "unexpected_message", unknown_type_first),
];

const RECORDS: [Row; 12] = [
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
];

const ENDS: [Row; 6] = [
    ("tls/close-notify", rules::CLOSE_NOTIFY, "an answer, close_notify, and closed", close_notify),
    ("tls/close-notify-answered", rules::CLOSE_NOTIFY, "close_notify, and closed", close_notify_answered),
    ("tls/data-after-close-notify", rules::AFTER_CLOSE, "no second answer", data_after_close),
    ("tls/truncated-request", rules::TRUNCATION, "no answer of success, and closed", truncated),
    ("tls/unknown-alert", rules::UNKNOWN_ALERT, "closed", unknown_alert),
    ("tls/key-update-of-an-unknown-value", rules::KEY_UPDATE_VALUE, "illegal_parameter", bad_key_update),
];

/// Cases whose rule is a choice, or leaves one.
const STRICT: [&str; 5] =
    ["tls/version-1.2", "tls/name-absent", "tls/alpn-mismatch", "tls/alpn", "tls/alpn-unknown-first"];

/// All cases, which speak HTTP/1.1 where they ask for an answer.
pub(crate) fn cases() -> Vec<Case> {
    let rows = [&VERSIONS[..], &NAMES, &HELLOS, &NO_TLS, &RECORDS, &ENDS].concat();
    let case = |(name, rule, right, act): Row| {
        let script = Script::Records(Records { act, right });
        let case = Case::scripted(name, rule, Transport::Tls("http/1.1"), script);
        if STRICT.contains(&name) { case.strict() } else { case }
    };
    rows.into_iter().map(case).collect()
}

/// A handshake, and a request that is answered.
fn with(client: &mut Client, offer: Offer) -> Verdict {
    match client.handshake(&offer, Client::send) {
        Ok(_) => ask(client),
        Err(_) => Verdict::Wrong("expected a handshake".into()),
    }
}

/// A handshake, and then what the case does.
fn after_handshake(client: &mut Client, act: impl FnOnce(&mut Client) -> Verdict) -> Verdict {
    match client.handshake(&Offer::default(), Client::send) {
        Ok(_) => act(client),
        Err(_) => Verdict::Wrong("expected a handshake".into()),
    }
}

fn ask(client: &mut Client) -> Verdict {
    let request = client.request("");
    client.seal(APPLICATION, &request, 0);
    client.expect_answer()
}

fn version_1_3(client: &mut Client) -> Verdict {
    with(client, Offer::default())
}

/// The hello of a version before 1.3. None of them may be agreed on; of the others, the endpoint wants
/// none.
fn older(client: &mut Client, minor: u8) -> Verdict {
    let hello = Hello::before_1_3(minor).message();
    client.send(&record(HANDSHAKE, &hello));
    client.read_until(|seen| seen.hello || seen.alert.is_some());
    match (client.seen.hello, minor) {
        (true, 3) => Verdict::LeftOpen("expected protocol_version, got a handshake of TLS 1.2".into()),
        (true, _) => Verdict::Wrong("expected no handshake of that version".into()),
        // A server that knows the version may find nothing in common.
        (false, _) => client.expect_alert(&[PROTOCOL_VERSION, HANDSHAKE_FAILURE, INSUFFICIENT_SECURITY]),
    }
}

/// Sends a hello that has been changed.
fn changed(client: &mut Client, change: impl FnOnce(&mut Hello)) -> Result<(), Verdict> {
    let mut hello = Hello::of_1_3().ok_or_else(|| Verdict::Wrong("no hello to change".into()))?;
    change(&mut hello);
    client.send(&record(HANDSHAKE, &hello.message()));
    Ok(())
}

/// A hello that has been changed and is taken all the same.
fn taken(client: &mut Client, change: impl FnOnce(&mut Hello)) -> Verdict {
    if let Err(verdict) = changed(client, change) {
        return verdict;
    }
    expect_hello(client)
}

fn expect_hello(client: &mut Client) -> Verdict {
    client.read_until(|seen| seen.hello || seen.alert.is_some());
    if client.seen.hello { Verdict::Right } else { Verdict::Wrong("expected ServerHello".into()) }
}

/// A hello that has been changed, and has to be refused.
fn refused(client: &mut Client, alerts: &[u8], change: impl FnOnce(&mut Hello)) -> Verdict {
    if let Err(verdict) = changed(client, change) {
        return verdict;
    }
    refuse(client, alerts)
}

fn refuse(client: &mut Client, alerts: &[u8]) -> Verdict {
    client.read_until(|seen| seen.hello || seen.alert.is_some());
    if client.seen.hello {
        return Verdict::Wrong("expected no ServerHello".into());
    }
    client.expect_alert(alerts)
}

/// Versions that no document defines, of the form that is kept free for this (RFC 8701).
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
        // It may not know the extension.
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
        // HTTP has a status for it (RFC 9110, section 15.5.20).
        Ok(_) => match ask(client) {
            Verdict::Wrong(_) if matches!(Client::answer(&client.seen), Some(Ok(answer)) if answer.status == 421) => {
                Verdict::Right
            }
            verdict => verdict,
        },
        Err(_) => client.expect_alert(&[UNRECOGNIZED_NAME]),
    }
}

/// A name whose length says more than there is.
fn malformed_name(client: &mut Client) -> Verdict {
    refused(client, &[DECODE_ERROR, ILLEGAL_PARAMETER], |hello| {
        if let Some(name) = hello.extension(SERVER_NAME) {
            *name = vec![0, 12, 0, 0, 90, b'l', b'o', b'c', b'a', b'l', b'h', b'o', b's', b't'];
        }
    })
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

/// A list of extensions that ends before its length.
fn wrong_length(client: &mut Client) -> Verdict {
    let mut message = hello(&Offer::default());
    let at = message.len().saturating_sub(1);
    message.truncate(at);
    // The message is as long as it says, and what is within it is not.
    if let Some(length) = message.get_mut(1..4) {
        length.copy_from_slice(&at.saturating_sub(4).to_be_bytes()[5..]);
    }
    client.send(&record(HANDSHAKE, &message));
    refuse(client, &[DECODE_ERROR, ILLEGAL_PARAMETER])
}

fn large_hello(client: &mut Client) -> Verdict {
    let length = MAX_RECORD + MAX_EXPANSION + 1;
    client.send(&record_of(HANDSHAKE, length, &vec![1; length]));
    refuse(client, &[RECORD_OVERFLOW])
}

fn fatal_alert(client: &mut Client) -> Verdict {
    client.send(&record(ALERT, &[2, HANDSHAKE_FAILURE]));
    client.expect_end()
}

/// Whatever the server says of it, it ends.
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

/// As much as a record may hold: a request, and padding.
fn largest_record(client: &mut Client) -> Verdict {
    after_handshake(client, |client| {
        let request = client.request("");
        client.seal(APPLICATION, &request, MAX_RECORD - request.len());
        client.expect_answer()
    })
}

/// It can be decrypted, and is longer than a record may be.
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
        // It is also one that cannot be decrypted.
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
        // It is also one that cannot be parsed.
        client.expect_alert(&[UNEXPECTED_MESSAGE, DECODE_ERROR])
    })
}

fn second_hello(client: &mut Client) -> Verdict {
    after_handshake(client, |client| {
        client.seal(HANDSHAKE, &hello(&Offer::default()), 0);
        client.expect_alert(&[UNEXPECTED_MESSAGE])
    })
}

/// An answer, a KeyUpdate that asks for one of the server, and a further answer under new keys.
fn key_update(client: &mut Client) -> Verdict {
    let Ok(mut session) = session::start(&Offer::default()) else {
        return Verdict::Wrong("no session".into());
    };
    if client.shake_hands(&mut session, Client::send).is_err() {
        return Verdict::Wrong("expected a handshake".into());
    }
    let mut session = Connection::from(session);
    let request = client.request("");
    for when in ["before", "after"] {
        client.seen.data.clear();
        if let Err(error) = ask_session(client, &mut session, &request) {
            return Verdict::Wrong(format!("expected an answer {when} KeyUpdate: {error}"));
        }
        let refreshed = match &mut session {
            Connection::Client(session) => session.refresh_traffic_keys(),
            Connection::Server(_) => Ok(()),
        };
        if let Err(error) = refreshed {
            return Verdict::Wrong(error.to_string());
        }
    }
    Verdict::Right
}

/// Sends a request by the session, and reads its answer.
fn ask_session(client: &mut Client, session: &mut Connection, request: &[u8]) -> Result<(), String> {
    use std::io::{Cursor, Read, Write};

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
        // Fails once all is read.
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

fn close_notify(client: &mut Client) -> Verdict {
    after_handshake(client, |client| {
        let request = client.request("Connection: close\r\n");
        client.seal(APPLICATION, &request, 0);
        match client.expect_answer() {
            Verdict::Right => {}
            other => return other,
        }
        client.expect_close_notify()
    })
}

fn close_notify_answered(client: &mut Client) -> Verdict {
    after_handshake(client, |client| {
        match ask(client) {
            Verdict::Right => {}
            other => return other,
        }
        client.seal(ALERT, &[1, alert::CLOSE_NOTIFY], 0);
        match client.expect_close_notify() {
            // It may have more to say.
            Verdict::Wrong(reason) if client.seen.closed.is_none() => Verdict::LeftOpen(reason),
            verdict => verdict,
        }
    })
}

/// What comes after the end of the client's side is no request.
fn data_after_close(client: &mut Client) -> Verdict {
    after_handshake(client, |client| {
        match ask(client) {
            Verdict::Right => {}
            other => return other,
        }
        client.seen.data.clear();
        let request = client.request("");
        let end = client.sealed(ALERT, &[1, alert::CLOSE_NOTIFY], 0);
        let more = client.sealed(APPLICATION, &request, 0);
        client.send(&[end, more].concat());
        client.read_until(|seen| !seen.data.is_empty());
        let is_answered = !client.seen.data.is_empty();
        if is_answered { Verdict::Wrong("expected no answer to it".into()) } else { client.expect_end() }
    })
}

/// A part of a request, and the end of TCP without that of TLS.
fn truncated(client: &mut Client) -> Verdict {
    after_handshake(client, |client| {
        let request = client.request("");
        let part = request.get(..request.len().saturating_sub(2)).unwrap_or_default();
        client.seal(APPLICATION, part, 0);
        client.shut_down();
        client.read_until(|_| false);
        match Client::answer(&client.seen) {
            Some(Ok(answer)) if answer.status < 400 => Verdict::Wrong("expected no answer of success".into()),
            _ if client.seen.closed.is_none() => {
                Verdict::LeftOpen("expected the connection to be closed".into())
            }
            _ => Verdict::Right,
        }
    })
}

fn unknown_alert(client: &mut Client) -> Verdict {
    after_handshake(client, |client| {
        client.seal(ALERT, &[2, 200], 0);
        client.expect_end()
    })
}
