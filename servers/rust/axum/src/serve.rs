//! The runtime, the listener, and the end.

use std::net::TcpListener;
use std::time::Duration;

use anyhow::Context;
use shared::process::{self, Flags};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use crate::app::app;

/// Serves until a signal, then drains.
pub(crate) fn run(flags: &Flags) -> anyhow::Result<()> {
    // axum does not count connections; this makes the descriptors for them available.
    flags.connections()?;
    let listener = process::bind(flags.address()?)?;
    let runtime = Builder::new_multi_thread()
        .worker_threads(flags.workers_or_cores())
        .enable_all()
        .build()
        .context("cannot start tokio")?;
    let served = runtime.block_on(serve(listener, flags.drain_timeout));
    // Else it would wait for workers that are busy with what is cut.
    runtime.shutdown_background();
    served
}

async fn serve(listener: TcpListener, drain_timeout: Duration) -> anyhow::Result<()> {
    let address = listener.local_addr().context("cannot read the address listened on")?;
    listener.set_nonblocking(true).context("cannot make the listener non-blocking")?;
    let listener =
        tokio::net::TcpListener::from_std(listener).context("cannot give the listener to tokio")?;

    let (drain, draining) = oneshot::channel::<()>();
    let (end, over) = oneshot::channel::<()>();
    process::on_signal(move || {
        // A receiver that is gone has seen the server end.
        let _ = drain.send(());
        std::thread::sleep(drain_timeout);
        let _ = end.send(());
    })?;
    process::announce(address)?;

    let server = axum::serve(listener, app()).with_graceful_shutdown(async {
        // The thread for signals lives as long as the process.
        let _ = draining.await;
    });
    tokio::select! {
        served = server => served.context("axum failed"),
        // axum itself would wait for its last client.
        _ = over => Ok(()),
    }
}
