//! The connections that an exchange is played on.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use shared::http::{Connection, Wants};
use shared::testing::{Identity, TlsStream};

/// The client's timeout. Only a faulty server takes that long.
pub(crate) const BOUND: Duration = Duration::from_secs(20);

/// A connection from the client's side.
pub(crate) trait Wire {
    /// Sends as much as the other side takes. It may have closed the connection: its answers show
    /// whether it was right.
    fn send(&mut self, bytes: &[u8]);
    /// Appends the next bytes. Returns false at the end of the connection.
    fn receive(&mut self, bytes: &mut Vec<u8>) -> Result<bool, String>;
}

/// A connection loop in memory.
#[derive(Default)]
pub(crate) struct Memory {
    connection: Connection,
    unread: Vec<u8>,
    /// Bytes that the connection loop would have sent over a stream.
    written: Vec<u8>,
}

/// A socket to a server.
pub(crate) struct Socket(TcpStream);

/// The maximum number of bytes in a record (RFC 8446, section 5.1).
const RECORD: usize = 16 * 1024;

/// The lengths of TLS records, and of the writes in which they are sent. Both are repeated
/// cyclically.
#[derive(Clone, Debug)]
pub(crate) struct Lengths {
    records: Vec<usize>,
    writes: Vec<usize>,
}

/// A TLS connection to a server.
pub(crate) struct Tls<'a> {
    stream: TlsStream,
    records: Cycle<'a>,
    writes: Cycle<'a>,
}

/// An endless iterator that repeats lengths cyclically.
type Cycle<'a> = std::iter::Copied<std::iter::Cycle<std::slice::Iter<'a, usize>>>;

/// Generates lengths.
pub(crate) fn lengths() -> impl Strategy<Value = Lengths> {
    let lengths = || {
        let some = vec(prop_oneof![1 => 1..20_usize, 3 => 20..3000_usize], 0..6);
        // Short lengths alone would take long, so one is the maximum.
        some.prop_map(|mut lengths| {
            lengths.push(RECORD);
            lengths
        })
    };
    (lengths(), lengths()).prop_map(|(records, writes)| Lengths { records, writes })
}

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
        read(&mut self.0, bytes)
    }
}

impl<'a> Tls<'a> {
    /// Connects to a server that has this identity, and makes the handshake.
    pub(crate) fn open(address: SocketAddr, identity: &Identity, lengths: &'a Lengths) -> Self {
        let stream = TlsStream::new(identity.client(), Socket::open(address).0);
        let cycle = |lengths: &'a [usize]| lengths.iter().cycle().copied();
        let mut tls = Self { stream, records: cycle(&lengths.records), writes: cycle(&lengths.writes) };
        while tls.stream.conn.is_handshaking() {
            tls.flush();
            if tls.stream.conn.is_handshaking() {
                assert!(tls.stream.conn.read_tls(&mut tls.stream.sock).unwrap() > 0, "the server closes");
                tls.stream.conn.process_new_packets().unwrap();
            }
        }
        tls
    }

    /// Sends the records that wait.
    fn flush(&mut self) {
        let TlsStream { conn, sock } = &mut self.stream;
        let mut bytes = Vec::new();
        while conn.wants_write() {
            conn.write_tls(&mut bytes).unwrap();
        }
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let length = self.writes.next().unwrap().min(rest.len());
            let _ = sock.write_all(&rest[..length]);
            rest = &rest[length..];
        }
    }
}

impl Wire for Tls<'_> {
    fn send(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let length = self.records.next().unwrap().min(bytes.len());
            // Fails once the server has closed.
            let _ = self.stream.conn.writer().write_all(&bytes[..length]);
            bytes = &bytes[length..];
        }
        self.flush();
    }

    fn receive(&mut self, bytes: &mut Vec<u8>) -> Result<bool, String> {
        read(&mut self.stream, bytes)
    }
}

/// Appends the bytes of one read. Unless the connection is reset, the end of TLS has to be
/// announced.
fn read(stream: &mut impl Read, bytes: &mut Vec<u8>) -> Result<bool, String> {
    let mut buffer = [0; 16 * 1024];
    match stream.read(&mut buffer) {
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
