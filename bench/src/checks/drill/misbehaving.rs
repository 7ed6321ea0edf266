//! Clients that misbehave in every way, one after another.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use fastrand::Rng;

use super::load::LoadState;
use super::non_reading::NonReadingClient;
use super::resets;
use crate::servers::client::{Client, get};

/// What a client does on a connection before it closes it.
type Misbehavior = fn(Client, &mut Rng) -> anyhow::Result<()>;

const MISBEHAVIORS: [Misbehavior; 7] = [
    reset,
    drip,
    |mut client, random| {
        let bytes: Vec<u8> = (0..random.usize(1..2000)).map(|_| random.u8(..)).collect();
        client.send(&bytes)?;
        pause(random);
        client.reset()
    },
    |mut client, _| {
        // An oversize head. The client waits for the answer.
        client.send(format!("GET / HTTP/1.1\r\nHost: h\r\nA: {}\r\n", "x".repeat(20_000)).as_bytes())?;
        client.half_close()?;
        client.expect_end()
    },
    |mut client, random| {
        client.send(get("/twice").repeat(random.usize(0..10)).as_bytes())?;
        client.half_close()?;
        pause(random);
        Ok(())
    },
    |mut client, random| {
        // A body that is much shorter than its length.
        client.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n")?;
        client.send(&vec![b'x'; random.usize(0..20_000)])?;
        pause(random);
        Ok(())
    },
    |_client, random| {
        pause(random);
        Ok(())
    },
];

/// Opens misbehaving connections until it has to stop: the same ones for the same seed.
pub(super) fn run(address: SocketAddr, seed: u64, state: &LoadState) {
    let mut random = Rng::with_seed(seed);
    while !state.stop.load(Ordering::Relaxed) {
        // Errors are expected: the server owes such a client nothing.
        if random.usize(0..=MISBEHAVIORS.len()) == 0 {
            let _ = never_read(address, &mut random);
        } else if let Ok(client) = Client::connect(address) {
            let _ = MISBEHAVIORS[random.usize(0..MISBEHAVIORS.len())](client, &mut random);
        }
    }
}

fn reset(mut client: Client, random: &mut Rng) -> anyhow::Result<()> {
    let (_, reach) = resets::STATES[random.usize(0..resets::STATES.len())];
    reach(&mut client)?;
    client.reset()
}

/// Part of a head, byte by byte.
fn drip(mut client: Client, random: &mut Rng) -> anyhow::Result<()> {
    let request = get("/drop/by/drop");
    for byte in request.as_bytes().iter().take(random.usize(1..=request.len())) {
        client.send(&[*byte])?;
        std::thread::sleep(Duration::from_millis(random.u64(0..4)));
    }
    Ok(())
}

/// Sends requests for a moment, and reads no answer.
fn never_read(address: SocketAddr, random: &mut Rng) -> anyhow::Result<()> {
    let mut client = NonReadingClient::connect(address)?;
    let requests = get("/abc").repeat(500);
    for _ in 0..10 {
        while client.push(requests.as_bytes()) > 0 {}
        pause(random);
    }
    Ok(())
}

/// Mostly long enough for the server to read what was sent.
fn pause(random: &mut Rng) {
    std::thread::sleep(Duration::from_millis(random.u64(0..30)));
}
