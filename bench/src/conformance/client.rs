//! A client that sends raw bytes and reads answers strictly.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::Context;

use super::case::End;
use super::response::{self, Response};

/// The request that finds out whether a connection is still open. Its answer, or the end of the connection, is what
/// every exchange waits for: an event, never a pause.
const PROBE: &[u8] = b"GET /probe HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n";
const PROBE_BODY: &[u8] = b"Hello, visitor! You've requested: /probe\n";

/// How long to wait for what has to come. Only a server that is wrong takes so long: one that neither answers nor closes.
const BOUND: Duration = Duration::from_secs(5);

/// Bytes that are read of one exchange at most.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// What came back on one connection.
#[derive(Debug)]
pub struct Exchange {
    /// The answers, without that to the probe.
    pub responses: Vec<Response>,
    /// Whether the probe was answered.
    pub end: End,
    /// What is wrong with the bytes that are no whole answer, if there are any, or with the end.
    pub broken: Option<String>,
}

impl Exchange {
    /// It in a few words: `200 200, open`.
    pub fn summary(&self) -> String {
        let mut out: Vec<String> =
            self.responses.iter().map(|response| response.status.to_string()).collect();
        if out.is_empty() {
            out.push("nothing".into());
        }
        let end = if self.end == End::Open { "open" } else { "closed" };
        format!("{}, {}", out.join(" "), self.broken.as_deref().unwrap_or(end))
    }
}

/// Sends `request` and a probe in one write on a fresh connection, and reads until the probe is answered or the
/// connection ends. One write, so that it does not depend on luck whether a server reads them together.
/// `bodiless` says which answers have no body because they are to a HEAD. An error when there is no connection.
pub fn exchange(address: SocketAddr, request: &[u8], bodiless: &[bool]) -> anyhow::Result<Exchange> {
    let mut stream = TcpStream::connect_timeout(&address, BOUND)
        .with_context(|| format!("cannot connect to {address}"))?;
    stream.set_read_timeout(Some(BOUND)).context("cannot set a timeout")?;
    stream.set_write_timeout(Some(BOUND)).context("cannot set a timeout")?;
    stream.set_nodelay(true).context("cannot set TCP_NODELAY")?;
    // A server may close before it has read all, which is for its answers to tell.
    let _ = stream.write_all(&[request, PROBE].concat());

    let mut exchange = Exchange { responses: Vec::new(), end: End::Closed, broken: None };
    let mut bytes = Vec::new();
    let mut ended = false;
    loop {
        let head_only = bodiless.get(exchange.responses.len()).copied().unwrap_or(false);
        match response::parse(&bytes, head_only, ended) {
            Ok(Some((response, length))) => {
                bytes.drain(..length);
                if response.body == PROBE_BODY {
                    exchange.end = End::Open;
                    return Ok(exchange);
                }
                exchange.responses.push(response);
            }
            Ok(None) if ended => {
                exchange.broken = (!bytes.is_empty()).then(|| "it ended within an answer".into());
                return Ok(exchange);
            }
            Ok(None) => match read_more(&mut stream, &mut bytes) {
                Ok(more) => ended = !more,
                Err(wrong) => {
                    exchange.broken = Some(wrong);
                    return Ok(exchange);
                }
            },
            Err(wrong) => {
                exchange.broken = Some(wrong);
                return Ok(exchange);
            }
        }
    }
}

/// Reads what comes next; false at the end.
fn read_more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Result<bool, String> {
    let mut buffer = [0; 16 * 1024];
    match stream.read(&mut buffer) {
        Ok(0) => Ok(false),
        Ok(read) if bytes.len() + read > MOST_BYTES => Err("there is no end to its answers".into()),
        Ok(read) => {
            bytes.extend_from_slice(&buffer[..read]);
            Ok(true)
        }
        // A reset is an end too: the server closed before it had read the probe.
        Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(false),
        Err(error) if error.kind() == ErrorKind::Interrupted => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            Err("it neither answered nor closed".into())
        }
        Err(error) => Err(format!("it failed: {error}")),
    }
}
