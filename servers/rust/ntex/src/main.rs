//! The endpoint on ntex and its own runtime.

mod handler;
mod serve;

use std::process::ExitCode;

use clap::Parser;
use shared::process;

/// The endpoint on ntex and its own runtime
#[derive(Parser)]
#[command(name = "server-ntex", version = process::version(env!("CARGO_PKG_VERSION"), &["ntex", "ntex-rt"]))]
struct Flags {
    #[command(flatten)]
    process: process::Flags,
}

fn main() -> ExitCode {
    process::exit(serve::run(&Flags::parse().process))
}
