//! A connection of HTTP/2, from its preface to its end.

use std::pin::pin;
use std::sync::Arc;

use hyper::server::conn::http2::Builder;
use hyper_util::rt::{TokioExecutor, TokioIo};
use shared::http::limits::http2;
use shared::lifecycle::{ConnectionPermit, Stage};
use shared::process::Server;
use shared_tokio::{OpenBodies, TimedSocket, TimedStream};

use crate::service::Http2Greeter;

/// Bytes that hyper keeps of answers which a client does not read, of a stream.
const SEND_BYTES: usize = 16 * 1024;

/// Serves a connection to its end: in a drain, once the client knows that its further requests are
/// not answered, and has all the answers before.
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
        // An error is the client's, which knows it or has gone.
        _ = connection.as_mut() => return drop(permit),
        () = server.lifecycle.reached(Stage::Draining) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
    drop(permit);
}
