//! The pool serves more connections than it has threads, and no client can block it.

use shared::testing::{Allocations, Program};

const SERVER: Program = Program { path: env!("CARGO_BIN_EXE_server-threads"), workers: 4 };

shared::scenarios! {
    &SERVER => all,
    // The threads are the workers, one each for parked connections and signals, and at most four
    // that accept.
    many_connections_are_served(SERVER.workers + 2 + 4),
    the_allocations_per_request_are_known(Allocations { bare: 0, browser: 0, pipelined: 0 }),
}

shared::scenarios! { &SERVER => tls }
