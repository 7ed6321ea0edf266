//! The endpoint on actix-web.

mod app;
mod drain;

use std::future::poll_fn;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::task::Poll;

use actix_web::rt::{self, System};
use anyhow::Context;
use shared::lifecycle::Stage;
use shared::process::{self, Server};
use shared::tls::{HTTP_1_1, TlsFlags};

fn main() -> ExitCode {
    shared::program!("actix-web", "tokio").run(run)
}

fn run(TlsFlags(flags): &TlsFlags) -> anyhow::Result<()> {
    let max_connections = flags.connections()?;
    // actix counts connections per worker: with more workers than connections, some have none.
    let workers = flags.workers_or_cores().min(max_connections);
    let listener = process::bind(&flags.addresses()?)?;
    let address = listener.local_addr()?;
    let waiting = listener.try_clone().context("cannot duplicate the listener")?;
    let server = Server::start(max_connections, flags, &[HTTP_1_1])?;
    // actix would panic without one of its workers or the thread that accepts.
    process::check_threads(workers + 1)?;

    let app_server = Arc::clone(&server);
    let actix = actix_server::Server::build()
        .workers(workers)
        .max_concurrent_connections(max_connections / workers)
        // At SIGINT actix would close connections before their answers.
        .disable_signals()
        .listen("actix", listener, move || app::service(&app_server))
        .context("cannot give the listener to actix")?;

    System::new().block_on(async {
        let mut actix = actix.run();
        let handle = actix.handle();
        process::drain_on_signal(&server.lifecycle, flags.drain_timeout)?;
        // The first poll starts actix's threads: a server that is announced has workers.
        if let Poll::Ready(ended) = poll_fn(|context| Poll::Ready(pin!(&mut actix).poll(context))).await {
            return ended.context("cannot start actix");
        }
        process::announce(flags, address)?;
        tokio::select! {
            ended = &mut actix => return ended.context("actix failed"),
            () = server.lifecycle.reached(Stage::Ending) => {}
        }
        // actix follows the commands of the drain, and ends when its workers end. That may be long
        // before or after its connections end, and nothing depends on the result.
        rt::spawn(actix);
        drain::drain(handle, &server, waiting).await;
        Ok(())
    })
}
