//! Two workers serve many connections, no client can block them, and nothing is lost at the end.

use shared::testing::{Allocations, Program};

const SERVER: Program = Program { path: env!("CARGO_BIN_EXE_server-tokio"), workers: 2 };

shared::scenarios! {
    &SERVER => all,
    // The workers, and those that wait for them, for signals and for deadlines.
    many_connections_are_served(SERVER.workers + 3),
    the_allocations_per_request_are_known(Allocations { bare: 0, browser: 0, pipelined: 0 }),
}

shared::scenarios! { &SERVER => tls }
