//! A server that follows the script of a test, on one thread per connection.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub(super) struct Client {
    pub(super) stream: TcpStream,
    /// The number of the connection, from 0.
    pub(super) number: u64,
    /// The head of the last request.
    pub(super) head: String,
    requests: Arc<AtomicU64>,
    read: Vec<u8>,
}

pub(super) struct ScriptedServer {
    pub(super) address: SocketAddr,
    /// The number of requests that were read.
    pub(super) requests: Arc<AtomicU64>,
    /// The number of connections that were accepted.
    pub(super) connections: Arc<AtomicU64>,
}

impl ScriptedServer {
    /// Serves each connection by `script`, and closes it when the script ends.
    pub(super) fn start(script: impl Fn(&mut Client) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (requests, connections) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let script = Arc::new(script);
        let (counted, accepted) = (Arc::clone(&requests), Arc::clone(&connections));
        std::thread::spawn(move || {
            for (number, stream) in (0..).zip(listener.incoming()) {
                let stream = stream.unwrap();
                accepted.fetch_add(1, Ordering::SeqCst);
                stream.set_nodelay(true).unwrap();
                let (script, requests) = (Arc::clone(&script), Arc::clone(&counted));
                std::thread::spawn(move || {
                    let mut client =
                        Client { stream, number, head: String::new(), requests, read: Vec::new() };
                    script(&mut client);
                });
            }
        });
        Self { address, requests, connections }
    }
}

impl Client {
    /// The path of the next request, and its number over all connections, from 1.
    pub(super) fn request(&mut self) -> Option<(String, u64)> {
        loop {
            if let Some(end) = self.read.windows(4).position(|window| window == b"\r\n\r\n") {
                self.head = String::from_utf8(self.read.drain(..end + 4).collect()).unwrap();
                let number = self.requests.fetch_add(1, Ordering::SeqCst) + 1;
                return Some((self.head.split(' ').nth(1).unwrap().to_owned(), number));
            }
            let mut bytes = [0; 4096];
            match self.stream.read(&mut bytes) {
                Ok(0) | Err(_) => return None,
                Ok(length) => self.read.extend_from_slice(&bytes[..length]),
            }
        }
    }

    /// Sends bytes. A client that has closed the connection is ignored.
    pub(super) fn send(&mut self, bytes: &str) {
        let _ = self.stream.write_all(bytes.as_bytes());
    }

    /// Answers the next request by `answer`.
    pub(super) fn answer_one(&mut self, answer: impl Fn(&str) -> String) {
        if let Some((path, _)) = self.request() {
            self.send(&answer(&path));
        }
    }

    /// Answers every request by `answer`, until the client closes the connection.
    pub(super) fn answer_all(&mut self, answer: impl Fn(&str) -> String) {
        while let Some((path, _)) = self.request() {
            self.send(&answer(&path));
        }
    }
}

pub(super) fn right(path: &str) -> String {
    with_field(path, "")
}

/// The right answer with an additional field, which ends with CR LF.
pub(super) fn with_field(path: &str, field: &str) -> String {
    let body = greeting(path);
    format!("{}Content-Length: {}\r\n{field}\r\n{body}", HEAD, body.len())
}

/// The right answer in chunks, with an extension and a trailer.
pub(super) fn chunked(path: &str) -> String {
    let body = greeting(path);
    let (start, rest) = body.split_at(7);
    let fields = format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n");
    format!("{fields}7;a=b\r\n{start}\r\n{:X}\r\n{rest}\r\n0\r\nA: b\r\n\r\n", rest.len())
}

pub(super) const BUSY: &str = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy";

const HEAD: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n";

fn greeting(path: &str) -> String {
    format!("Hello, visitor! You've requested: {path}\n")
}
