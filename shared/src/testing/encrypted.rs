//! Scenarios between a server and its clients over TLS.

use std::io::{ErrorKind, Read, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::program::{Client, Program, Server};
use super::tls::{Identity, TlsStream};

/// The number of writes of a client that reads nothing: more than the buffers of both sides hold.
const FLOOD: usize = 200_000;

/// How long a client that never reads waits for the server to take more.
const FULL: Duration = Duration::from_millis(300);

/// Starts a server that speaks TLS, and returns it with its identity.
fn start(program: &Program, more: &[&str]) -> (Server, Identity) {
    let identity = Identity::new();
    let server = program.start(&Identity::flags(&identity.files(), more));
    (server, identity)
}

/// Requests are answered one by one and pipelined. After the last answer, the client is told that
/// no more data follows: otherwise it could not know that nothing was cut.
pub fn over_tls_it_answers_and_says_when_it_ends(program: &Program) {
    let (server, identity) = start(program, &[]);
    let mut client = identity.connect(&server);
    assert!(client.get("/first"), "stays open");
    assert!(client.get(&format!("/{}", "x".repeat(5000))), "stays open");
    assert_eq!(client.0.conn.alpn_protocol(), Some(crate::tls::HTTP_1_1));
    let last = "GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    client.send(&[&"GET /abc HTTP/1.1\r\nHost: h\r\n\r\n".repeat(50), last].concat());
    let answers = client.read_to_end();
    assert_eq!(answers.matches("Hello, visitor! You've requested: /abc\n").count(), 50, "{answers}");
    assert!(answers.ends_with("Hello, visitor! You've requested: /last\n"), "{answers}");
}

/// A handshake and a request may come byte by byte.
pub fn over_tls_the_bytes_may_come_one_by_one(program: &Program) {
    let (server, identity) = start(program, &[]);
    let Client(TlsStream { mut conn, mut sock }) = identity.connect(&server);
    let mut bytes = Vec::new();
    while conn.is_handshaking() {
        send_bytewise(&mut conn, &mut sock, &mut bytes);
        if conn.is_handshaking() {
            assert!(conn.read_tls(&mut sock).unwrap() > 0, "the server closes");
            conn.process_new_packets().unwrap();
        }
    }
    conn.writer().write_all(b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    send_bytewise(&mut conn, &mut sock, &mut bytes);
    let mut client = Client(TlsStream { conn, sock });
    assert!(client.expect("/slow"), "stays open");
}

fn send_bytewise(conn: &mut rustls::ClientConnection, sock: &mut impl Write, bytes: &mut Vec<u8>) {
    while conn.wants_write() {
        conn.write_tls(bytes).unwrap();
    }
    bytes.drain(..).for_each(|byte| sock.write_all(&[byte]).unwrap());
}

/// A client that sends many requests and reads nothing does not delay others, and is cut at its
/// timeout: the server also waits for output that TLS has taken and the socket has not.
pub fn over_tls_clients_that_never_read_are_cut(program: &Program) {
    let (server, identity) = start(program, &["--write-timeout", "1"]);
    let mut client = identity.connect(&server);
    assert!(client.get("/first"), "stays open");
    client.0.sock.set_write_timeout(Some(FULL)).unwrap();
    let request = "GET /abc HTTP/1.1\r\nHost: h\r\n\r\n".repeat(100);
    let flooded = (0..FLOOD).find_map(|_| client.0.write_all(request.as_bytes()).err()).unwrap();
    let waits =
        [ErrorKind::WouldBlock, ErrorKind::TimedOut, ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
    assert!(waits.contains(&flooded.kind()), "{flooded}");
    assert!(identity.connect(&server).get("/now"), "stays open");
    // A write detects the end: a read would restart the timeout of the server.
    super::wait_for("the end of a client that does not read", || {
        let closed = client.0.sock.write(b"x").is_err_and(|error| error.kind() != ErrorKind::WouldBlock);
        closed.then_some(())
    });
}

/// After SIGTERM, half a head may still be completed, and its answer closes the connection.
pub fn over_tls_a_drain_answers_half_a_head(program: &Program) {
    let (mut server, identity) = start(program, &[]);
    let mut half_written = identity.connect(&server);
    half_written.0.conn.complete_io(&mut half_written.0.sock).unwrap();
    half_written.send("GET /late HTTP/1.1\r\nHo");
    server.wait_until_read(&Client(half_written.0.sock.try_clone().unwrap()));
    server.terminate();
    server.wait_until_refused();
    half_written.send("st: h\r\n\r\n");
    assert!(!half_written.expect("/late"), "closes");
    assert_eq!(half_written.read_to_end(), "");
    assert!(server.wait().success());
}

/// A handshake that is not completed ends at the timeout for a head.
pub fn a_stalled_handshake_ends(program: &Program) {
    let (server, identity) = start(program, &["--head-timeout", "0.3", "--idle-timeout", "600"]);
    let mut hello = Vec::new();
    identity.client().write_tls(&mut hello).unwrap();
    let mut stalled = server.connect();
    stalled.0.write_all(&hello[..hello.len() / 2]).unwrap();
    let mut rest = Vec::new();
    // A reset is an end as well.
    let _ = stalled.0.read_to_end(&mut rest);
    assert!(!rest.starts_with(b"HTTP"), "{rest:?}");
    assert!(identity.connect(&server).get("/now"), "stays open");
}

/// Plain HTTP gets no HTTP answer, and the connection ends.
pub fn what_is_not_tls_is_refused(program: &Program) {
    let (server, identity) = start(program, &[]);
    let mut plain = server.connect();
    plain.send("GET /abc HTTP/1.1\r\nHost: h\r\n\r\n");
    let mut got = Vec::new();
    let _ = plain.0.read_to_end(&mut got);
    let alert = [0x15, 0x03];
    assert!(got.is_empty() || got.starts_with(&alert), "{got:?}");
    assert!(identity.connect(&server).get("/now"), "stays open");
}

/// When a certificate or its key cannot be used, the server prints one line that names the file or
/// the flag, and is never ready.
pub fn a_certificate_that_cannot_be_used_is_named(program: &Program) {
    let (identity, other) = (Identity::new(), Identity::new());
    let damaged = identity.folder().join("damaged.pem");
    std::fs::write(&damaged, "-----BEGIN CERTIFICATE-----\nno\n").unwrap();
    let (own, others) = (identity.files(), other.files());
    let path = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    let (cert, key, damaged) = (path(&own.certificate), path(&own.key), path(&damaged));
    let cases = [
        (vec!["--tls-cert", &cert], 2, "--tls-key"),
        (vec!["--tls-key", &key], 2, "--tls-cert"),
        (vec!["--tls-cert", "/no/file", "--tls-key", &key], 1, "/no/file"),
        (vec!["--tls-cert", &cert, "--tls-key", "/no/file"], 1, "/no/file"),
        (vec!["--tls-cert", &damaged, "--tls-key", &key], 1, &damaged),
        (vec!["--tls-cert", &cert, "--tls-key", &damaged], 1, &damaged),
        (vec!["--tls-cert", &key, "--tls-key", &key], 1, &key),
        (vec!["--tls-cert", &cert, "--tls-key", others.key.to_str().unwrap()], 1, &cert),
    ];
    for (flags, code, named) in cases {
        let output = Command::new(program.path)
            .args(["--port", "0"])
            .args(&flags)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), said.lines().count()), (Some(code), 1), "{flags:?}: {said}");
        assert!(said.starts_with("error: ") && said.contains(named), "{flags:?}: {said}");
        assert!(output.stdout.is_empty(), "{flags:?}");
    }
}
