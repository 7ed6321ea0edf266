//! The pool serves more connections than it has threads, and nobody can hold it up.
#![allow(clippy::unwrap_used, reason = "a test says what is wrong by its panic")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Generous: only a starved pool comes near it.
const BOUND: Duration = Duration::from_secs(60);

const WORKERS: usize = 4;
const CONNECTIONS: usize = 100;

struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(flags: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_server-threads"));
        command.args(["--port", "0", "--workers", &WORKERS.to_string()]).args(flags);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap().to_owned();
        Self { process, address }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(BOUND)).unwrap();
        stream
    }

    fn threads(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/task", self.process.id())).unwrap().count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn ask(stream: &mut TcpStream, path: &str) {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes()).unwrap();
}

fn expect(stream: &mut TcpStream, path: &str) {
    let expected = format!("\r\n\r\nHello, visitor! You've requested: {path}\n");
    let mut got = Vec::new();
    while !got.ends_with(expected.as_bytes()) {
        let mut buffer = [0; 1024];
        let read = stream.read(&mut buffer).unwrap();
        assert!(read > 0, "closed after {:?}", String::from_utf8_lossy(&got));
        got.extend_from_slice(&buffer[..read]);
    }
    assert!(got.starts_with(b"HTTP/1.1 200 OK\r\n"));
}

#[test]
fn four_workers_serve_a_hundred_connections() {
    let server = Server::start(&[]);
    let mut streams: Vec<TcpStream> = (0..CONNECTIONS).map(|_| server.connect()).collect();
    for round in 0..3 {
        let path = |number: usize| format!("/{round}/{number}");
        streams.iter_mut().enumerate().for_each(|(number, stream)| ask(stream, &path(number)));
        streams.iter_mut().enumerate().for_each(|(number, stream)| expect(stream, &path(number)));
    }
    // The workers, and those that accept, watch the parked, wait for signals, and wait in main.
    assert!(server.threads() <= WORKERS + 4, "{} threads", server.threads());
}

#[test]
fn silent_and_half_written_connections_hold_no_worker() {
    let server = Server::start(&[]);
    let mut half_written: Vec<TcpStream> = (0..CONNECTIONS).map(|_| server.connect()).collect();
    for stream in &mut half_written {
        stream.write_all(b"GET /late HTTP/1.1\r\nHo").unwrap();
    }
    let _silent: Vec<TcpStream> = (0..CONNECTIONS).map(|_| server.connect()).collect();
    let mut stream = server.connect();
    ask(&mut stream, "/now");
    expect(&mut stream, "/now");
    for stream in &mut half_written {
        stream.write_all(b"st: h\r\n\r\n").unwrap();
        expect(stream, "/late");
    }
}

#[test]
fn clients_that_never_read_hold_no_worker() {
    let server = Server::start(&[]);
    let request = b"GET /abc HTTP/1.1\r\nHost: h\r\n\r\n".repeat(1000);
    let mut deaf: Vec<TcpStream> = (0..2 * WORKERS).map(|_| server.connect()).collect();
    for stream in &mut deaf {
        // Until neither the server's nor the kernel's buffers take more: the server waits for this client to read.
        stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
        while stream.write_all(&request).is_ok() {}
    }
    let mut stream = server.connect();
    ask(&mut stream, "/now");
    expect(&mut stream, "/now");
}

#[test]
fn connections_over_the_cap_wait_for_a_place() {
    let server = Server::start(&["--max-connections", "2"]);
    let mut first = server.connect();
    let mut second = server.connect();
    let mut third = server.connect();
    for stream in [&mut first, &mut second, &mut third] {
        ask(stream, "/abc");
    }
    expect(&mut first, "/abc");
    expect(&mut second, "/abc");
    drop(first);
    expect(&mut third, "/abc");
}

#[test]
fn time_runs_out_for_half_a_head_and_for_silence() {
    let server = Server::start(&["--head-timeout", "0.2", "--idle-timeout", "0.3"]);
    let mut half_written = server.connect();
    half_written.write_all(b"GET /late HTTP/1.1\r\nHo").unwrap();
    let mut answer = String::new();
    half_written.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer:?}");

    let mut silent = server.connect();
    ask(&mut silent, "/abc");
    expect(&mut silent, "/abc");
    assert_eq!(silent.read(&mut [0; 16]).unwrap(), 0);
}
