//! Tests of a session over TLS in memory: split input, a socket that takes a part, and the end.
#![cfg(feature = "testing")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by its panic")]

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Result, Write};
use std::time::Duration;

use rustls::ClientConnection;
use shared::http::{Buffers, Driver, Session, Stream, Timeouts, Turn};
use shared::lifecycle::{Lifecycle, Stage};
use shared::testing::Identity;
use shared::tls::{HTTP_1_1, Tls};

const GET: &str = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
const LAST: &str = "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

const LONG: Timeouts = {
    let time = Duration::from_secs(60);
    Timeouts { head: time, idle: time, write: time }
};
const NONE: Timeouts = Timeouts { head: Duration::ZERO, idle: Duration::ZERO, write: Duration::ZERO };

/// The server's socket: the bytes from the client, and those sent to it, for which there is `room`.
#[derive(Default)]
struct Socket {
    received: VecDeque<u8>,
    sent: Vec<u8>,
    room: usize,
    is_shut: bool,
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.received.is_empty() { Err(ErrorKind::WouldBlock.into()) } else { self.received.read(buffer) }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let taken = bytes.len().min(self.room);
        self.room -= taken;
        self.sent.extend_from_slice(&bytes[..taken]);
        if taken == 0 { Err(ErrorKind::WouldBlock.into()) } else { Ok(taken) }
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Stream for Socket {
    fn shut_down_writing(&mut self) -> Result<()> {
        self.is_shut = true;
        Ok(())
    }
}

/// A server's side and a client's side of one connection.
struct Pair {
    session: Session,
    socket: Socket,
    client: ClientConnection,
    /// The answers that the client has decrypted.
    answers: String,
}

impl Pair {
    fn new() -> Self {
        let identity = Identity::new();
        let tls = Tls::new(identity.files().config(&[HTTP_1_1]).unwrap()).unwrap();
        let socket = Socket { room: usize::MAX, ..Socket::default() };
        Self { session: Session::over(tls), socket, client: identity.client(), answers: String::new() }
    }

    /// Returns a pair whose handshake is complete.
    fn connected() -> Self {
        let mut pair = Self::new();
        while pair.client.is_handshaking() {
            pair.send(usize::MAX);
            assert_eq!(pair.turn(&LONG), Turn::Readable);
            pair.receive();
        }
        pair
    }

    fn turn(&mut self, timeouts: &Timeouts) -> Turn {
        let lifecycle = Lifecycle::new(1);
        lifecycle.begin(Stage::Serving);
        self.session.turn(Driver {
            stream: &mut self.socket,
            buffers: &mut Buffers::default(),
            timeouts,
            lifecycle: &lifecycle,
            others_wait: || false,
        })
    }

    /// The client writes `text`, to be sent.
    fn write(&mut self, text: &str) {
        self.client.writer().write_all(text.as_bytes()).unwrap();
    }

    /// Sends the client's pending bytes, in pieces of `size` with a turn after each but the last.
    fn send(&mut self, size: usize) {
        let mut bytes = Vec::new();
        while self.client.wants_write() {
            self.client.write_tls(&mut bytes).unwrap();
        }
        let mut pieces = bytes.chunks(size).peekable();
        while let Some(piece) = pieces.next() {
            self.socket.received.extend(piece);
            if pieces.peek().is_some() {
                assert_eq!(self.turn(&LONG), Turn::Readable);
            }
        }
    }

    /// The client reads; returns whether it was told that no more data follows.
    fn receive(&mut self) -> bool {
        let sent = std::mem::take(&mut self.socket.sent);
        let mut rest = sent.as_slice();
        let mut is_ended = false;
        while !rest.is_empty() {
            self.client.read_tls(&mut rest).unwrap();
            is_ended |= self.client.process_new_packets().unwrap().peer_has_closed();
            let mut piece = [0; 4096];
            while let Ok(bytes @ 1..) = self.client.reader().read(&mut piece) {
                self.answers.push_str(std::str::from_utf8(&piece[..bytes]).unwrap());
            }
        }
        is_ended
    }

    fn answered(&self) -> usize {
        self.answers.matches("HTTP/1.1 200 OK\r\n").count()
    }
}

#[test]
fn a_handshake_and_a_request_may_come_in_any_pieces() {
    for size in [1, 2, 3, 7, 100, 1000] {
        let mut pair = Pair::new();
        while pair.client.is_handshaking() {
            pair.send(size);
            assert_eq!(pair.turn(&LONG), Turn::Readable, "pieces of {size}");
            pair.receive();
        }
        pair.write(GET);
        pair.send(size);
        assert_eq!(pair.turn(&LONG), Turn::Readable, "pieces of {size}");
        pair.write(LAST);
        pair.send(size);
        assert_eq!(pair.turn(&LONG), Turn::Over, "pieces of {size}");
        assert!(pair.receive(), "pieces of {size}: the client is told of the end");
        assert_eq!(pair.answered(), 2, "pieces of {size}: {}", pair.answers);
    }
}

#[test]
fn what_the_socket_does_not_take_is_sent_before_the_end() {
    // The socket has room for this number of bytes at a time.
    for room in [1, 10, 100, 1000] {
        let mut pair = Pair::connected();
        pair.write(&[&GET.repeat(20), LAST].concat());
        pair.send(usize::MAX);
        pair.socket.room = room;
        let last = loop {
            let turn = pair.turn(&LONG);
            if turn != Turn::Writable {
                break turn;
            }
            assert!(!pair.session.is_idle(), "room for {room}");
            assert!(pair.session.deadline().is_some(), "room for {room}: a client has only so long to read");
            pair.socket.room = room;
        };
        assert_eq!(last, Turn::Over, "room for {room}");
        pair.socket.room = usize::MAX;
        pair.receive();
        assert_eq!(pair.answered(), 21, "room for {room}");
    }
}

#[test]
fn a_client_that_does_not_read_has_its_time_and_no_more() {
    let mut pair = Pair::connected();
    pair.write(GET);
    pair.send(usize::MAX);
    pair.socket.room = 10;
    // The socket took some of the answer, and the time runs from then.
    assert_eq!(pair.turn(&NONE), Turn::Over);
    let mut pair = Pair::connected();
    pair.write(GET);
    pair.send(usize::MAX);
    pair.socket.room = 10;
    assert_eq!(pair.turn(&LONG), Turn::Writable);
    assert_eq!(pair.turn(&NONE), Turn::Writable, "the deadline of the first wait counts");
}

#[test]
fn part_of_a_handshake_or_of_a_record_has_the_time_of_a_head() {
    let head = Timeouts { head: Duration::ZERO, ..LONG };
    let mut pair = Pair::new();
    assert_eq!(pair.turn(&head), Turn::Readable, "nothing has come");
    let mut pair = Pair::new();
    let mut hello = Vec::new();
    pair.client.write_tls(&mut hello).unwrap();
    pair.socket.received.extend(&hello[..hello.len() / 2]);
    assert_eq!(pair.turn(&head), Turn::Readable, "it ends with the next turn");
    assert_eq!(pair.turn(&head), Turn::Readable, "it lingers");
    assert!(pair.socket.is_shut);
    let mut pair = Pair::connected();
    assert_eq!(pair.turn(&head), Turn::Readable, "a handshake that is complete is no part");
    assert!(!pair.socket.is_shut);
}

#[test]
fn a_damaged_record_behind_a_request_gets_an_alert_and_an_end() {
    let mut pair = Pair::connected();
    pair.write(GET);
    pair.send(usize::MAX);
    pair.socket.received.extend([0x17, 0x03, 0x03, 0, 40].iter().chain(&[7; 40]));
    assert_eq!(pair.turn(&LONG), Turn::Over);
    pair.client.read_tls(&mut pair.socket.sent.as_slice()).unwrap();
    let error = pair.client.process_new_packets().unwrap_err();
    assert_eq!(error, rustls::Error::AlertReceived(rustls::AlertDescription::BadRecordMac));
}

#[test]
fn what_is_not_tls_gets_an_alert_and_an_end() {
    let mut pair = Pair::new();
    pair.socket.received.extend(GET.as_bytes());
    assert_eq!(pair.turn(&LONG), Turn::Readable, "it lingers");
    assert!(pair.socket.is_shut);
    let alert = [0x15, 0x03];
    assert!(pair.socket.sent.starts_with(&alert), "{:?}", pair.socket.sent);
    let mut pair = Pair::connected();
    pair.socket.received.extend([0x17, 0x03, 0x03, 0, 40].iter().chain(&[7; 40]));
    pair.turn(&LONG);
    assert!(pair.socket.is_shut, "a record that cannot be decrypted");
}
