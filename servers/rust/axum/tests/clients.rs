//! axum as it comes: what its users get of the contract, and who is held up by whom.

use shared::testing::Program;
use shared::testing::scenarios;

const SERVER: Program = Program { path: env!("CARGO_BIN_EXE_server-axum"), workers: 2 };

shared::scenarios! {
    &SERVER =>
    silent_and_half_written_connections_hold_nobody_up,
    dripping_connections_hold_nobody_up,
    clients_that_never_read_hold_nobody_up,
}

#[test]
fn two_workers_serve_a_hundred_connections() {
    // The workers, and those that accept and wait for signals.
    scenarios::many_connections_are_served(&SERVER, SERVER.workers + 2);
}

#[test]
fn other_methods_are_refused_and_name_those_that_are_not() {
    let server = SERVER.start(&[]);
    let mut client = server.connect();
    client.send("POST /abc HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc");
    let answer = client.read_to_end();
    assert!(answer.starts_with("HTTP/1.1 405 Method Not Allowed\r\nallow: GET,HEAD\r\n"), "{answer:?}");
}

#[test]
fn a_drain_answers_a_head_that_was_half_sent_and_closes_who_asks_for_nothing() {
    let mut server = SERVER.start(&[]);
    let [mut half_written, mut silent] = [(); 2].map(|()| server.connect());
    silent.ask("/abc");
    silent.expect("/abc");
    half_written.send("GET /late HTTP/1.1\r\nHo");
    // One of which nothing has been read is closed.
    server.wait_until_read(&half_written);
    server.terminate();
    assert_eq!(silent.read_to_end(), "");
    half_written.send("st: h\r\n\r\n");
    assert!(!half_written.expect("/late"), "closes");
    assert_eq!(half_written.read_to_end(), "");
    assert!(server.wait().success());
}

#[test]
fn a_drain_cuts_a_head_that_is_never_whole() {
    let mut server = SERVER.start(&["--drain-timeout", "0.3"]);
    let mut half_written = server.connect();
    half_written.send("GET /late HTTP/1.1\r\nHo");
    server.wait_until_read(&half_written);
    server.terminate();
    assert_eq!(half_written.read_to_end(), "");
    assert!(server.wait().success());
}
