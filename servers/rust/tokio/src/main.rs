//! The endpoint on tokio, without an HTTP library.

mod connection;
mod socket;

use std::process::ExitCode;

use clap::Parser;
use shared::process;
use shared_tokio::Layout;

/// The endpoint on tokio, without an HTTP library
#[derive(Parser)]
#[command(name = "server-tokio", version = process::version(env!("CARGO_PKG_VERSION"), &["tokio", "httparse"]))]
struct Flags {
    #[command(flatten)]
    process: process::Flags,

    /// How tokio's runtimes lie on the cores
    #[arg(long, value_enum, env = "LAYOUT", default_value_t = Layout::PerCore)]
    layout: Layout,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    process::exit(run(&flags))
}

fn run(flags: &Flags) -> anyhow::Result<()> {
    let times = flags.process.timeouts();
    let connection = move |stream, lifecycle| connection::serve(stream, times, lifecycle);
    shared_tokio::serve(flags.layout, &flags.process, connection)
}
