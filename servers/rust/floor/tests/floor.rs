//! The floor answers repeated requests however their bytes are split, and ends at a signal.
#![allow(clippy::unwrap_used, reason = "a test fails by its panic")]

use std::io::{Read, Write};
use std::net::TcpStream;

use shared::testing::Program;

const SERVER: Program = Program { path: env!("CARGO_BIN_EXE_server-floor"), workers: 2 };

const KEEPS: &str = "GET /abc HTTP/1.1\r\nHost: h\r\n\r\n";
const CLOSES: &str = "GET /abc HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
const BODY: &str = "Hello, visitor! You've requested: /abc\n";
const ANSWER_BYTES: usize = 156;

/// The number of requests: they and their answers exceed the sockets' buffers.
const MANY: usize = 200_000;

#[test]
fn bytes_are_counted_however_they_are_split() {
    let server = SERVER.start(&[]);
    let three = KEEPS.repeat(3);
    for split in 1..three.len() {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.set_nodelay(true).unwrap();
        let (one, other) = three.split_at(split);
        let whole = one.len() / KEEPS.len();
        stream.write_all(one.as_bytes()).unwrap();
        // Whole requests are answered before more is sent.
        expect_answers(&mut stream, whole);
        stream.write_all(other.as_bytes()).unwrap();
        expect_answers(&mut stream, 3 - whole);
    }
}

/// Reads `count` answers, and not a byte more.
fn expect_answers(stream: &mut TcpStream, count: usize) {
    let mut got = vec![0; count * ANSWER_BYTES];
    stream.read_exact(&mut got).unwrap();
    got.chunks(ANSWER_BYTES).for_each(assert_is_answer);
}

fn assert_is_answer(answer: &[u8]) {
    let is_answer = answer.starts_with(b"HTTP/1.1 200 OK\r\n") && answer.ends_with(BODY.as_bytes());
    assert!(is_answer, "{}", answer.escape_ascii());
}

#[test]
fn a_request_that_closes_or_breaks_a_rule_is_answered_once() {
    let server = SERVER.start(&[]);
    let cases = [
        (CLOSES.to_owned(), "HTTP/1.1 200 OK\r\n"),
        (CLOSES.replace("HTTP/1.1", "HTTP/1.0"), "HTTP/1.1 200 OK\r\n"),
        (CLOSES.replace("GET", "HEAD"), "HTTP/1.1 200 OK\r\n"),
        (KEEPS.replace("\r\n\r\n", "\r\nContent-Length: 3\r\n\r\nabc"), "HTTP/1.1 200 OK\r\n"),
        ("\u{0}\r\n\r\n".into(), "HTTP/1.1 400 Bad Request\r\n"),
        (format!("{:a<16384}", "GET / HTTP/1.1\r\nA: "), "HTTP/1.1 431 "),
    ];
    for (request, expected) in cases {
        // The second time the worker knows the head.
        for _ in 0..2 {
            let mut client = server.connect();
            client.send(&request);
            let answer = client.read_to_end();
            assert!(answer.starts_with(expected), "{answer:?}");
            assert!(answer.contains("\r\nConnection: close\r\n"), "{answer:?}");
            assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer:?}");
        }
    }
}

/// A client that sends all requests and ends its side before it reads gets every answer.
#[test]
fn a_client_that_reads_late_gets_every_answer() {
    let server = SERVER.start(&[]);
    let stream = TcpStream::connect(server.address()).unwrap();
    let mut sending = stream.try_clone().unwrap();
    std::thread::scope(|scope| {
        let sender = scope.spawn(move || {
            let burst = KEEPS.repeat(1000);
            (0..MANY / 1000).try_for_each(|_| sending.write_all(burst.as_bytes())).unwrap();
            sending.shutdown(std::net::Shutdown::Write).unwrap();
        });
        // Another client is served meanwhile.
        let mut other = server.connect();
        (0..100).for_each(|_| {
            assert!(other.get("/now"));
        });
        let mut got = Vec::new();
        (&stream).read_to_end(&mut got).unwrap();
        sender.join().unwrap();
        assert_eq!(got.len(), MANY * ANSWER_BYTES);
        got.chunks(ANSWER_BYTES).for_each(assert_is_answer);
    });
}

shared::scenarios! {
    &SERVER =>
    silent_and_half_written_connections_do_not_block_others,
    dripping_connections_do_not_block_others,
    clients_that_never_read_do_not_block_others,
    connections_over_the_cap_wait_for_a_permit,
    a_drain_ends_with_the_last_connection,
    without_threads_it_does_not_start,
    without_descriptors_it_does_not_start,
}
