#!/usr/bin/env bash
# ntex 3: a program that first awaits a server after the server's stop has begun waits for ever.
#
# `Server` is a future that ends with the server. Its first poll sends the manager a message that asks
# for a notification of the end. The manager reads no message while it stops the server, and none after
# that. The `Server` keeps the channel open, with the message in it: neither the answer nor the end of
# the channel ever comes (`handle_cmd` in src/manager.rs of ntex-server). A signal handler that calls
# `stop` between `run()` and the first `.await` leaves a process that no longer listens and never ends.
# If the program polls the server once before the stop, the server ends.
#
# Seen with ntex 3.12.3 (ntex-server 3.11.2): "awaited later: waits", "polled before: ended". Needs cargo,
# and no root. Exits with 1 when this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "stopped"
version = "0.0.0"
edition = "2024"

[dependencies]
ntex = { version = "=3.12.3", default-features = false, features = ["neon-polling"] }
TOML
cat >src/main.rs <<'RUST'
use std::future::poll_fn;
use std::net::TcpListener;
use std::pin::Pin;
use std::task::Poll;

use ntex::rt::{DefaultRuntime, System};
use ntex::time::{Millis, sleep, timeout};
use ntex::web::{self, App, HttpResponse, HttpServer};

/// Stops a server before it is awaited, but after one poll if `is_polled`. Returns whether it ends within
/// ten seconds: a stop takes a quarter of a second.
fn try_it(is_polled: bool) -> &'static str {
    System::new("stopped", DefaultRuntime).block_on(async move {
        let mut server = HttpServer::new(async || App::new().default_service(web::to(async || HttpResponse::Ok().finish())))
            .workers(1)
            .disable_signals()
            .listen(TcpListener::bind("127.0.0.1:0").unwrap())
            .unwrap()
            .run();
        // The worker is there, and known.
        sleep(Millis(500)).await;
        if is_polled {
            poll_fn(|context| Poll::Ready(Pin::new(&mut server).poll(context).is_ready())).await;
        }
        drop(server.stop(true));
        match timeout(Millis(10_000), server).await {
            Ok(_) => "ended",
            Err(()) => "waits",
        }
    })
}

/// Exits without waiting for the end of the server's threads.
fn main() {
    println!("{}", try_it(std::env::args().len() > 1));
    std::process::exit(0);
}
RUST

cargo build --quiet
program=$(cargo run --quiet --config 'target."cfg(all())".runner = "echo"')
{
    echo "awaited later: $(timeout 60 "$program")"
    echo "polled before: $(timeout 60 "$program" once)"
} >seen
cat seen
expected='awaited later: waits
polled before: ended'
if [ "$(cat seen)" != "$expected" ]; then
    echo "this has changed"
    exit 1
fi
echo "as described"
