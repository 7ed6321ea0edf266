//! Clients that ask without end and read nothing.

use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use nix::sys::socket::{MsgFlags, send};

use super::client::{Client, get};

/// Bytes of a segment, as on Ethernet. With those of the loopback interface, 64 KiB, the kernel would take megabytes of
/// answers for each client before the server has to hold any.
const SEGMENT: u32 = 1448;

/// Bytes of the client's own buffers, for the same reason.
const BUFFER: usize = 16 * 1024;

/// A server takes no more when it has taken nothing for so long.
const QUIET: Duration = Duration::from_millis(500);

/// Bytes that a client sends at most: several times what the kernel takes, and few enough to survive a server that
/// takes and answers without end.
pub(super) const MOST: usize = 512 * 1024;

/// A client that reads nothing.
pub(super) struct Deaf {
    client: Client,
    sent: usize,
    /// Whether the server has closed.
    closed: bool,
}

impl Deaf {
    pub(super) fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let client = Client::connect_with(address, |socket| {
            socket.set_tcp_mss(SEGMENT)?;
            socket.set_recv_buffer_size(BUFFER)?;
            socket.set_send_buffer_size(BUFFER)
        })?;
        Ok(Self { client, sent: 0, closed: false })
    }

    /// Whether it has sent [`MOST`], and could have gone on.
    pub(super) fn has_no_end(&self) -> bool {
        self.sent >= MOST
    }

    /// Sends what goes without waiting; how much that was.
    pub(super) fn push(&mut self, requests: &[u8]) -> usize {
        if self.closed || self.has_no_end() {
            return 0;
        }
        // Requests are sent in a circle, on from the byte at which the last ones broke off.
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

/// So many clients, each of which has sent requests until the server took no more.
pub(super) fn fill(address: SocketAddr, count: usize) -> anyhow::Result<Vec<Deaf>> {
    let mut clients = (0..count).map(|_| Deaf::connect(address)).collect::<anyhow::Result<Vec<_>>>()?;
    let requests = get("/abc").repeat(500);
    let mut taken = Instant::now();
    while taken.elapsed() < QUIET {
        let sent: usize = clients.iter_mut().map(|client| client.push(requests.as_bytes())).sum();
        if sent > 0 {
            taken = Instant::now();
        } else {
            std::thread::sleep(QUIET / 50);
        }
    }
    Ok(clients)
}
