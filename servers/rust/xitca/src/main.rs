//! The endpoint on xitca-web: a thread per core, each with an event loop of tokio's.

use std::process::ExitCode;
use std::sync::{Arc, mpsc};

use anyhow::Context;
use shared::http::{greeting, limits};
use shared::lifecycle::{Lifecycle, Stage};
use shared::process::{self, Flags};
use xitca_web::App;
use xitca_web::handler::handler_service;
use xitca_web::handler::uri::UriRef;
use xitca_web::http::header::{CONTENT_TYPE, HeaderValue};
use xitca_web::http::{Method, WebResponse};
use xitca_web::route::Route;

/// The threads that accept, wait for the server, and start the workers.
const OTHER_THREADS: usize = 3;

fn main() -> ExitCode {
    shared::program!("xitca-web", "xitca-http", "tokio").run(run)
}

/// Serves until a signal, then drains.
fn run(flags: &Flags) -> anyhow::Result<()> {
    // xitca does not count connections; this makes the descriptors for them available.
    let lifecycle = Lifecycle::new(flags.connections()?);
    let listener = process::bind(&flags.addresses()?)?;
    let address = listener.local_addr().context("cannot read the address listened on")?;
    let workers = flags.workers_or_cores();
    // xitca would panic without one of its workers.
    process::check_threads(workers + OTHER_THREADS)?;
    let mut server = App::new()
        .at("/", Route::new([Method::GET, Method::HEAD]).route(handler_service(greet)))
        .at("/{*path}", Route::new([Method::GET, Method::HEAD]).route(handler_service(greet)))
        .serve()
        .max_request_headers::<{ limits::HEAD_FIELDS }>()
        .max_read_buf_size::<{ limits::HEAD_BYTES }>()
        .request_head_timeout(flags.head_timeout)
        .keep_alive_timeout(flags.idle_timeout)
        .worker_threads(workers)
        // At SIGINT, xitca would drop everything.
        .disable_signal()
        .listen(listener)
        .context("cannot give the listener to xitca")?
        .run();
    let handle = server.handle().context("cannot start xitca")?;

    let (ended, end) = mpsc::channel();
    let (stage, is_over) = (Arc::clone(&lifecycle), ended.clone());
    lifecycle.on_change(move || match stage.stage() {
        Stage::Draining => handle.stop(true),
        // xitca itself would wait for its last client, for up to 30 s. The receiver may be gone.
        Stage::Over => drop(is_over.send(Ok(()))),
        Stage::Serving | Stage::Ending => {}
    });
    process::drain_on_signal(&lifecycle, flags.drain_timeout)?;
    process::start_thread("server", move || {
        // The receiver may be gone.
        let _ = ended.send(server.wait().context("xitca failed"));
    })?;
    process::announce(flags, address)?;
    end.recv().context("the server has panicked")?
}

/// Answers GET and HEAD of any path. xitca itself answers other methods with 405.
async fn greet(UriRef(uri): UriRef<'_>) -> WebResponse {
    let path = uri.path().as_bytes();
    let mut body = Vec::with_capacity(greeting::len(path));
    greeting::write(path, &mut body);
    let mut response = WebResponse::new(body.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(greeting::CONTENT_TYPE));
    response
}
