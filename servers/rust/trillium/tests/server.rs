//! Tests of trillium as its users have it: parts of the contract, and clients that delay others.

use shared::testing::Program;

const SERVER: Program = Program { path: env!("CARGO_BIN_EXE_server-trillium"), workers: 2 };

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
    // The threads are the workers, the main thread, the reactor's, and the one for signals.
    many_connections_are_served(SERVER.workers + 3),
}
