//! The connections that an exchange is played on.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use shared::http::{Connection, Wants};

/// How long the client waits. Only a server that is wrong takes so long.
const BOUND: Duration = Duration::from_secs(20);

/// A connection from the client's side.
pub(crate) trait Wire {
    /// Sends as much as the other side takes. It may have closed, which its answers decide.
    fn send(&mut self, bytes: &[u8]);
    /// Appends the next bytes; false at the end of the connection.
    fn receive(&mut self, bytes: &mut Vec<u8>) -> Result<bool, String>;
}

/// A connection loop in memory.
#[derive(Default)]
pub(crate) struct Memory {
    connection: Connection,
    unread: Vec<u8>,
    /// Bytes that a stream would have sent.
    written: Vec<u8>,
}

/// A socket to a server.
pub(crate) struct Socket(TcpStream);

impl Wire for Memory {
    fn send(&mut self, bytes: &[u8]) {
        self.unread.extend_from_slice(bytes);
        loop {
            let mut output = Vec::new();
            let progress = self.connection.advance(&self.unread, &mut output, false);
            self.unread.drain(..progress.consumed);
            self.written.append(&mut output);
            if progress.wants != Wants::Flush {
                return;
            }
        }
    }

    fn receive(&mut self, bytes: &mut Vec<u8>) -> Result<bool, String> {
        let some = !self.written.is_empty();
        bytes.append(&mut self.written);
        Ok(some)
    }
}

impl Socket {
    /// Connects to `address`.
    pub(crate) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(BOUND)).unwrap();
        stream.set_write_timeout(Some(BOUND)).unwrap();
        // Sends each piece as a packet.
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }
}

impl Wire for Socket {
    fn send(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes);
    }

    fn receive(&mut self, bytes: &mut Vec<u8>) -> Result<bool, String> {
        let mut buffer = [0; 16 * 1024];
        match self.0.read(&mut buffer) {
            Ok(read) => {
                bytes.extend_from_slice(&buffer[..read]);
                Ok(read > 0)
            }
            // A reset is an end too: the server closed before it had read everything.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(false),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(true),
            Err(error) => Err(format!("the server neither answered nor closed: {error}")),
        }
    }
}
