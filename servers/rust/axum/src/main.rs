//! The endpoint on axum as its users write it.

mod with_axum_server;

use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::http::Uri;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use shared::http::greeting;
use shared::lifecycle::{Lifecycle, Stage};
use shared::process::{self, Flags};
use shared::tls::{Http2Flags, TlsFlags};
use tokio::runtime::Builder;

fn main() -> ExitCode {
    shared::program!("axum", "hyper", "tokio").run(run)
}

/// Serves until a signal, then drains.
fn run(flags: &Http2Flags<TlsFlags>) -> anyhow::Result<()> {
    let Http2Flags { flags: TlsFlags(flags), h2c } = flags;
    // axum does not count connections; this makes the descriptors for them available.
    let lifecycle = Lifecycle::new(flags.connections()?);
    let listener = process::bind(&flags.addresses()?)?;
    let workers = flags.workers_or_cores();
    // Without all of them, tokio would serve with fewer, or panic if there were none.
    process::check_threads(workers)?;
    let runtime = Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .context("cannot start tokio")?;
    process::drain_on_signal(&lifecycle, flags.drain_timeout)?;
    let served = runtime.block_on(async {
        if *h2c || flags.tls.is_some() {
            with_axum_server::serve(listener, flags, lifecycle).await
        } else {
            serve(listener, flags, lifecycle).await
        }
    });
    // Dropping the runtime would wait for workers that are busy with connections that are cut.
    runtime.shutdown_background();
    served
}

async fn serve(listener: TcpListener, flags: &Flags, lifecycle: Arc<Lifecycle>) -> anyhow::Result<()> {
    let address = listener.local_addr().context("cannot read the address listened on")?;
    listener.set_nonblocking(true).context("cannot make the listener non-blocking")?;
    let listener =
        tokio::net::TcpListener::from_std(listener).context("cannot give the listener to tokio")?;
    process::announce(flags, address)?;
    let draining = Arc::clone(&lifecycle);
    let server = axum::serve(listener, app())
        .with_graceful_shutdown(async move { draining.reached(Stage::Draining).await });
    tokio::select! {
        served = server => served.context("axum failed"),
        // axum itself would wait for its last client.
        () = lifecycle.reached(Stage::Over) => Ok(()),
    }
}

/// Every path has one handler. axum itself answers methods other than GET and HEAD with 405.
fn app() -> Router {
    Router::new().fallback(get(greet))
}

async fn greet(uri: Uri) -> impl IntoResponse {
    let path = uri.path().as_bytes();
    let mut body = Vec::with_capacity(greeting::len(path));
    greeting::write(path, &mut body);
    ([(CONTENT_TYPE, greeting::CONTENT_TYPE)], body)
}
