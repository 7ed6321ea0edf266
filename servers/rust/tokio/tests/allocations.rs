//! How often a request allocates.

use shared::testing::Program;
use shared::testing::allocations::{self, Allocations};

const SERVER: Program = Program { path: env!("CARGO_BIN_EXE_server-tokio"), workers: 1 };

#[test]
fn a_request_allocates_as_often_as_is_known() {
    assert_eq!(allocations::count(&SERVER), Allocations { bare: 0, browser: 0, pipelined: 0 });
}
