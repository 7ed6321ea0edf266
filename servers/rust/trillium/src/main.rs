//! The endpoint on trillium and smol.

use std::pin::pin;
use std::process::ExitCode;

use anyhow::Context;
use shared::http::{greeting, limits};
use shared::lifecycle::{Lifecycle, Stage};
use shared::process::{self, Flags};
use trillium::{Conn, HttpConfig, KnownHeaderName, Method, Status};
use trillium_smol::async_global_executor::{self, GlobalExecutorConfig};
use trillium_smol::async_net;

fn main() -> ExitCode {
    shared::program!("trillium", "trillium-http", "trillium-smol").run(run)
}

/// Serves until a signal, then drains.
fn run(flags: &Flags) -> anyhow::Result<()> {
    let max_connections = flags.connections()?;
    let lifecycle = Lifecycle::new(max_connections);
    let listener = process::bind(&flags.addresses()?)?;
    let address = listener.local_addr().context("cannot read the address listened on")?;
    let workers = flags.workers_or_cores();
    // smol would panic without one of its workers or the thread of its reactor.
    process::check_threads(workers + 1)?;
    let threads = GlobalExecutorConfig::default().with_min_threads(workers).with_max_threads(workers);
    async_global_executor::init_with_config(threads);
    process::drain_on_signal(&lifecycle, flags.drain_timeout)?;

    let listener = async_net::TcpListener::try_from(listener).context("cannot give the listener to smol")?;
    let server = trillium_smol::config()
        .with_prebound_server(listener)
        .with_max_connections(Some(max_connections))
        .with_http_config(HttpConfig::default().with_head_max_len(limits::HEAD_BYTES))
        // Otherwise, trillium would turn off `TCP_NODELAY`, which connections have inherited.
        .with_nodelay()
        .without_signals();
    let handle = server.handle();
    process::announce(flags, address)?;
    async_global_executor::block_on(async {
        let served = pin!(server.run_async(answer));
        let ended = pin!(async {
            lifecycle.reached(Stage::Draining).await;
            // `served` completes the shutdown, so it is not awaited here.
            drop(handle.shut_down());
            lifecycle.reached(Stage::Over).await;
        });
        // trillium itself would wait for its last client.
        futures_lite::future::or(served, ended).await;
    });
    Ok(())
}

/// Answers a request with any path and method.
async fn answer(conn: Conn) -> Conn {
    if !matches!(conn.method(), Method::Get | Method::Head) {
        return conn
            .with_response_header(KnownHeaderName::Allow, "GET, HEAD")
            .with_status(Status::MethodNotAllowed)
            .halt();
    }
    let path = conn.path().as_bytes();
    let mut body = Vec::with_capacity(greeting::len(path));
    greeting::write(path, &mut body);
    conn.with_response_header(KnownHeaderName::ContentType, greeting::CONTENT_TYPE).ok(body)
}
