//! The endpoint on actix-web.

mod handler;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::rt::System;
use actix_web::{App, HttpServer, web};
use anyhow::Context;
use clap::Parser;
use shared::process;

/// How long connections are still accepted once the drain has begun. Clients that are just connecting get an answer
/// that closes, instead of a reset.
const GRACE: Duration = Duration::from_millis(500);

/// The endpoint on actix-web
#[derive(Parser)]
#[command(name = "server-actix", version = process::version(env!("CARGO_PKG_VERSION"), &["actix-web", "tokio"]))]
struct Flags {
    #[command(flatten)]
    process: process::Flags,
}

fn main() -> ExitCode {
    process::exit(run(&Flags::parse().process))
}

fn run(flags: &process::Flags) -> anyhow::Result<()> {
    let workers = flags.workers_or_cores();
    let max_connections = flags.connections()?;
    let listener = process::bind(flags.address()?)?;
    let address = listener.local_addr()?;
    let draining = Arc::new(AtomicBool::new(false));

    let state = web::Data::from(Arc::clone(&draining));
    let app = move || App::new().app_data(state.clone()).default_service(web::to(handler::answer));
    let server = HttpServer::new(app)
        .workers(workers)
        // actix counts connections a worker.
        .max_connections(max_connections.div_ceil(workers))
        .keep_alive(flags.idle_timeout)
        .client_request_timeout(flags.head_timeout)
        .shutdown_timeout(flags.drain_timeout.as_secs().max(1))
        // actix takes SIGINT for a reason to drop everything.
        .disable_signals()
        .listen(listener)
        .context("cannot give the listener to actix")?;

    System::new().block_on(async {
        let server = server.run();
        let handle = server.handle();
        process::on_signal(move || {
            draining.store(true, Ordering::Relaxed);
            std::thread::sleep(GRACE);
            // The command is on its way; its outcome is that of `server`.
            drop(handle.stop(true));
        })?;
        process::announce(address)?;
        server.await.context("actix failed")
    })
}
