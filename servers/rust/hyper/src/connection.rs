//! The life of a connection.

use std::future::poll_fn;
use std::net::TcpStream;
use std::sync::Arc;
use std::task::Poll;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use shared::http::Timeouts;
use shared_tokio::{FilteredStream, Flush, Lifecycle};

use crate::service::Greeter;

/// Bytes that hyper buffers, to read and to write. No head that comes through [`FilteredStream`] is longer.
const BUFFER_BYTES: usize = shared::http::limits::HEAD_BYTES;

/// Serves a connection to its end. hyper keeps two buffers of 8 KiB for it, so it is there only as long as the client has
/// something to ask.
pub(crate) async fn serve(stream: TcpStream, times: Timeouts, lifecycle: Arc<Lifecycle>) {
    let mut stream = FilteredStream::new(stream, times, &lifecycle, Flush::WhenRead);
    loop {
        stream.until_used().await;
        let is_over;
        (stream, is_over) = serve_while_busy(stream).await;
        if is_over {
            return stream.close().await;
        }
    }
}

/// Has hyper serve a connection until it is over, or quiet; says whether it is over.
async fn serve_while_busy(stream: FilteredStream) -> (FilteredStream, bool) {
    let counter = Arc::clone(stream.counter());
    let mut builder = http1::Builder::new();
    builder.half_close(true).max_buf_size(BUFFER_BYTES);
    let service = Greeter::new(Arc::clone(&counter));
    let mut connection = Box::new(builder.serve_connection(TokioIo::new(stream), service));
    // An error is the client's, and was answered. hyper itself would then not shut the stream down, nor after what could
    // have become another protocol; but it is there that answers are sent which were kept back.
    let is_over = poll_fn(|context| match connection.poll_without_shutdown(context) {
        Poll::Ready(_) => Poll::Ready(true),
        Poll::Pending if counter.is_quiet() => Poll::Ready(false),
        Poll::Pending => Poll::Pending,
    });
    let is_over = is_over.await;
    (connection.into_parts().io.into_inner(), is_over)
}
