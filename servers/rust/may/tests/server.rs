//! Two workers serve many connections, and no client can block them.

use shared::testing::{Allocations, Program};

const SERVER: Program = Program { path: env!("CARGO_BIN_EXE_server-may"), workers: 2 };

shared::scenarios! {
    &SERVER => all,
    // The threads are the workers, one each for may's timer, deadlines and signals, and at most
    // four that accept.
    many_connections_are_served(SERVER.workers + 3 + 4),
    the_allocations_per_request_are_known(Allocations { bare: 0, browser: 0, pipelined: 0 }),
}

shared::scenarios! { &SERVER => tls }
