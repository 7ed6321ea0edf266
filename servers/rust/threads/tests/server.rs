//! The pool serves more connections than it has threads, and no client can block it.

use shared::testing::{Allocations, Program, scenarios};

const SERVER: Program = Program { path: env!("CARGO_BIN_EXE_server-threads"), workers: 4 };

#[test]
fn four_workers_serve_a_hundred_connections() {
    // The workers, those for parked connections and signals, and at most four that accept.
    scenarios::many_connections_are_served(&SERVER, SERVER.workers + 2 + 4);
}

#[test]
fn the_allocations_per_request_are_known() {
    assert_eq!(SERVER.allocations(), Allocations { bare: 0, browser: 0, pipelined: 0 });
}

shared::scenarios! { &SERVER => all }
