//! The endpoint on an event loop of our own: a thread a core, each with an epoll instance, and no runtime.

mod connection;
mod lifecycle;
mod socket;
mod worker;

use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use anyhow::{Context, anyhow};
use clap::Parser;
use shared::process;

use crate::lifecycle::Lifecycle;
use crate::worker::Worker;

/// The endpoint on an event loop of our own
#[derive(Parser)]
#[command(name = "server-epoll", version = process::version(env!("CARGO_PKG_VERSION"), &["mio", "httparse"]))]
struct Flags {
    #[command(flatten)]
    process: process::Flags,
}

fn main() -> ExitCode {
    process::exit(run(&Flags::parse().process))
}

fn run(flags: &process::Flags) -> anyhow::Result<()> {
    let lifecycle = Lifecycle::new(flags.connections()?);
    let listeners = process::bind_shared(flags.address()?, flags.workers_or_cores())?;
    let address = listeners.first().context("there is no worker")?.local_addr()?;
    let new = |listener| Worker::new(listener, flags.timeouts(), Arc::clone(&lifecycle));
    let workers: Vec<_> = listeners.into_iter().map(new).collect::<anyhow::Result<_>>()?;

    let bells: Vec<_> = workers.iter().map(Worker::bell).collect();
    let (draining, limit) = (Arc::clone(&lifecycle), flags.drain_timeout);
    process::on_signal(move || {
        draining.drain(limit);
        for bell in bells {
            // It cannot fail: nobody else writes to it.
            let _ = bell.wake();
        }
    })?;
    let start = |worker: Worker| {
        let thread = thread::Builder::new().name("worker".into());
        thread.spawn(move || worker.work()).context("cannot start a worker")
    };
    let threads: Vec<_> = workers.into_iter().map(start).collect::<anyhow::Result<_>>()?;
    process::announce(address)?;
    threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| anyhow!("a worker died"))?)
}
