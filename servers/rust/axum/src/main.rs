//! The endpoint on axum as its users write it.

mod app;
mod serve;

use std::process::ExitCode;

fn main() -> ExitCode {
    shared::program!("axum", "hyper", "tokio").run(serve::run)
}
