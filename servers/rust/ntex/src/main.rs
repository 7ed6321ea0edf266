//! The endpoint on ntex and its own runtime.

use std::future::poll_fn;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::task::Poll;
use std::time::Duration;

use anyhow::Context;
use ntex::SharedCfg;
use ntex::http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use ntex::http::{HttpServiceConfig, Method};
use ntex::rt::{DefaultRuntime, System};
use ntex::time::Seconds;
use ntex::web::{self, App, HttpRequest, HttpResponse, HttpServer};
use rustls::ServerConfig;
use shared::http::{greeting, limits};
use shared::process;
use shared::tls::TlsFlags;

/// Set once the main thread waits for messages of its workers. A worker that is ready before counts
/// as two: it gets twice the connections, and a drain waits for its second end, up to the limit.
static MAIN_IS_READY: OnceLock<()> = OnceLock::new();

fn main() -> ExitCode {
    shared::program!("ntex", "ntex-rt").run(run)
}

/// Serves until a signal, then drains.
fn run(TlsFlags(flags): &TlsFlags) -> anyhow::Result<()> {
    let max_connections = flags.connections()?;
    // ntex counts connections per worker: with more workers than connections, some have none.
    let workers = flags.workers_or_cores().min(max_connections);
    // ntex would panic without one of its workers, and accept nothing without its acceptor.
    process::check_threads(workers + 1)?;
    let listener = process::bind(&flags.addresses()?)?;
    let address = listener.local_addr().context("cannot read the address listened on")?;
    let http = HttpServiceConfig::new()
        .set_max_headers(limits::HEAD_FIELDS)
        // ntex rejects a head of exactly this length.
        .set_max_buf_size(limits::HEAD_BYTES + 1)
        .set_client_timeout(seconds(flags.head_timeout))
        .set_keepalive(seconds(flags.idle_timeout));
    let drain_timeout = seconds(flags.drain_timeout);
    // ntex agrees on HTTP/2 or HTTP/1.1, whatever protocols are named here.
    let tls = flags.tls.as_ref().map(|files| files.config(&[])).transpose()?;

    let flags = flags.clone();
    System::new("ntex", DefaultRuntime).block_on(async move {
        let server = HttpServer::new(async || {
            MAIN_IS_READY.wait();
            App::new().default_service(web::to(answer))
        })
        .workers(workers)
        .maxconn(max_connections / workers)
        .config(SharedCfg::new("ntex").add(http))
        .shutdown_timeout(drain_timeout)
        // At SIGINT ntex would drop requests that take longer than 0.3 s.
        .disable_signals();
        let server = match tls {
            Some(config) => server.listen_rustls(listener, ServerConfig::clone(&config)),
            None => server.listen(listener),
        };
        let mut server = server.context("cannot give the listener to ntex")?.run();
        // Runs after the tasks that `run` spawned, each of which has then checked its worker.
        ntex::rt::spawn(async { MAIN_IS_READY.set(()) }).detach();
        let handle = server.clone();
        // Polls the server's end once, before there can be a signal: a task that polls it for the
        // first time after a stop has begun is never woken.
        poll_fn(|context| Poll::Ready(Pin::new(&mut server).poll(context).is_ready())).await;
        // The end of the server is awaited below, not here.
        process::on_signal(move || drop(handle.stop(true)))?;
        process::announce(&flags, address)?;
        server.await.context("ntex failed")
    })
}

/// Answers a request with any path and method.
async fn answer(request: HttpRequest) -> HttpResponse {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return HttpResponse::MethodNotAllowed().header(ALLOW, "GET, HEAD").finish();
    }
    let path = request.path().as_bytes();
    let mut body = Vec::with_capacity(greeting::len(path));
    greeting::write(path, &mut body);
    HttpResponse::Ok().header(CONTENT_TYPE, HeaderValue::from_static(greeting::CONTENT_TYPE)).body(body)
}

/// Rounds a time up: ntex counts time in whole seconds, and 0 means no limit.
fn seconds(duration: Duration) -> Seconds {
    let rounded_up = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    Seconds(u16::try_from(rounded_up).unwrap_or(u16::MAX))
}
