//! ntex as it comes: what its users get of the contract, and which clients delay others.

use shared::testing::{Allocations, Program, scenarios};

const SERVER: Program = Program { path: env!("CARGO_BIN_EXE_server-ntex"), workers: 2 };

/// More requests than ntex's buffers hold, and more answers.
const MANY: usize = 2000;

#[test]
fn the_allocations_per_request_are_known() {
    assert_eq!(SERVER.allocations(), Allocations { bare: 10, browser: 17, pipelined: 9 });
}

shared::scenarios! {
    &SERVER =>
    silent_and_half_written_connections_do_not_block_others,
    dripping_connections_do_not_block_others,
    clients_that_never_read_do_not_block_others,
    a_client_that_waits_to_continue_gets_100,
    a_silent_connection_times_out,
    without_threads_it_does_not_start,
}

#[test]
fn connections_over_the_cap_wait_for_a_permit() {
    // ntex may hand a connection to a full worker, where it waits though another has room.
    scenarios::connections_over_the_cap_wait_for_a_permit(&Program { workers: 1, ..SERVER });
}

#[test]
fn many_pipelined_requests_are_all_answered() {
    // On io_uring they are not, which is why the server uses the other reactor.
    let server = SERVER.start(&[]);
    let mut client = server.connect();
    client.send(&"GET /abc HTTP/1.1\r\nHost: h\r\n\r\n".repeat(MANY));
    client.send("GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    let answers = client.read_to_end();
    assert_eq!(answers.matches("You've requested: /abc\n").count(), MANY);
    assert!(answers.ends_with("You've requested: /last\n"), "the last answer is last");
}

#[test]
fn other_methods_get_405_and_the_allowed_ones() {
    let server = SERVER.start(&[]);
    let mut client = server.connect();
    client.send("POST /abc HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
    let answer = client.read_to_end();
    assert!(answer.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"), "{answer:?}");
    assert!(answer.contains("\r\nallow: GET, HEAD\r\n"), "{answer:?}");
}

#[test]
fn a_drain_closes_silent_connections() {
    let mut server = SERVER.start(&[]);
    let mut silent = server.connect();
    silent.get("/abc");
    server.terminate();
    assert_eq!(silent.read_to_end(), "");
    assert!(server.wait().success());
}
