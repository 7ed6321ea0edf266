//! How runtimes lie on cores: one for all, or one for each.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use clap::ValueEnum;
use shared::process::{self, Flags};
use shared_tokio::Stage;
use tokio::runtime::{Builder, Runtime};

use crate::serve::{Server, serve};

/// How tokio's runtimes lie on the cores.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Layout {
    /// One runtime whose threads share all connections
    Multi,
    /// A runtime a core with connections of its own, among which the kernel spreads them
    PerCore,
}

/// Serves until a signal, then drains.
pub(crate) fn run(layout: Layout, flags: &Flags) -> anyhow::Result<()> {
    let server = Arc::new(Server::start(flags.times(), flags.connections()?)?);
    let workers = flags.workers_or_cores();
    let address = flags.address()?;
    let listeners = match layout {
        Layout::Multi => vec![process::bind(address)?],
        Layout::PerCore => process::bind_shared(address, workers)?,
    };
    let address = listeners.first().context("there is no worker")?.local_addr()?;

    let life = Arc::clone(&server.life);
    let drain_timeout = flags.drain_timeout;
    process::on_signal(move || {
        let deadline = life.drain(drain_timeout);
        life.begin(Stage::Ending);
        std::thread::sleep(deadline.saturating_duration_since(Instant::now()));
        life.begin(Stage::Over);
    })?;
    match layout {
        Layout::Multi => {
            let runtime = Builder::new_multi_thread().worker_threads(workers).enable_io().build()?;
            process::announce(address)?;
            listeners.into_iter().try_for_each(|listener| serve_on(&runtime, listener, &server))
        }
        Layout::PerCore => {
            process::announce(address)?;
            serve_per_core(listeners, &server)
        }
    }
}

fn serve_per_core(listeners: Vec<TcpListener>, server: &Arc<Server>) -> anyhow::Result<()> {
    std::thread::scope(|scope| {
        let start = |listener| {
            scope.spawn(|| {
                let runtime =
                    Builder::new_current_thread().enable_io().build().context("cannot start tokio")?;
                serve_on(&runtime, listener, server)
            })
        };
        let threads: Vec<_> = listeners.into_iter().map(start).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|_| anyhow::bail!("a worker died")))
    })
}

fn serve_on(runtime: &Runtime, listener: TcpListener, server: &Arc<Server>) -> anyhow::Result<()> {
    runtime.block_on(serve(listener, server))
}
