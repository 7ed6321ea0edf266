//! Not a server: the least that answering a request takes on this kernel, a line that servers are held against.
//!
//! It waits, reads and writes as any server has to, and does nothing else by request. What a connection's first head says is
//! taken for all that follow on it; from then on bytes are only counted.

mod canned;
mod connection;
mod places;
mod worker;

use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use anyhow::{Context, anyhow};
use clap::Parser;
use nix::sys::eventfd::EventFd;
use shared::process;

use crate::places::Permits;
use crate::worker::Worker;

/// Not a server: the least that answering a request takes on this kernel, for others to be held against
#[derive(Parser)]
#[command(name = "server-floor", version = process::version(env!("CARGO_PKG_VERSION"), &["std"]))]
struct Flags {
    #[command(flatten)]
    process: process::Flags,
}

fn main() -> ExitCode {
    process::exit(run(&Flags::parse().process))
}

fn run(flags: &process::Flags) -> anyhow::Result<()> {
    let places = Permits::new(flags.connections()?);
    let listeners = process::bind_shared(flags.address()?, flags.workers_or_cores())?;
    let address = listeners.first().context("there is no worker")?.local_addr()?;
    let bell = Arc::new(EventFd::new().context("cannot make an eventfd")?);
    let end = Arc::clone(&bell);
    process::on_signal(move || {
        // It cannot fail: nobody else writes to it.
        let _ = end.write(1);
    })?;
    let workers = listeners.into_iter().map(|listener| {
        let worker = Worker::new(listener, Arc::clone(&places), &bell)?;
        let thread = thread::Builder::new().name("worker".into());
        thread.spawn(move || worker.work()).context("cannot start a worker")
    });
    let workers: Vec<_> = workers.collect::<anyhow::Result<_>>()?;
    process::announce(address)?;
    workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| anyhow!("a worker died"))?)
}
