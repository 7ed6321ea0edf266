//! ntex as it comes: what its users get of the contract, and who is held up by whom.

use shared::testing::Program;
use shared::testing::scenarios;

const SERVER: Program = Program { path: env!("CARGO_BIN_EXE_server-ntex"), workers: 2 };

/// More than ntex's buffers hold, and answers more than that.
const MANY: usize = 2000;

shared::scenarios! {
    &SERVER =>
    silent_and_half_written_connections_hold_nobody_up,
    dripping_connections_hold_nobody_up,
    clients_that_never_read_hold_nobody_up,
    a_client_that_waits_to_continue_is_told_to,
    time_runs_out_for_half_a_head_and_for_silence,
}

#[test]
fn connections_over_the_cap_wait_for_a_place() {
    // Of several workers ntex may hand a connection to one that is full, where it waits whoever else leaves.
    scenarios::connections_over_the_cap_wait_for_a_place(&Program { workers: 1, ..SERVER });
}

#[test]
fn many_pipelined_requests_are_all_answered() {
    // On io_uring they are not, which is why the server takes the other reactor.
    let server = SERVER.start(&[]);
    let mut client = server.connect();
    client.send(&"GET /abc HTTP/1.1\r\nHost: h\r\n\r\n".repeat(MANY));
    client.send("GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    let answers = client.read_to_end();
    assert_eq!(answers.matches("You've requested: /abc\n").count(), MANY);
    assert!(answers.ends_with("You've requested: /last\n"), "the last comes last");
}

#[test]
fn other_methods_are_refused_and_name_those_that_are_not() {
    let server = SERVER.start(&[]);
    let mut client = server.connect();
    client.send("POST /abc HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
    let answer = client.read_to_end();
    assert!(answer.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"), "{answer:?}");
    assert!(answer.contains("\r\nallow: GET, HEAD\r\n"), "{answer:?}");
}

#[test]
fn a_drain_closes_who_asks_for_nothing() {
    let mut server = SERVER.start(&[]);
    let mut silent = server.connect();
    silent.ask("/abc");
    silent.expect("/abc");
    server.terminate();
    assert_eq!(silent.read_to_end(), "");
    assert!(server.wait().success());
}
