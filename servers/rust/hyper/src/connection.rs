//! The life of a connection.

use std::future::poll_fn;
use std::net::TcpStream;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use shared::http::Times;
use shared_tokio::{Flush, Guarded, Life};

use crate::service::Greeter;

/// Bytes that hyper buffers, to read and to write. No head that comes through [`Guarded`] is longer.
const BUFFER_BYTES: usize = shared::http::limits::HEAD_BYTES;

/// Serves a connection to its end.
pub(crate) async fn serve(stream: TcpStream, times: Times, life: Arc<Life>) {
    let stream = Guarded::new(stream, times, &life, Flush::WhenRead);
    let service = Greeter::new(Arc::clone(stream.ledger()));
    let mut builder = http1::Builder::new();
    builder.half_close(true).max_buf_size(BUFFER_BYTES);
    let mut connection = builder.serve_connection(TokioIo::new(stream), service);
    // An error is the client's, and was answered. hyper itself would then not shut the stream down, nor after what could
    // have become another protocol; but it is there that answers are sent which were kept back.
    let _ = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    connection.into_parts().io.into_inner().close().await;
}
