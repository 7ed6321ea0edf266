//! Serves HTTP/2 and TLS with axum-server, as axum's users do: `axum::serve` has no TLS.

use std::net::TcpListener;
use std::sync::Arc;

use anyhow::Context;
use axum_server::Handle;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use shared::http::limits::http2;
use shared::lifecycle::{Lifecycle, Stage};
use shared::process::{self, Flags};
use shared::tls::{HTTP_1_1, HTTP_2};

use crate::app;

/// Serves with TLS if the flags name a certificate, and otherwise HTTP/2 alone.
pub(crate) async fn serve(
    listener: TcpListener,
    flags: &Flags,
    lifecycle: Arc<Lifecycle>,
) -> anyhow::Result<()> {
    let config = flags.tls.as_ref().map(|files| files.config(&[HTTP_2, HTTP_1_1])).transpose()?;
    let address = listener.local_addr().context("cannot read the address listened on")?;
    let handle = Handle::new();
    let mut server =
        axum_server::from_tcp(listener).context("cannot give the listener to tokio")?.handle(handle.clone());
    server
        .http_builder()
        .http2()
        .max_concurrent_streams(http2::STREAMS)
        .max_header_list_size(http2::HEADER_LIST_BYTES)
        .initial_stream_window_size(http2::STREAM_WINDOW)
        .initial_connection_window_size(http2::CONNECTION_WINDOW)
        .max_pending_accept_reset_streams(http2::PENDING_RESETS);
    process::announce(flags, address)?;
    let app = app().into_make_service();
    let serving = async {
        match config {
            Some(config) => {
                let acceptor = RustlsAcceptor::new(RustlsConfig::from_config(config));
                server.acceptor(acceptor.handshake_timeout(flags.head_timeout)).serve(app).await
            }
            None => server.http2_only().serve(app).await,
        }
    };
    let draining = async {
        lifecycle.reached(Stage::Draining).await;
        handle.graceful_shutdown(None);
        lifecycle.reached(Stage::Over).await;
    };
    tokio::select! {
        served = serving => served.context("axum-server failed"),
        // axum-server would wait for its last client.
        () = draining => Ok(()),
    }
}
