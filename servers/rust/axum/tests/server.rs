//! Tests of axum as its users have it: parts of the contract, and clients that delay others.

use shared::testing::{Allocations, Program};

const SERVER: Program = Program { path: env!("CARGO_BIN_EXE_server-axum"), workers: 2 };

shared::scenarios! {
    &SERVER =>
    silent_and_half_written_connections_do_not_block_others,
    dripping_connections_do_not_block_others,
    clients_that_never_read_do_not_block_others,
    a_drain_answers_half_a_head,
    a_drain_cuts_half_a_head,
    a_drain_ends_with_the_last_connection,
    without_threads_it_does_not_start,
    without_descriptors_it_does_not_start,
    // The threads are the workers, one that accepts, and one that waits for signals.
    many_connections_are_served(SERVER.workers + 2),
    the_allocations_per_request_are_known(Allocations { bare: 21, browser: 30, pipelined: 19 }),
}

shared::scenarios! {
    &SERVER =>
    over_tls_it_answers_and_says_when_it_ends,
    over_tls_the_bytes_may_come_one_by_one,
    over_tls_a_drain_answers_half_a_head,
    a_stalled_handshake_ends,
    what_is_not_tls_is_refused,
    a_certificate_that_cannot_be_used_is_named,
}
