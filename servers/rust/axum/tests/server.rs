//! axum as it comes: what its users get of the contract, and which clients delay others.

use shared::testing::{Allocations, Program, scenarios};

const SERVER: Program = Program { path: env!("CARGO_BIN_EXE_server-axum"), workers: 2 };

#[test]
fn the_allocations_per_request_are_known() {
    assert_eq!(SERVER.allocations(), Allocations { bare: 21, browser: 30, pipelined: 19 });
}

shared::scenarios! {
    &SERVER =>
    silent_and_half_written_connections_do_not_block_others,
    dripping_connections_do_not_block_others,
    clients_that_never_read_do_not_block_others,
    without_threads_it_does_not_start,
}

#[test]
fn two_workers_serve_a_hundred_connections() {
    // The workers, and those that accept and wait for signals.
    scenarios::many_connections_are_served(&SERVER, SERVER.workers + 2);
}

#[test]
fn other_methods_get_405_and_the_allowed_ones() {
    let server = SERVER.start(&[]);
    let mut client = server.connect();
    client.send("POST /abc HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc");
    let answer = client.read_to_end();
    assert!(answer.starts_with("HTTP/1.1 405 Method Not Allowed\r\nallow: GET,HEAD\r\n"), "{answer:?}");
}

#[test]
fn a_drain_answers_half_a_head_once_it_is_whole_and_closes_silent_connections() {
    let mut server = SERVER.start(&[]);
    let [mut half_written, mut silent] = [(); 2].map(|()| server.connect());
    silent.get("/abc");
    half_written.send("GET /late HTTP/1.1\r\nHo");
    // axum closes a connection of which it has read nothing.
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
