//! Clients that send requests without end and read nothing.

use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use nix::sys::socket::{MsgFlags, send};

use crate::servers::client::{Client, get};

/// Bytes per segment, as on Ethernet. With the 64 KiB of the loopback interface the kernel would
/// buffer megabytes of answers per client before the server has to hold any.
const SEGMENT: u32 = 1448;

/// Bytes of the client's socket buffers, for the same reason.
const BUFFER: usize = 16 * 1024;

/// A server that has read nothing for this time reads no more.
const QUIET: Duration = Duration::from_millis(500);

/// The most that a client sends: more than the kernel buffers, if the server reads without end.
pub(super) const MAX_SENT: usize = 512 * 1024;

pub(super) struct NonReadingClient {
    client: Client,
    sent: usize,
    closed: bool,
}

impl NonReadingClient {
    pub(super) fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let client = Client::connect_with(address, |socket| {
            socket.set_tcp_mss(SEGMENT)?;
            socket.set_recv_buffer_size(BUFFER)?;
            socket.set_send_buffer_size(BUFFER)
        })?;
        Ok(Self { client, sent: 0, closed: false })
    }

    /// Whether it has sent [`MAX_SENT`], and the server would read more.
    pub(super) fn is_endless(&self) -> bool {
        self.sent >= MAX_SENT
    }

    /// Sends without blocking. Returns the number of bytes.
    pub(super) fn push(&mut self, requests: &[u8]) -> usize {
        if self.closed || self.is_endless() {
            return 0;
        }
        // Continues at the byte where the last call stopped, and starts again at the end.
        let rest = &requests[self.sent % requests.len()..];
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
        match send(self.client.stream.as_raw_fd(), rest, flags) {
            Ok(sent) => {
                self.sent += sent;
                sent
            }
            Err(nix::Error::EAGAIN | nix::Error::EINTR) => 0,
            Err(_) => {
                self.closed = true;
                0
            }
        }
    }
}

/// Connects `count` clients, each of which sends requests until the server reads no more.
pub(super) fn fill(address: SocketAddr, count: usize) -> anyhow::Result<Vec<NonReadingClient>> {
    let mut clients =
        (0..count).map(|_| NonReadingClient::connect(address)).collect::<anyhow::Result<Vec<_>>>()?;
    let requests = get("/abc").repeat(500);
    let mut progressed = Instant::now();
    while progressed.elapsed() < QUIET {
        let sent: usize = clients.iter_mut().map(|client| client.push(requests.as_bytes())).sum();
        if sent > 0 {
            progressed = Instant::now();
        } else {
            std::thread::sleep(QUIET / 50);
        }
    }
    Ok(clients)
}
