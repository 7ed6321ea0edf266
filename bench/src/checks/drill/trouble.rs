//! Clients of every kind that a server has to stand, one after another.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use fastrand::Rng;

use super::client::{Client, get};
use super::deaf::Deaf;
use super::load::Watch;
use super::resets;

/// What a client does on a connection before it closes it, one way or another.
type Mischief = fn(Client, &mut Rng) -> anyhow::Result<()>;

const MISCHIEF: [Mischief; 7] = [
    reset,
    drip,
    |mut client, random| {
        let bytes: Vec<u8> = (0..random.usize(1..2000)).map(|_| random.u8(..)).collect();
        client.send(&bytes)?;
        pause(random);
        client.reset()
    },
    |mut client, _| {
        // An oversize head, the answer to which is waited for.
        client.send(format!("GET / HTTP/1.1\r\nHost: h\r\nA: {}\r\n", "x".repeat(20_000)).as_bytes())?;
        client.shut()?;
        client.read_out()
    },
    |mut client, random| {
        client.send(get("/twice").repeat(random.usize(0..10)).as_bytes())?;
        client.shut()?;
        pause(random);
        Ok(())
    },
    |mut client, random| {
        // A body that ends long before its length.
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

/// Makes trouble until it is told to stop. The same seed makes the same trouble, but for time.
pub(super) fn make(address: SocketAddr, seed: u64, watch: &Watch) {
    let mut random = Rng::with_seed(seed);
    while !watch.stop.load(Ordering::Relaxed) {
        // Whatever becomes of such a client: the server owes it nothing.
        if random.usize(0..=MISCHIEF.len()) == 0 {
            let _ = never_read(address, &mut random);
        } else if let Ok(client) = Client::connect(address) {
            let _ = MISCHIEF[random.usize(0..MISCHIEF.len())](client, &mut random);
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

/// Asks for as much as the server takes in a moment.
fn never_read(address: SocketAddr, random: &mut Rng) -> anyhow::Result<()> {
    let mut client = Deaf::connect(address)?;
    let requests = get("/abc").repeat(500);
    for _ in 0..10 {
        while client.push(requests.as_bytes()) > 0 {}
        pause(random);
    }
    Ok(())
}

/// Long enough for the server to have seen what was sent, most times.
fn pause(random: &mut Rng) {
    std::thread::sleep(Duration::from_millis(random.u64(0..30)));
}
