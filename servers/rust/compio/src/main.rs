//! The endpoint on compio: a thread per core, each with an io_uring ring.

mod client;
mod deadline;
mod ring;
mod state;
mod worker;

use std::process::ExitCode;
use std::sync::{Arc, mpsc};

use anyhow::Context;
use shared::lifecycle::Lifecycle;
use shared::process::{self, Flag, FlagSet, Values, Workers};
use shared::tls::{Encryption, HTTP_1_1, TlsFiles};

use crate::state::WorkerState;

struct Flags {
    process: process::Flags,
    check: bool,
}

impl FlagSet for Flags {
    fn list() -> Vec<Flag> {
        let help = "Exit with 0 if the kernel allows this program a ring, else say why not";
        let check = Flag { name: "check", value: None, help, default: None };
        process::Flags::list().into_iter().chain(TlsFiles::flags()).chain([check]).collect()
    }

    fn read(values: &Values) -> anyhow::Result<Self> {
        Ok(Self { process: process::Flags::read(values)?, check: values.has("check") })
    }
}

fn main() -> ExitCode {
    shared::program!("compio")
        .run(|flags: &Flags| if flags.check { ring::check() } else { run(&flags.process) })
}

/// Serves until a signal, then drains.
fn run(flags: &process::Flags) -> anyhow::Result<()> {
    let lifecycle = Lifecycle::new(flags.connections()?);
    let (timeouts, encryption) = (flags.timeouts(), Encryption::new(flags, &[HTTP_1_1])?);
    let listeners = process::bind_shared_after_rings(&flags.addresses()?, flags.workers_or_cores())?;
    let address = listeners.first().context("there is no worker")?.local_addr()?;
    process::drain_on_signal(&lifecycle, flags.drain_timeout)?;
    let (count, (ready, started)) = (listeners.len(), mpsc::channel());
    let workers = Workers::start(listeners, move |listener| {
        let state = WorkerState::new(Arc::clone(&lifecycle), timeouts, encryption.clone());
        worker::run(listener, state, &ready)
    })?;
    // Fails if a worker has failed: connections to its socket would never be answered.
    started.iter().take(count).collect::<anyhow::Result<()>>()?;
    process::announce(flags, address)?;
    workers.join()
}
