//! The pool serves more connections than it has threads, and nobody can hold it up.

use shared::testing::Program;
use shared::testing::scenarios;

const SERVER: Program = Program { path: env!("CARGO_BIN_EXE_server-threads"), workers: 4 };

#[test]
fn four_workers_serve_a_hundred_connections() {
    // The workers, those that watch the parked and wait for signals, and at most four that accept.
    scenarios::many_connections_are_served(&SERVER, SERVER.workers + 2 + 4);
}

shared::scenarios! { &SERVER => all }
