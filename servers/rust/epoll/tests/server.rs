//! Two workers serve many connections, and nobody can hold them up.

use shared::testing::Program;
use shared::testing::scenarios;

const SERVER: Program = Program { path: env!("CARGO_BIN_EXE_server-epoll"), workers: 2 };

#[test]
fn two_workers_serve_a_hundred_connections() {
    // The workers, and those that wait for them and for signals.
    scenarios::many_connections_are_served(&SERVER, SERVER.workers + 2);
}

shared::scenarios! { &SERVER => all }
