//! The endpoint on an event loop of our own: a thread per core, each with an epoll instance.

mod worker;

use std::process::ExitCode;

use anyhow::Context;
use shared::lifecycle::Lifecycle;
use shared::process::{self, Workers};
use shared::tls::{Encryption, HTTP_1_1, TlsFlags};

use crate::worker::Worker;

fn main() -> ExitCode {
    shared::program!("mio", "httparse").run(run)
}

fn run(TlsFlags(flags): &TlsFlags) -> anyhow::Result<()> {
    let encryption = Encryption::new(flags, &[HTTP_1_1])?;
    let lifecycle = Lifecycle::new(flags.connections()?);
    let listeners = process::bind_shared(&flags.addresses()?, flags.workers_or_cores())?;
    let address = listeners.first().context("there is no worker")?.local_addr()?;
    let new = |listener| Worker::new(listener, flags.timeouts(), &encryption, &lifecycle);
    let workers: Vec<_> = listeners.into_iter().map(new).collect::<anyhow::Result<_>>()?;
    process::drain_on_signal(&lifecycle, flags.drain_timeout)?;
    let workers = Workers::start(workers, Worker::work)?;
    process::announce(flags, address)?;
    workers.join()
}
