//! Clients that misbehave in every way, one after another.

use std::io::Write;
use std::sync::atomic::Ordering;
use std::time::Duration;

use conformance::Http2Client;
use fastrand::Rng;

use super::connection::{Connection, Http2};
use super::endpoint::Endpoint;
use super::load::LoadState;
use super::non_reading::{NonReadingClient, Unread};
use super::resets;

/// What a client does on a connection before it closes it.
type Misbehavior = fn(Connection, &mut Rng) -> anyhow::Result<()>;

/// The misbehaviors that exist over every protocol.
const MISBEHAVIORS: [Misbehavior; 6] = [
    reset,
    drip,
    |mut client, random| {
        client.send(&garbage(random))?;
        pause(random);
        client.reset()
    },
    oversize_head,
    |mut client, random| {
        client.ask_all(std::iter::repeat_n("/twice", random.usize(0..10)))?;
        client.half_close()?;
        pause(random);
        Ok(())
    },
    |mut client, random| {
        // A body that is much shorter than its length.
        client.start_body()?;
        pause(random);
        Ok(())
    },
];

/// Opens misbehaving connections until it has to stop: the same ones for the same seed.
pub(super) fn run(endpoint: Endpoint, seed: u64, state: &LoadState) {
    let mut random = Rng::with_seed(seed);
    while !state.stop.load(Ordering::Relaxed) {
        // Errors are expected: the server owes such a client nothing.
        let _ = match random.usize(0..MISBEHAVIORS.len() + 4) {
            0 => never_read(endpoint, Unread::Bytes, &mut random),
            1 if endpoint.protocol.is_http_2() => never_read(endpoint, Unread::Content, &mut random),
            2 => stall(endpoint, &mut random),
            3 => endpoint.connect().map(|_client| pause(&mut random)),
            any => endpoint
                .connect()
                .and_then(|client| MISBEHAVIORS[any % MISBEHAVIORS.len()](client, &mut random)),
        };
    }
}

fn reset(mut client: Connection, random: &mut Rng) -> anyhow::Result<()> {
    let (_, is_over, reach) = resets::STATES[random.usize(0..resets::STATES.len())];
    if is_over(client.protocol()) {
        reach(&mut client)?;
    }
    client.reset()
}

/// Sends part of a request, byte by byte.
fn drip(mut client: Connection, random: &mut Rng) -> anyhow::Result<()> {
    let request = client.requests(["/drop/by/drop"]);
    for byte in request.iter().take(random.usize(1..=request.len())) {
        client.send(&[*byte])?;
        std::thread::sleep(Duration::from_millis(random.u64(0..4)));
    }
    Ok(())
}

/// Sends a head of 20,000 bytes. Over HTTP/1.1, the client then waits for the end of the
/// connection.
fn oversize_head(mut client: Connection, random: &mut Rng) -> anyhow::Result<()> {
    const LENGTH: usize = 20_000;
    let head = client.http2().map(|Http2 { frames, .. }| frames.get_with_field(LENGTH));
    if let Some(head) = head {
        client.send(&head)?;
        pause(random);
        return Ok(());
    }
    client.send(format!("GET / HTTP/1.1\r\nHost: h\r\nA: {}\r\n", "x".repeat(LENGTH)).as_bytes())?;
    client.half_close()?;
    client.expect_end()
}

/// Sends part of random bytes, of a TLS hello or, without TLS, of the HTTP/2 preface.
fn stall(endpoint: Endpoint, random: &mut Rng) -> anyhow::Result<()> {
    let due = match endpoint.hello()? {
        hello if hello.is_empty() => Http2Client::preface().to_vec(),
        hello => hello,
    };
    let bytes = if random.bool() { garbage(random) } else { due };
    let part = bytes.get(..random.usize(0..=bytes.len())).unwrap_or_default();
    endpoint.connect_tcp()?.write_all(part)?;
    pause(random);
    Ok(())
}

/// Sends requests for a moment, and reads no answer.
fn never_read(endpoint: Endpoint, unread: Unread, random: &mut Rng) -> anyhow::Result<()> {
    let mut client = NonReadingClient::connect(endpoint, unread)?;
    for _ in 0..10 {
        while client.push() > 0 {}
        pause(random);
    }
    Ok(())
}

fn garbage(random: &mut Rng) -> Vec<u8> {
    (0..random.usize(1..2000)).map(|_| random.u8(..)).collect()
}

/// Waits, mostly long enough for the server to read what was sent.
fn pause(random: &mut Rng) {
    std::thread::sleep(Duration::from_millis(random.u64(0..30)));
}
