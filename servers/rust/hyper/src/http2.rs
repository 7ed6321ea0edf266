//! An HTTP/2 connection, from its preface to its end.

use std::pin::pin;
use std::sync::Arc;

use hyper::server::conn::http2::Builder;
use hyper_util::rt::{TokioExecutor, TokioIo};
use shared::http::limits::http2;
use shared::lifecycle::{ConnectionPermit, Stage};
use shared::process::Server;
use shared_tokio::{OpenBodies, TimedSocket, TimedStream};

use crate::service::Http2Greeter;

/// Bytes of unread answers that hyper keeps per stream.
const SEND_BYTES: usize = 16 * 1024;

/// Serves a connection to its end. In a drain, it ends once the client knows that its further
/// requests are not answered, and has all earlier answers.
pub(crate) async fn serve(socket: TimedSocket, permit: ConnectionPermit, server: Arc<Server>) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .max_concurrent_streams(http2::STREAMS)
        .max_header_list_size(http2::HEADER_LIST_BYTES)
        .initial_stream_window_size(http2::STREAM_WINDOW)
        .initial_connection_window_size(http2::CONNECTION_WINDOW)
        .max_pending_accept_reset_streams(http2::PENDING_RESETS)
        .max_send_buf_size(SEND_BYTES);
    let bodies = OpenBodies::default();
    let stream = TokioIo::new(TimedStream::new(socket, bodies.clone()));
    let mut connection = pin!(builder.serve_connection(stream, Http2Greeter { bodies }));
    tokio::select! {
        // The client has caused an error, and knows it or has disconnected.
        _ = connection.as_mut() => return drop(permit),
        () = server.lifecycle.reached(Stage::Draining) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
    drop(permit);
}
