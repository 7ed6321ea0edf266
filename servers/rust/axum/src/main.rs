//! The endpoint on axum as its users write it.

mod app;
mod serve;

use std::process::ExitCode;

use clap::Parser;
use shared::process;

/// The endpoint on axum as its users write it
#[derive(Parser)]
#[command(
    name = "server-axum",
    version = process::version(env!("CARGO_PKG_VERSION"), &["axum", "hyper", "tokio"])
)]
struct Flags {
    #[command(flatten)]
    process: process::Flags,
}

fn main() -> ExitCode {
    process::exit(serve::run(&Flags::parse().process))
}
