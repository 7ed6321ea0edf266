//! actix behind the rules: nobody can hold it up, and nothing is lost when it ends.

use shared::testing::Program;

const SERVER: Program = Program { path: env!("CARGO_BIN_EXE_server-actix"), workers: 2 };

shared::scenarios! { &SERVER => all }
