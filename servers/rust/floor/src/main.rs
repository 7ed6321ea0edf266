//! Not a server: it shows the least cost of answering a request on this kernel, for comparison.
//!
//! It waits, reads and writes as every server has to, and does nothing else per request. It parses
//! a connection's first head, assumes that all further requests are the same, and counts their
//! bytes.

mod canned_response;
mod connection;
mod worker;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use nix::sys::eventfd::EventFd;
use shared::lifecycle::Lifecycle;
use shared::process::{self, Flags, Workers};

use crate::worker::Worker;

fn main() -> ExitCode {
    shared::program!("std").run(run)
}

fn run(flags: &Flags) -> anyhow::Result<()> {
    let lifecycle = Lifecycle::new(flags.connections()?);
    let listeners = process::bind_shared(&flags.addresses()?, flags.workers_or_cores())?;
    let address = listeners.first().context("there is no worker")?.local_addr()?;
    let ended = Arc::new(EventFd::new().context("cannot make an eventfd")?);
    let new = |listener| Worker::new(listener, Arc::clone(&lifecycle), &ended);
    let workers: Vec<_> = listeners.into_iter().map(new).collect::<anyhow::Result<_>>()?;
    let end = Arc::clone(&ended);
    lifecycle.on_change(move || {
        // It cannot fail: nothing else writes to the eventfd.
        let _ = end.write(1);
    });
    // This server does not drain: it ends at once.
    process::drain_on_signal(&lifecycle, Duration::ZERO)?;
    let workers = Workers::start(workers, Worker::work)?;
    process::announce(flags, address)?;
    workers.join()
}
