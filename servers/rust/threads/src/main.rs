//! The endpoint on a pool of blocking threads: the standard library's sockets and threads, and no runtime.

mod accept;
mod client;
mod parking;
mod pool;
mod state;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use clap::Parser;
use shared::process;

use crate::parking::Parking;
use crate::pool::Pool;
use crate::state::State;

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
    let state = Arc::new(State::new(flags.connections()?));
    let listener = process::bind(flags.address()?)?;
    let address = listener.local_addr()?;
    let pool = Pool::new(flags.workers.unwrap_or(WORKERS), flags.times(), Arc::clone(&state));
    let parking = Parking::start(Arc::clone(&pool), Arc::clone(&state))?;
    pool.park_in(parking.clone());

    let draining = Arc::clone(&state);
    process::on_signal(move || draining.begin_drain())?;
    process::announce(address)?;

    accept::until_drain(listener, &pool, &state)?;
    let deadline = Instant::now() + flags.drain_timeout;
    state.end();
    parking.wake();
    state.wait_until_empty(deadline);
    Ok(())
}
