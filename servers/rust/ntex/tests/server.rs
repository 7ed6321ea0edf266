//! Tests of ntex as its users have it: parts of the contract, and clients that delay others.

use shared::testing::{Allocations, Program, scenarios};

const SERVER: Program = Program { path: env!("CARGO_BIN_EXE_server-ntex"), workers: 2 };

/// The number of requests: they and their answers exceed ntex's buffers.
const MANY: usize = 2000;

/// The number of starts, each with 256 workers. When workers did not wait for the main thread, 5 of
/// 16 starts had a worker that ntex listed twice, which delayed the drain.
const STARTS: usize = 8;

shared::scenarios! {
    &SERVER =>
    silent_and_half_written_connections_do_not_block_others,
    dripping_connections_do_not_block_others,
    clients_that_never_read_do_not_block_others,
    a_drain_ends_with_the_last_connection,
    without_threads_it_does_not_start,
    without_descriptors_it_does_not_start,
    the_allocations_per_request_are_known(Allocations { bare: 10, browser: 17, pipelined: 9 }),
}

shared::scenarios! {
    // ntex may hand a connection to a full worker, where it waits although another worker has room.
    &Program { workers: 1, ..SERVER } => connections_over_the_cap_wait_for_a_permit,
}

#[test]
fn many_pipelined_requests_are_all_answered() {
    // On io_uring, some are not answered, so the server uses the other reactor.
    let server = SERVER.start(&[]);
    let mut client = server.connect();
    client.send(&"GET /abc HTTP/1.1\r\nHost: h\r\n\r\n".repeat(MANY));
    client.send("GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    let answers = client.read_to_end();
    assert_eq!(answers.matches("You've requested: /abc\n").count(), MANY);
    assert!(answers.ends_with("You've requested: /last\n"), "the last answer is last");
}

/// A worker that is listed twice ends once, and a drain waits for its second end until the limit.
#[test]
fn no_start_lists_a_worker_twice() {
    for _ in 0..STARTS {
        scenarios::a_drain_ends_with_the_last_connection(&Program { workers: 256, ..SERVER });
    }
}

shared::scenarios! {
    &SERVER =>
    over_tls_it_answers_and_says_when_it_ends,
    over_tls_the_bytes_may_come_one_by_one,
    a_stalled_handshake_ends,
    what_is_not_tls_is_refused,
    a_certificate_that_cannot_be_used_is_named,
}
