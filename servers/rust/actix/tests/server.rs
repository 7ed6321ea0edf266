//! Tests of actix behind the filter: no client can block it, and no request is lost at the end.

use shared::testing::{Allocations, Program};

const SERVER: Program = Program { path: env!("CARGO_BIN_EXE_server-actix"), workers: 2 };

shared::scenarios! {
    &SERVER => all,
    the_allocations_per_request_are_known(Allocations { bare: 6, browser: 13, pipelined: 6 }),
}

shared::scenarios! { &SERVER => tls }
