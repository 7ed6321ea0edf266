//! The endpoint on compio: a thread per core, each with an io_uring ring.

mod client;
mod deadline;
mod ring;
mod state;
mod worker;

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use shared::lifecycle::Lifecycle;
use shared::process::{self, Flag, FlagSet, Values, Workers};

/// How long a port may be in use at the start. Killed processes kept theirs for milliseconds.
const PORT_TIMEOUT: Duration = Duration::from_secs(1);

/// The time between two attempts to bind it.
const RETRY_AFTER: Duration = Duration::from_millis(10);

struct Flags {
    process: process::Flags,
    check: bool,
}

impl FlagSet for Flags {
    fn list() -> Vec<Flag> {
        let help = "Exit with 0 if the kernel allows this program a ring, else say why not";
        let check = Flag { name: "check", value: None, help, default: None };
        process::Flags::list().into_iter().chain([check]).collect()
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
    let timeouts = flags.timeouts();
    let listeners = bind(&flags.addresses()?, flags.workers_or_cores())?;
    let address = listeners.first().context("there is no worker")?.local_addr()?;
    process::drain_on_signal(&lifecycle, flags.drain_timeout)?;
    let (count, (ready, started)) = (listeners.len(), mpsc::channel());
    let workers = Workers::start(listeners, move |listener| {
        worker::run(listener, Arc::clone(&lifecycle), timeouts, &ready)
    })?;
    // Connections to the socket of a worker that failed would never be answered.
    started.iter().take(count).collect::<anyhow::Result<()>>()?;
    process::announce(address)?;
    workers.join()
}

/// A listening socket for each worker. The kernel tears the rings of a killed process down a moment
/// after it, and the port is in use until then: so binding is retried before that is an error.
fn bind(addresses: &[SocketAddr], workers: usize) -> anyhow::Result<Vec<TcpListener>> {
    let began = Instant::now();
    let is_in_use = |error: &anyhow::Error| {
        error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::AddrInUse)
    };
    loop {
        match process::bind_shared(addresses, workers) {
            Err(error) if is_in_use(&error) && began.elapsed() < PORT_TIMEOUT => thread::sleep(RETRY_AFTER),
            listeners => return listeners,
        }
    }
}
