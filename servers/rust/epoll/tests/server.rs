//! Two workers serve many connections, and nobody can hold them up.

use shared::testing::Program;
use shared::testing::scenes as scene;

const SERVER: Program = Program { path: env!("CARGO_BIN_EXE_server-epoll"), workers: 2 };

#[test]
fn two_workers_serve_a_hundred_connections() {
    // The workers, and those that wait for them and for signals.
    scene::many_connections_are_served(&SERVER, SERVER.workers + 2);
}

shared::scenes! { &SERVER => all }
