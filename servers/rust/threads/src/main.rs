//! The endpoint on a pool of blocking threads: the standard library's sockets and threads.

mod client;
mod parking;
mod pool;

use std::process::ExitCode;
use std::sync::Arc;

use shared::lifecycle::Lifecycle;
use shared::process::{self, Accepted};
use shared::tls::{Encryption, HTTP_1_1, TlsFlags};

use crate::client::Client;
use crate::parking::Parking;
use crate::pool::Pool;

/// The number of threads without `--workers`. A busy connection occupies a thread, so there should
/// be as many threads as busy connections; a hundred sleeping threads cost a megabyte. One is
/// started at once, and the others only when they are needed.
const WORKERS: usize = 128;

fn main() -> ExitCode {
    shared::program!("std", "httparse").run(run)
}

fn run(TlsFlags(flags): &TlsFlags) -> anyhow::Result<()> {
    let timeouts = flags.timeouts();
    let encryption = Encryption::new(flags, &[HTTP_1_1])?;
    let lifecycle = Lifecycle::new(flags.connections()?);
    let listener = process::bind(&flags.addresses()?)?;
    let pool = Pool::start(flags.workers.unwrap_or(WORKERS), timeouts, Arc::clone(&lifecycle))?;
    pool.park_in(Parking::start(&pool, &lifecycle)?);
    process::serve(listener, &lifecycle, flags, |stream, permit| {
        let Ok(session) = encryption.session() else { return };
        if let Some(accepted) = Accepted::begin(stream, session, permit, &timeouts) {
            pool.push(Client::new(accepted));
        }
    })
}
