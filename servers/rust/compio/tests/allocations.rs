//! How often a request allocates.

use shared::testing::Program;
use shared::testing::allocations::{self, Allocations};

const SERVER: Program = Program { path: env!("CARGO_BIN_EXE_server-compio"), workers: 1 };

#[test]
fn a_request_allocates_as_often_as_is_known() {
    // Each operation that is given to the ring is allocated: a read and a write.
    assert_eq!(allocations::count(&SERVER), Allocations { bare: 2, browser: 2, pipelined: 0 });
}
