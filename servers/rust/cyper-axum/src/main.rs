//! The endpoint on axum's router, served by cyper-axum on compio: a thread per core, each with an
//! io_uring ring. The router and its handler are the same as in the server `axum`.

use std::net::TcpListener;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};

use anyhow::Context;
use axum::Router;
use axum::http::Uri;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use compio::driver::ProactorBuilder;
use compio::runtime::Runtime;
use futures_util::future::{Either, select};
use shared::http::greeting;
use shared::lifecycle::{Lifecycle, Stage};
use shared::process::{self, Flag, FlagSet, Values, Workers};

struct Flags {
    process: process::Flags,
    check: bool,
}

impl FlagSet for Flags {
    fn list() -> Vec<Flag> {
        let help = "Exit with 0 if the kernel allows this program a ring, else say why not";
        let check = Flag { name: "check", value: None, help, default: None };
        process::Flags::list().into_iter().chain([check]).collect()
    }

    fn read(values: &Values) -> anyhow::Result<Self> {
        Ok(Self { process: process::Flags::read(values)?, check: values.has("check") })
    }
}

fn main() -> ExitCode {
    shared::program!("cyper-axum", "axum", "hyper", "compio")
        .run(|flags: &Flags| if flags.check { ring().map(drop) } else { run(&flags.process) })
}

/// Serves until a signal, then drains.
fn run(flags: &process::Flags) -> anyhow::Result<()> {
    // cyper-axum does not count connections; this makes the descriptors for them available.
    let lifecycle = Lifecycle::new(flags.connections()?);
    let listeners = process::bind_shared_after_rings(&flags.addresses()?, flags.workers_or_cores())?;
    let address = listeners.first().context("there is no worker")?.local_addr()?;
    process::drain_on_signal(&lifecycle, flags.drain_timeout)?;
    let (count, (ready, started)) = (listeners.len(), mpsc::channel());
    let workers = Workers::start(listeners, move |listener| work(listener, &lifecycle, &ready))?;
    // Fails if a worker has failed: connections to its socket would never be answered.
    started.iter().take(count).collect::<anyhow::Result<()>>()?;
    process::announce(flags, address)?;
    workers.join()
}

/// Serves on this thread until the server is over. First sends whether it has a ring, or why not.
fn work(
    listener: TcpListener,
    lifecycle: &Arc<Lifecycle>,
    ready: &Sender<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let (ring, outcome) = match ring() {
        Ok(ring) => (Some(ring), Ok(())),
        Err(error) => (None, Err(error)),
    };
    // The receiver is dropped only when the program ends.
    let _ = ready.send(outcome);
    let Some(ring) = ring else { return Ok(()) };
    ring.block_on(serve(listener, Arc::clone(lifecycle)))
}

/// Makes a runtime for this thread, with its own ring. Fails when the kernel refuses a ring.
fn ring() -> anyhow::Result<Runtime> {
    let mut driver = ProactorBuilder::new();
    // A busy thread is not interrupted for completions: it checks for them soon enough.
    driver.coop_taskrun(true).taskrun_flag(true);
    Runtime::builder().with_proactor(driver).build().context(
        "no io_uring here (Linux before 5.19, sysctl kernel.io_uring_disabled, or a seccomp filter such as containers have)",
    )
}

async fn serve(listener: TcpListener, lifecycle: Arc<Lifecycle>) -> anyhow::Result<()> {
    let listener =
        compio::net::TcpListener::from_std(listener).context("cannot give the listener to compio")?;
    // Every path has one handler. axum itself answers methods other than GET and HEAD with 405.
    let app = Router::new().fallback(get(greet));
    let draining = Arc::clone(&lifecycle);
    let server = cyper_axum::serve(listener, app.into_make_service())
        .with_graceful_shutdown(async move { draining.reached(Stage::Draining).await });
    // cyper-axum itself would wait for its last client.
    match select(server.into_future(), pin!(lifecycle.reached(Stage::Over))).await {
        Either::Left((served, _)) => served.context("cyper-axum failed"),
        Either::Right(_) => Ok(()),
    }
}

async fn greet(uri: Uri) -> impl IntoResponse {
    let path = uri.path().as_bytes();
    let mut body = Vec::with_capacity(greeting::len(path));
    greeting::write(path, &mut body);
    ([(CONTENT_TYPE, greeting::CONTENT_TYPE)], body)
}
