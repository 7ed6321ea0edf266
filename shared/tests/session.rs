//! Tests of a session over a scripted stream: the ends of its turns, and the answers until then.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by its panic")]

use std::cell::Cell;
use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Result, Write};
use std::time::Duration;

use shared::http::{Buffers, Driver, Session, Stream, Timeouts, Turn};
use shared::lifecycle::{Lifecycle, Stage};

const GET: &str = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
const TWO: &str = "GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n";
const LAST: &str = "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
const HALF: &str = "GET /a HTTP/1.1\r\nHo";
const REST: &str = "st: h\r\n\r\n";
const BAD: &str = "GET /a HTTP/1.1\nHost: h\r\n\r\n";
const EXPECTS: &str = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
const POST: &str = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n";

/// The result of a read.
#[derive(Clone, Copy)]
enum Event {
    Bytes(&'static str),
    Nothing,
    Interrupted,
    End,
    Reset,
}
use Event::{Bytes, End, Interrupted, Nothing, Reset};

/// A client that sends a script and is then silent, and has room for `room` bytes of answers.
struct Client {
    script: VecDeque<Event>,
    room: usize,
    received: Vec<u8>,
    shut: Cell<bool>,
}

impl Client {
    fn new(script: &[Event]) -> Self {
        let script = script.iter().copied().collect();
        Self { script, room: usize::MAX, received: Vec::new(), shut: Cell::new(false) }
    }

    fn statuses(&self) -> Vec<String> {
        let text = String::from_utf8(self.received.clone()).unwrap();
        text.split("HTTP/1.1 ").skip(1).map(|answer| answer[..3].to_owned()).collect()
    }
}

impl Read for Client {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        match self.script.pop_front().unwrap_or(Nothing) {
            Bytes(bytes) => {
                let read = bytes.as_bytes().read(buffer)?;
                if read < bytes.len() {
                    self.script.push_front(Bytes(&bytes[read..]));
                }
                Ok(read)
            }
            Nothing => Err(ErrorKind::WouldBlock.into()),
            Interrupted => Err(ErrorKind::Interrupted.into()),
            End => Ok(0),
            Reset => Err(ErrorKind::ConnectionReset.into()),
        }
    }
}

impl Write for Client {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let taken = bytes.len().min(self.room);
        self.room -= taken;
        self.received.extend_from_slice(&bytes[..taken]);
        if taken == 0 { Err(ErrorKind::WouldBlock.into()) } else { Ok(taken) }
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Stream for Client {
    fn shut_down_writing(&mut self) -> Result<()> {
        self.shut.set(true);
        Ok(())
    }
}

/// The stage of the server, and whether other connections wait for the thread.
type Server = (Stage, bool);

const QUIET: Server = (Stage::Serving, false);
const BUSY: Server = (Stage::Serving, true);
const DRAINING: Server = (Stage::Draining, false);
const ENDING: Server = (Stage::Ending, false);

/// Timeouts that never pass, and timeouts that have always passed.
const LONG: Timeouts = {
    let time = Duration::from_secs(60);
    Timeouts { head: time, idle: time, write: time }
};
const NONE: Timeouts = Timeouts { head: Duration::ZERO, idle: Duration::ZERO, write: Duration::ZERO };

fn turn(
    session: &mut Session,
    client: &mut Client,
    timeouts: &Timeouts,
    (stage, others_wait): Server,
) -> Turn {
    let lifecycle = Lifecycle::new(1);
    lifecycle.begin(stage);
    session.turn(Driver {
        stream: client,
        buffers: &mut Buffers::default(),
        timeouts,
        lifecycle: &lifecycle,
        others_wait: || others_wait,
    })
}

#[test]
fn a_turn_ends_when_there_is_nothing_to_read() {
    use Turn::{Over, Readable};
    type Case = (&'static str, &'static [Event], &'static [&'static str], Turn, bool);
    let cases: [Case; 17] = [
        ("silence", &[], &[], Readable, false),
        ("a request", &[Bytes(GET)], &["200"], Readable, false),
        ("two at once", &[Bytes(GET), Bytes(GET)], &["200", "200"], Readable, false),
        ("half a request", &[Bytes(HALF)], &[], Readable, false),
        ("interrupted", &[Interrupted, Bytes(HALF), Interrupted, Bytes(REST)], &["200"], Readable, false),
        ("an end", &[End], &[], Over, false),
        ("a reset", &[Bytes(HALF), Reset], &[], Over, false),
        ("a half-closed client", &[Bytes(GET), Bytes(GET), End], &["200", "200"], Over, false),
        ("an end within a head", &[Bytes(HALF), End], &[], Over, false),
        ("an end within a body", &[Bytes(POST), Bytes("ab"), End], &[], Over, false),
        ("a last request", &[Bytes(LAST)], &["200"], Over, false),
        ("a body", &[Bytes(POST), Bytes("ab"), Bytes("c")], &["405"], Readable, false),
        ("a body that is asked for", &[Bytes(EXPECTS), Bytes("abc")], &["100", "405"], Readable, false),
        ("a last request and more", &[Bytes(LAST), Bytes(GET)], &["200"], Over, false),
        ("a rejection", &[Bytes(BAD)], &["400"], Readable, true),
        ("a rejection and more", &[Bytes(BAD), Bytes(GET), Bytes(GET), End], &["400"], Over, true),
        ("an answer and a rejection", &[Bytes(GET), Bytes(BAD)], &["200", "400"], Readable, true),
    ];
    for (name, script, statuses, expected, shut) in cases {
        let mut client = Client::new(script);
        let got = turn(&mut Session::default(), &mut client, &LONG, QUIET);
        assert_eq!(
            (got, client.statuses(), client.shut.get()),
            (expected, statuses.iter().map(|&status| status.to_owned()).collect(), shut),
            "{name}"
        );
    }
}

#[test]
fn a_client_that_takes_too_long_is_closed() {
    let cases: [(&str, &[Event], &[&str]); 4] = [
        ("for a request", &[Nothing], &[]),
        ("for a next request", &[Bytes(GET), Nothing], &["200"]),
        ("for a head", &[Bytes(HALF), Bytes(REST)], &["408"]),
        ("for a body", &[Bytes(POST), Bytes("ab"), Nothing], &["408"]),
    ];
    for (name, script, statuses) in cases {
        let mut client = Client::new(script);
        let mut session = Session::default();
        // A rejection lingers, here until the client ends its side.
        if turn(&mut session, &mut client, &NONE, QUIET) != Turn::Over {
            client.script = [End].into();
            assert_eq!(turn(&mut session, &mut client, &NONE, QUIET), Turn::Over, "{name}");
        }
        assert_eq!(client.statuses(), statuses, "{name}");
    }
}

#[test]
fn bytes_of_a_head_do_not_extend_its_time() {
    let mut client = Client::new(&[Bytes(HALF), Nothing]);
    let mut session = Session::default();
    assert_eq!(turn(&mut session, &mut client, &LONG, QUIET), Turn::Readable);
    let deadline = session.deadline().unwrap();
    client.script = [Bytes("s"), Nothing].into();
    assert_eq!(turn(&mut session, &mut client, &LONG, QUIET), Turn::Readable);
    assert_eq!(session.deadline(), Some(deadline));
}

#[test]
fn a_client_that_does_not_read_is_dropped_after_its_time() {
    let mut client = Client::new(&[Bytes(GET), Bytes(GET)]);
    client.room = 10;
    let mut session = Session::default();
    for _ in 0..2 {
        assert_eq!(turn(&mut session, &mut client, &LONG, QUIET), Turn::Writable);
        assert_eq!(client.received.len(), 10);
        assert!(!session.is_idle());
    }
    client.room = usize::MAX;
    assert_eq!(turn(&mut session, &mut client, &LONG, QUIET), Turn::Readable);
    assert_eq!(client.statuses(), ["200", "200"]);
    assert!(session.is_idle());

    client.script = [Bytes(GET)].into();
    client.room = 0;
    assert_eq!(turn(&mut session, &mut client, &NONE, QUIET), Turn::Over);
}

#[test]
fn further_answers_do_not_extend_the_time_for_reading() {
    let requests = GET.repeat(400).leak();
    let mut client = Client::new(&[Bytes(requests)]);
    client.room = 10_000;
    let mut session = Session::default();
    assert_eq!(turn(&mut session, &mut client, &LONG, QUIET), Turn::Writable);
    let deadline = session.deadline().unwrap();
    assert_eq!(turn(&mut session, &mut client, &LONG, QUIET), Turn::Writable);
    assert_eq!(session.deadline(), Some(deadline));
}

#[test]
fn a_session_that_has_had_its_share_yields() {
    let mut client = Client::new(&[Bytes(GET); 40]);
    let mut session = Session::default();
    assert_eq!(turn(&mut session, &mut client, &LONG, BUSY), Turn::Yield);
    assert_eq!(client.statuses().len(), 32);
    assert_eq!(turn(&mut session, &mut client, &LONG, BUSY), Turn::Readable);
    assert_eq!(client.statuses().len(), 40);

    // Each piece of a request is a turn, so that a client that sends slowly cannot occupy a thread.
    client.script = [Bytes(HALF), Bytes("s"), Bytes("t: h\r\n\r\n")].into();
    for expected in [Turn::Yield, Turn::Yield, Turn::Readable] {
        assert_eq!(turn(&mut session, &mut client, &LONG, BUSY), expected);
    }
    assert_eq!(client.statuses().len(), 41);
}

#[test]
fn a_draining_server_closes_after_what_has_arrived() {
    let mut client = Client::new(&[Bytes(TWO)]);
    let mut session = Session::default();
    // Later input is dropped, and must not reset the connection before the client has its answers.
    assert_eq!(turn(&mut session, &mut client, &LONG, DRAINING), Turn::Readable);
    assert_eq!(client.statuses(), ["200", "200"]);
    assert_eq!(String::from_utf8_lossy(&client.received).matches("Connection: close").count(), 1);
    assert!(client.shut.get());
    client.script = [Bytes(GET), End].into();
    assert_eq!(turn(&mut session, &mut client, &LONG, DRAINING), Turn::Over);
    assert_eq!(client.statuses().len(), 2);
}

#[test]
fn a_server_that_is_ending_shortens_the_wait_for_a_request_only() {
    for (script, shorter) in [(vec![Nothing], true), (vec![Bytes(HALF)], false), (vec![Bytes(POST)], false)] {
        let mut client = Client::new(&script);
        let mut session = Session::default();
        assert_eq!(turn(&mut session, &mut client, &LONG, QUIET), Turn::Readable);
        let before = session.deadline();
        assert_eq!(session.is_idle(), shorter);
        assert_eq!(turn(&mut session, &mut client, &LONG, ENDING), Turn::Readable);
        assert_eq!(session.deadline() < before, shorter);
        assert!(shorter || session.deadline() == before);
    }
}
