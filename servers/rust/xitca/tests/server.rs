//! Tests of xitca as its users have it: parts of the contract, and clients that delay others.

use shared::testing::{Allocations, Program};

const SERVER: Program = Program { path: env!("CARGO_BIN_EXE_server-xitca"), workers: 2 };

shared::scenarios! {
    &SERVER =>
    silent_and_half_written_connections_do_not_block_others,
    dripping_connections_do_not_block_others,
    clients_that_never_read_do_not_block_others,
    a_drain_cuts_half_a_head,
    without_threads_it_does_not_start,
    without_descriptors_it_does_not_start,
    // The threads are the workers, the main thread, and four that accept, start the workers, wait
    // for the server, and wait for signals.
    many_connections_are_served(SERVER.workers + 5),
    the_allocations_per_request_are_known(Allocations { bare: 6, browser: 15, pipelined: 6 }),
}
