//! Two workers serve many connections, no client can block them, and no request is lost at the end.

use shared::testing::{Allocations, Program};

const SERVER: Program = Program { path: env!("CARGO_BIN_EXE_server-tokio"), workers: 2 };

shared::scenarios! {
    &SERVER => all,
    // The threads are the workers, one that waits for them, and one each for signals and deadlines.
    many_connections_are_served(SERVER.workers + 3),
    the_allocations_per_request_are_known(Allocations { bare: 0, browser: 0, pipelined: 0 }),
}

shared::scenarios! { &SERVER => tls }
