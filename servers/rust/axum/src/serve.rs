//! The runtime, the listener, and the end.

use std::net::TcpListener;
use std::sync::Arc;

use anyhow::Context;
use shared::lifecycle::{Lifecycle, Stage};
use shared::process::{self, Flags};
use tokio::runtime::Builder;

use crate::app::app;

/// Serves until a signal, then drains.
pub(crate) fn run(flags: &Flags) -> anyhow::Result<()> {
    // axum does not count connections; this makes the descriptors for them available.
    let lifecycle = Lifecycle::new(flags.connections()?);
    let listener = process::bind(&flags.addresses()?)?;
    let workers = flags.workers_or_cores();
    // tokio would serve with fewer of them, and panic without any.
    process::check_threads(workers)?;
    let runtime = Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .context("cannot start tokio")?;
    process::drain_on_signal(&lifecycle, flags.drain_timeout)?;
    let served = runtime.block_on(serve(listener, lifecycle));
    // A drop would wait for workers that are busy with connections that are cut.
    runtime.shutdown_background();
    served
}

async fn serve(listener: TcpListener, lifecycle: Arc<Lifecycle>) -> anyhow::Result<()> {
    let address = listener.local_addr().context("cannot read the address listened on")?;
    listener.set_nonblocking(true).context("cannot make the listener non-blocking")?;
    let listener =
        tokio::net::TcpListener::from_std(listener).context("cannot give the listener to tokio")?;
    process::announce(address)?;
    let draining = Arc::clone(&lifecycle);
    let server = axum::serve(listener, app())
        .with_graceful_shutdown(async move { draining.reached(Stage::Draining).await });
    tokio::select! {
        served = server => served.context("axum failed"),
        // axum itself would wait for its last client.
        () = lifecycle.reached(Stage::Over) => Ok(()),
    }
}
