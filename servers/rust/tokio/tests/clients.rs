//! Two workers serve many connections: nobody can hold it up, and nothing is lost when it ends.

use shared::testing::Program;
use shared::testing::scenarios;

const SERVER: Program = Program { path: env!("CARGO_BIN_EXE_server-tokio"), workers: 2 };

#[test]
fn two_workers_serve_a_hundred_connections() {
    // The workers, and those that wait for them, for signals and for deadlines.
    scenarios::many_connections_are_served(&SERVER, SERVER.workers + 3);
}

shared::scenarios! { &SERVER => all }
