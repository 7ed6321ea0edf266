//! Two workers serve many connections, and no client can block them.

use shared::testing::{Allocations, Program, scenarios};

const SERVER: Program = Program { path: env!("CARGO_BIN_EXE_server-epoll"), workers: 2 };

#[test]
fn two_workers_serve_a_hundred_connections() {
    // The workers, and those that wait for them and for signals.
    scenarios::many_connections_are_served(&SERVER, SERVER.workers + 2);
}

#[test]
fn the_allocations_per_request_are_known() {
    assert_eq!(SERVER.allocations(), Allocations { bare: 0, browser: 0, pipelined: 0 });
}

shared::scenarios! { &SERVER => all }
