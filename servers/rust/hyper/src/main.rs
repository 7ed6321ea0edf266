//! The endpoint on hyper and tokio, without a framework.

mod connection;
mod service;

use std::process::ExitCode;

use clap::Parser;
use shared::process;
use shared_tokio::Layout;

/// The endpoint on hyper and tokio, without a framework
#[derive(Parser)]
#[command(name = "server-hyper", version = process::version(env!("CARGO_PKG_VERSION"), &["hyper", "tokio"]))]
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
