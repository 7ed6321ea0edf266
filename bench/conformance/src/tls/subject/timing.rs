//! Timeouts: the server serves a slow client within its timeouts, and closes after them.

use super::super::client::Client;
use super::super::hello::{APPLICATION, HANDSHAKE, hello, record};
use super::super::session::Offer;
use super::super::verdict::Verdict;
use super::{ANSWERED, Definition, after_handshake};
use crate::rules::ENDPOINT;
use crate::settings::Timeout;

const CLOSED: &str = "closed";

pub(super) fn rows() -> Vec<Definition> {
    vec![
        ("tls-timing/hello-of-one-byte", ENDPOINT, CLOSED, one_byte),
        ("tls-timing/hello-stalled", ENDPOINT, CLOSED, hello_stalled),
        ("tls-timing/handshake-stalled", ENDPOINT, CLOSED, handshake_stalled),
        ("tls-timing/record-stalled", ENDPOINT, CLOSED, record_stalled),
        ("tls-timing/slow-handshake", ENDPOINT, ANSWERED, slow_handshake),
        ("tls-timing/slow-record", ENDPOINT, ANSWERED, slow_record),
        ("tls-timing/idle-from-the-start", ENDPOINT, CLOSED, idle_from_the_start),
        ("tls-timing/idle-after-the-handshake", ENDPOINT, CLOSED, idle_after_the_handshake),
    ]
}

/// The record of a first message.
fn first() -> Vec<u8> {
    record(HANDSHAKE, &hello(&Offer::default()))
}

fn one_byte(client: &mut Client) -> Verdict {
    client.send(&[HANDSHAKE]);
    client.expect_end_after(Timeout::Head)
}

fn hello_stalled(client: &mut Client) -> Verdict {
    let first = first();
    client.send(&first[..first.len() / 2]);
    client.expect_end_after(Timeout::Head)
}

/// The server has answered the hello, and waits for the end of the handshake.
fn handshake_stalled(client: &mut Client) -> Verdict {
    client.send(&first());
    client.expect_end_after(Timeout::Head)
}

/// The record may arrive with the end of the handshake.
fn record_stalled(client: &mut Client) -> Verdict {
    after_handshake(client, |client| {
        let request = client.request("");
        let record = client.sealed(APPLICATION, &request, 0);
        client.send(&record[..record.len() / 2]);
        client.expect_end_after(Timeout::Head)
    })
}

/// Sends each message in two parts, with a pause between them. All pauses together are shorter than
/// the timeout.
fn slow_handshake(client: &mut Client) -> Verdict {
    let slowly = |client: &mut Client, bytes: &[u8]| {
        let (first, second) = bytes.split_at(bytes.len() / 2);
        client.send(first);
        std::thread::sleep(client.tenth_of(Timeout::Head));
        client.send(second);
    };
    match client.handshake(&Offer::default(), slowly) {
        Ok(_) => super::ask(client),
        Err(_) => Verdict::Wrong("expected a handshake".into()),
    }
}

fn slow_record(client: &mut Client) -> Verdict {
    after_handshake(client, |client| {
        let request = client.request("");
        let record = client.sealed(APPLICATION, &request, 0);
        let (first, second) = record.split_at(record.len() / 2);
        client.send(first);
        client.pause(Timeout::Head, 4);
        client.send(second);
        client.expect_answer()
    })
}

fn idle_from_the_start(client: &mut Client) -> Verdict {
    client.expect_end_after(Timeout::Idle)
}

fn idle_after_the_handshake(client: &mut Client) -> Verdict {
    after_handshake(client, |client| client.expect_end_after(Timeout::Idle))
}
