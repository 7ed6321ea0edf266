//! The endpoint on actix-web.

mod app;
mod drain;
mod handler;

use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;

use actix_server::Server;
use actix_web::rt::System;
use anyhow::Context;
use clap::Parser;
use shared::process;
use shared_tokio::Lifecycle;
use tokio::sync::oneshot;

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
    let max_connections = flags.connections()?;
    // actix counts connections a worker, so with fewer connections than workers some could have none.
    let workers = flags.workers_or_cores().min(max_connections);
    let listener = process::bind(flags.address()?)?;
    let address = listener.local_addr()?;
    let waiting = listener.try_clone().context("cannot duplicate the listener")?;
    let lifecycle = Lifecycle::start()?;
    let times = flags.timeouts();

    let app_life = Arc::clone(&lifecycle);
    let server = Server::build()
        .workers(workers)
        .max_concurrent_connections(max_connections / workers)
        // actix takes SIGINT for a reason to drop everything.
        .disable_signals()
        .listen("actix", listener, move || app::service(times, &app_life))
        .context("cannot give the listener to actix")?;

    System::new().block_on(async {
        let server = server.run();
        let handle = server.handle();
        let (draining, drained) = oneshot::channel();
        let drain_timeout = flags.drain_timeout;
        let signalled = Arc::clone(&lifecycle);
        process::on_signal(move || {
            // The receiver lives as long as the process.
            let _ = draining.send(signalled.drain(drain_timeout));
        })?;
        process::announce(address)?;
        let mut server = pin!(server);
        let deadline = tokio::select! {
            ended = &mut server => return ended.context("actix failed"),
            deadline = drained => deadline.context("the thread for signals has ended")?,
        };
        let service = app::service(times, &lifecycle);
        tokio::select! {
            // It ends when its workers have, which may be long before or after its connections.
            Err(error) = &mut server => Err(error).context("actix failed"),
            drained = drain::drain(handle, &lifecycle, deadline, waiting, service) => drained,
        }
    })
}
