//! Two workers serve many connections, and nobody can hold them up.

use shared::testing::Program;
use shared::testing::scenarios;

const SERVER: Program = Program { path: env!("CARGO_BIN_EXE_server-may"), workers: 2 };

#[test]
fn two_workers_serve_a_hundred_connections() {
    // The workers, may's timer, those that keep time and wait for signals, and at most four that accept.
    scenarios::many_connections_are_served(&SERVER, SERVER.workers + 3 + 4);
}

shared::scenarios! { &SERVER => all }
