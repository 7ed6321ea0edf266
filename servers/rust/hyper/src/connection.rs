//! A connection, from its first bytes to its end.

use std::future::poll_fn;
use std::net::TcpStream;
use std::sync::Arc;
use std::task::Poll;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use shared::lifecycle::ConnectionPermit;
use shared::process::Server;
use shared_tokio::{FilteredStream, Flush, TimedSocket};

use crate::http2;
use crate::service::Greeter;

/// Bytes of hyper's buffers, to read and to write. No head from a [`FilteredStream`] is longer.
const BUFFER_BYTES: usize = shared::http::limits::HEAD_BYTES;

/// Serves a connection to its end, with HTTP/2 if TLS agrees on it or `h2c` is set.
pub(crate) async fn serve(stream: TcpStream, permit: ConnectionPermit, server: Arc<Server>, h2c: bool) {
    let Ok(mut socket) = TimedSocket::new(stream, Arc::clone(&server)) else { return };
    // If the handshake fails, the client knows why or has disconnected.
    let Ok(agreed) = socket.agrees_on_http_2().await else { return };
    if agreed || h2c {
        // Boxed, so that an HTTP/1.1 connection does not take the memory of an HTTP/2 connection.
        Box::pin(http2::serve(socket, permit, server)).await;
    } else {
        serve_http_1(FilteredStream::new(socket, permit, Flush::WhenRead)).await;
    }
}

/// Serves an HTTP/1.1 connection. hyper keeps two buffers of 8 KiB for it, so hyper's connection
/// exists only while the client sends requests.
async fn serve_http_1(mut stream: FilteredStream) {
    loop {
        stream.readable().await;
        let is_over;
        (stream, is_over) = serve_while_busy(stream).await;
        if is_over {
            return stream.close().await;
        }
    }
}

/// Makes hyper serve a connection until it is over, or quiet; returns whether it is over.
async fn serve_while_busy(stream: FilteredStream) -> (FilteredStream, bool) {
    let counter = Arc::clone(stream.counter());
    let mut builder = http1::Builder::new();
    builder.half_close(true).max_buf_size(BUFFER_BYTES);
    let service = Greeter { counter: Arc::clone(&counter) };
    let mut connection = Box::new(builder.serve_connection(TokioIo::new(stream), service));
    // An error is the client's, and was answered. After it, or after a possible upgrade, hyper
    // itself would not shut the stream down. The caller does, since the shutdown sends kept
    // answers.
    let is_over = poll_fn(|context| match connection.poll_without_shutdown(context) {
        Poll::Ready(_) => Poll::Ready(true),
        Poll::Pending if counter.is_quiet() => Poll::Ready(false),
        Poll::Pending => Poll::Pending,
    });
    let is_over = is_over.await;
    (connection.into_parts().io.into_inner(), is_over)
}
