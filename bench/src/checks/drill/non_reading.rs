//! Clients that send requests without end and read nothing.

use std::time::{Duration, Instant};

use super::connection::{Connection, Http2, WINDOW};
use super::endpoint::Endpoint;

/// Bytes per segment, as on Ethernet. With the 64 KiB of the loopback interface the kernel would
/// buffer megabytes of answers per client before the server has to hold any.
const SEGMENT: u32 = 1448;

/// Bytes of the client's socket buffers, for the same reason.
const BUFFER: usize = 16 * 1024;

/// A server that has read nothing for this time is taken to read no more.
const QUIET: Duration = Duration::from_millis(500);

/// The most bytes that a client sends: more than the kernel buffers, so that a client sends them
/// all only if the server reads without end.
pub(super) const MAX_SENT: usize = 512 * 1024;

/// Requests that are prepared at once.
const BATCH: usize = 500;

/// What a client leaves unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// The client reads no bytes, and sends requests without end.
    Bytes,
    /// The client reads HTTP/2 frames, but opens no window for content. It sends requests on as
    /// many streams as it may, none of whose answers can end.
    Content,
}

pub(super) struct NonReadingClient {
    connection: Connection,
    unread: Unread,
    /// Requests that are being sent, of which the first `at` bytes were sent.
    requests: Vec<u8>,
    at: usize,
    sent: usize,
    closed: bool,
}

impl NonReadingClient {
    pub(super) fn connect(endpoint: Endpoint, unread: Unread) -> anyhow::Result<Self> {
        let window = if unread == Unread::Content { 0 } else { WINDOW };
        let connection = endpoint.connect_with_window(window, |socket| {
            socket.set_tcp_mss(SEGMENT)?;
            socket.set_recv_buffer_size(BUFFER)?;
            socket.set_send_buffer_size(BUFFER)
        })?;
        Ok(Self { connection, unread, requests: Vec::new(), at: 0, sent: 0, closed: false })
    }

    /// Whether the client has sent [`MAX_SENT`] bytes, and the server would read more.
    pub(super) fn is_endless(&self) -> bool {
        self.sent >= MAX_SENT
    }

    /// Sends without blocking. Returns the number of bytes.
    pub(super) fn push(&mut self) -> usize {
        if self.closed || self.is_endless() {
            return 0;
        }
        if self.at == self.requests.len() && !self.prepare() {
            return 0;
        }
        let rest = self.requests.get(self.at..).unwrap_or_default();
        match self.connection.client.stream.send_now(rest) {
            Ok(sent) => {
                (self.at, self.sent) = (self.at + sent, self.sent + sent);
                sent
            }
            Err(_) => {
                self.closed = true;
                0
            }
        }
    }

    /// Prepares the next requests. Returns false if the client has sent all that it may.
    fn prepare(&mut self) -> bool {
        let count = match self.unread {
            Unread::Bytes => BATCH,
            Unread::Content if self.sent > 0 => {
                // The client continues to read: it acknowledges SETTINGS and PING.
                self.closed |= !self.connection.is_usable();
                return false;
            }
            Unread::Content => self.connection.http2().map_or(BATCH, Http2::most_streams),
        };
        self.requests = self.connection.requests(std::iter::repeat_n("/abc", count));
        self.at = 0;
        true
    }
}

/// Connects `count` clients, each of which sends requests until the server reads no more.
pub(super) fn fill(
    endpoint: Endpoint,
    unread: Unread,
    count: usize,
) -> anyhow::Result<Vec<NonReadingClient>> {
    let mut clients = (0..count)
        .map(|_| NonReadingClient::connect(endpoint, unread))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let mut progressed = Instant::now();
    while progressed.elapsed() < QUIET {
        let sent: usize = clients.iter_mut().map(NonReadingClient::push).sum();
        if sent > 0 {
            progressed = Instant::now();
        } else {
            std::thread::sleep(QUIET / 50);
        }
    }
    Ok(clients)
}
