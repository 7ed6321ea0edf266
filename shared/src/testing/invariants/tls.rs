//! The invariants of a connection with TLS below it.

use std::io::{ErrorKind, Read, Result, Write};
use std::sync::{Arc, LazyLock};

use rustls::{ClientConnection, ServerConfig};

use super::client::{Client, piece, rng, transfer};
use super::connection::{OUTPUT_BYTES, session};
use super::outcome::Outcome;
use crate::http::{Session, Stream, Turn, limits};
use crate::testing::Identity;
use crate::testing::wire::ServingThread;
use crate::tls::{HTTP_1_1, Tls};

/// Whatever a client sends instead of TLS, it gets only records without content, and an end. Over
/// TLS, the same bytes get the same answers as without TLS.
pub fn tls(bytes: &[u8]) {
    let mut client = Client::new(bytes);
    serve(&mut client);
    check_records(&client.received);

    let mut client = Encrypting::new(bytes);
    serve(&mut client);
    assert!(client.is_told || client.has_refused, "the end is announced");
    assert_eq!(Outcome::read(&client.received), session(bytes), "within TLS");
}

/// Both sides of TLS, which trust each other.
struct Sides {
    server: Arc<ServerConfig>,
    client: Box<dyn Fn() -> ClientConnection + Send + Sync>,
}

static SIDES: LazyLock<Sides> = LazyLock::new(|| {
    let identity = Identity::new();
    let server = identity.files().config(&[HTTP_1_1]).unwrap();
    // The files have been read, and are not needed any more.
    std::fs::remove_dir_all(identity.folder()).unwrap();
    Sides { server, client: Box::new(move || identity.client()) }
});

/// Serves a client to the end of its connection.
fn serve(client: &mut impl Stream) {
    let mut thread = ServingThread::new(true);
    let mut session = Session::over(Tls::new(Arc::clone(&SIDES.server)).unwrap());
    while thread.turn(&mut session, client) != Turn::Over {
        let (input, output) = session.kept();
        assert!(input <= limits::HEAD_BYTES && output <= OUTPUT_BYTES, "kept: {input} and {output} bytes");
    }
}

/// Checks that `bytes` are TLS records, and thus no answer in plain text. The last record may be
/// cut off when the client does not take it at once.
fn check_records(mut bytes: &[u8]) {
    // The types from ChangeCipherSpec to encrypted records (RFC 8446, section 5.1).
    const TYPES: std::ops::RangeInclusive<u8> = 20..=23;
    while let Some(([kind, _, _, length @ ..], rest)) = bytes.split_first_chunk::<5>() {
        assert!(TYPES.contains(kind), "a record of type {kind}");
        bytes = rest.get(usize::from(u16::from_be_bytes(*length))..).unwrap_or_default();
    }
}

/// A client that sends `rest` over TLS, in records and pieces of several lengths, and ends.
struct Encrypting<'a> {
    tls: ClientConnection,
    rest: &'a [u8],
    has_ended: bool,
    /// Records that are not yet sent.
    records: Vec<u8>,
    rng: fastrand::Rng,
    /// The bytes that the client has read and decrypted.
    received: Vec<u8>,
    /// Whether the server has said that no more data follows.
    is_told: bool,
    /// Whether the client took nothing of the server's last write.
    has_refused: bool,
}

impl<'a> Encrypting<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            tls: (SIDES.client)(),
            rest: bytes,
            has_ended: false,
            records: Vec::new(),
            rng: rng(bytes),
            received: Vec::new(),
            is_told: false,
            has_refused: false,
        }
    }

    /// Makes the next record, once the handshake is complete, and collects all records to send.
    fn seal(&mut self) {
        if !self.tls.is_handshaking() && !self.has_ended {
            let (piece, rest) = self.rest.split_at(piece(&mut self.rng).min(self.rest.len()));
            self.tls.writer().write_all(piece).unwrap();
            self.rest = rest;
            if rest.is_empty() {
                self.has_ended = true;
                self.tls.send_close_notify();
            }
        }
        while self.tls.wants_write() {
            self.tls.write_tls(&mut self.records).unwrap();
        }
    }
}

impl Read for Encrypting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        assert!(!buffer.is_empty(), "there is room to read into");
        if self.records.is_empty() {
            self.seal();
        }
        if self.records.is_empty() && !self.has_ended {
            return Err(ErrorKind::WouldBlock.into());
        }
        let length = transfer(&mut self.rng, buffer.len().min(self.records.len()))?;
        buffer[..length].copy_from_slice(&self.records[..length]);
        self.records.drain(..length);
        Ok(length)
    }
}

impl Write for Encrypting<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.has_refused = true;
        let taken = transfer(&mut self.rng, bytes.len())?;
        self.has_refused = false;
        let mut rest = &bytes[..taken];
        while !rest.is_empty() {
            self.tls.read_tls(&mut rest).unwrap();
            self.tls.process_new_packets().unwrap();
            // The read fails until the server has said that no more data follows.
            self.is_told |= self.tls.reader().read_to_end(&mut self.received).is_ok();
        }
        Ok(taken)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Stream for Encrypting<'_> {
    fn shut_down_writing(&mut self) -> Result<()> {
        Ok(())
    }
}
