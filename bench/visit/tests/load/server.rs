//! A server that follows the script of a test, on one thread per connection, with TLS or without.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustls::{ServerConfig, ServerConnection};

pub(super) struct Client {
    pub(super) stream: TcpStream,
    /// The number of the connection, from 0.
    pub(super) number: u64,
    /// The head of the last request.
    pub(super) head: String,
    /// Whether the client has said that it sends no more (`close_notify`).
    pub(super) has_ended: bool,
    tls: Option<ServerConnection>,
    requests: Arc<AtomicU64>,
    read: Vec<u8>,
}

pub(super) struct ScriptedServer {
    pub(super) address: SocketAddr,
    pub(super) scheme: &'static str,
    /// The number of requests that were read.
    pub(super) requests: Arc<AtomicU64>,
    /// The number of connections that were accepted.
    pub(super) connections: Arc<AtomicU64>,
}

impl ScriptedServer {
    /// Runs `script` for each connection, and closes the connection when the script ends.
    pub(super) fn start(script: impl Fn(&mut Client) + Send + Sync + 'static) -> Self {
        Self::with(None, script)
    }

    /// Does the same with TLS, if a configuration is given.
    pub(super) fn with(
        tls: Option<Arc<ServerConfig>>,
        script: impl Fn(&mut Client) + Send + Sync + 'static,
    ) -> Self {
        let scheme = if tls.is_some() { "https" } else { "http" };
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
                let tls = tls.clone().map(|config| ServerConnection::new(config).unwrap());
                std::thread::spawn(move || {
                    let (head, read, has_ended) = (String::new(), Vec::new(), false);
                    let mut client = Client { stream, number, head, has_ended, tls, requests, read };
                    script(&mut client);
                    client.end();
                });
            }
        });
        Self { address, scheme, requests, connections }
    }
}

impl Client {
    /// The path of the next request, and its number over all connections, from 1.
    pub(super) fn request(&mut self) -> Option<(String, u64)> {
        loop {
            if let Some(end) = self.read.windows(4).position(|window| window == b"\r\n\r\n") {
                self.head = String::from_utf8(self.read.drain(..end + 4).collect()).unwrap();
                return Some((self.head.split(' ').nth(1).unwrap().to_owned(), self.count()));
            }
            self.read_more()?;
        }
    }

    /// Returns the next `count` bytes; `None` when the client closes the connection first.
    pub(super) fn bytes(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.read.len() < count {
            self.read_more()?;
        }
        Some(self.read.drain(..count).collect())
    }

    /// Counts a request. Returns its number over all connections, from 1.
    pub(super) fn count(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub(super) fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    fn read_more(&mut self) -> Option<()> {
        let mut bytes = [0; 4096];
        let read = match &mut self.tls {
            None => self.stream.read(&mut bytes),
            Some(tls) => rustls::Stream::new(tls, &mut self.stream).read(&mut bytes),
        };
        self.has_ended = matches!(read, Ok(0));
        let length = read.ok().filter(|length| *length > 0)?;
        self.read.extend_from_slice(&bytes[..length]);
        Some(())
    }

    /// Sends bytes. A client that has closed the connection is ignored.
    pub(super) fn send(&mut self, bytes: &str) {
        self.send_bytes(bytes.as_bytes());
    }

    pub(super) fn send_bytes(&mut self, bytes: &[u8]) {
        let _ = match &mut self.tls {
            None => self.stream.write_all(bytes),
            Some(tls) => rustls::Stream::new(tls, &mut self.stream).write_all(bytes),
        };
    }

    /// Encrypts these bytes by TLS, and does not send them.
    pub(super) fn sealed(&mut self, bytes: &str) -> Vec<u8> {
        let tls = self.tls.as_mut().unwrap();
        tls.writer().write_all(bytes.as_bytes()).unwrap();
        let mut sealed = Vec::new();
        while tls.wants_write() {
            tls.write_tls(&mut sealed).unwrap();
        }
        sealed
    }

    /// Drops TLS without `close_notify`.
    pub(super) fn cut_off(&mut self) {
        self.tls = None;
    }

    /// Tells a client with TLS that nothing follows.
    pub(super) fn end(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            let _ = tls.write_tls(&mut self.stream);
        }
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

pub(super) fn greeting(path: &str) -> String {
    format!("Hello, visitor! You've requested: {path}\n")
}
