//! The endpoint on a pool of blocking threads: the standard library's sockets and threads, and no runtime.

mod client;
mod parking;
mod pool;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use shared::process::{self, Accepted};

use crate::client::Client;
use crate::parking::Parking;
use crate::pool::Pool;

/// Threads unless `--workers` says otherwise. A thread holds a connection while that is busy, so there should be as
/// many as there are busy connections; a hundred sleeping threads cost a megabyte. More are not started than are needed.
const WORKERS: usize = 128;

/// The endpoint on a pool of blocking threads
#[derive(Parser)]
#[command(name = "server-threads", version = process::version(env!("CARGO_PKG_VERSION"), &["std", "httparse"]))]
struct Flags {
    #[command(flatten)]
    process: process::Flags,
}

fn main() -> ExitCode {
    process::exit(run(&Flags::parse().process))
}

fn run(flags: &process::Flags) -> anyhow::Result<()> {
    let lifecycle = process::Lifecycle::new(flags.connections()?);
    let listener = process::bind(flags.address()?)?;
    let pool = Pool::new(flags.workers.unwrap_or(WORKERS), flags.timeouts(), Arc::clone(&lifecycle));
    let parking = Parking::start(Arc::clone(&pool), Arc::clone(&lifecycle))?;
    pool.park_in(parking.clone());

    let times = flags.timeouts();
    let take = |stream, place| {
        if let Some(accepted) = Accepted::begin(stream, place, &times, &lifecycle) {
            pool.push(Client::new(accepted));
        }
    };
    process::serve(listener, &lifecycle, flags, take, || parking.wake())
}
