//! The endpoint on compio: a thread a core, each with a ring of io_uring's and connections of its own.

mod client;
mod deadline;
mod ring;
mod server;
mod worker;

use std::process::ExitCode;

use clap::Parser;
use shared::process;

/// The endpoint on compio: a thread a core, each with a ring of io_uring's
#[derive(Parser)]
#[command(name = "server-compio", version = process::version(env!("CARGO_PKG_VERSION"), &["compio"]))]
struct Flags {
    #[command(flatten)]
    process: process::Flags,

    /// Say whether the kernel lets this program have a ring, and end
    #[arg(long)]
    check: bool,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    process::exit(if flags.check { ring::check() } else { server::run(&flags.process) })
}
