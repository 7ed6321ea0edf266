//! Whole servers under callgrind, asked for the same again and again.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bench::checkout::Checkout;
use bench::host::Host;
use bench::launch;
use bench::server::Server;

use crate::budget::Count;
use crate::callgrind;

const REQUEST: &[u8] = b"GET /abc HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";
const END: &[u8] = b"\r\n\r\nHello, visitor! You've requested: /abc\n";

/// Generous: only what hangs comes near it.
const BOUND: Duration = Duration::from_secs(60);

/// Counts those whose manifests have a budget, with one worker each: how much a request takes for /abc on one connection, sent when
/// the one before it is answered.
pub(crate) fn count(host: &Host, checkout: &Checkout) -> Vec<Count> {
    let mut counts = Vec::new();
    for server in &checkout.servers {
        let (name, Some(budget)) = (&server.name, server.instructions) else { continue };
        if let Some(why) = launch::prepare_as(host, server, false).unwrap() {
            crate::say(&format!("{name} is skipped: {why}"));
            continue;
        }
        counts.push(Count::take(name, budget, || a_request(host, server)));
    }
    counts
}

/// Instructions of a request, of fresh servers.
fn a_request(host: &Host, server: &Server) -> f64 {
    callgrind::a_request(|words, requests| {
        let counted = Server { run: [words, &server.run].concat(), ..server.clone() };
        let running = launch::start(host, &counted, &[], &["--workers", "1"]).unwrap();
        ask(running.address, requests).unwrap();
        running.stop().unwrap();
    })
}

/// Sends so many requests on one connection, each when the one before it is answered.
fn ask(address: SocketAddr, requests: usize) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(BOUND))?;
    // As long as the first is each of them.
    let mut answer = Vec::new();
    stream.write_all(REQUEST)?;
    while !answer.ends_with(END) {
        let mut piece = [0; 1024];
        let read = stream.read(&mut piece)?;
        assert!(read > 0, "closed after {:?}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&piece[..read]);
    }
    for _ in 1..requests {
        stream.write_all(REQUEST)?;
        stream.read_exact(&mut answer)?;
        assert!(answer.ends_with(END), "{:?}", String::from_utf8_lossy(&answer));
    }
    Ok(())
}
