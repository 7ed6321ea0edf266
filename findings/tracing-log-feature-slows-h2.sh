#!/usr/bin/env bash
# A crate that asks for the feature `log` of tracing makes h2 execute a tenth more instructions per request, though no log
# is written.
#
# h2 marks its work with spans and events of tracing, which cost next to nothing if no subscriber is set. With the feature
# `log` and no subscriber, tracing passes them to the crate log, and asks for each one whether a logger wants it. Cargo
# unifies features: it is enough that any other crate of the build asks for `log`, as actix-http does. A program without a
# subscriber and without a logger, in which no line has changed, then executes some 12 % more instructions for the same
# HTTP/2 requests. A program that is built with `--workspace`, or with several `--package`, has the features of the other
# packages too, so two builds of one lock file differ.
#
# Seen with h2 0.4.20, tracing 0.1.44, log 0.4.35 and tokio 1.54.1 on x86-64: 1.12 times the instructions. Needs cargo and
# valgrind, which counts the instructions, and no root. Exits with 1 when the ratio is below 1.03.
set -euo pipefail
command -v valgrind >/dev/null || { echo "valgrind is missing: apt-get install valgrind" >&2; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export CARGO_TARGET_DIR=$folder/target CARGO_TERM_COLOR=never

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "requests"
edition = "2024"

[features]
# The feature that another crate of the build would ask for.
asked-elsewhere = ["tracing/log"]

[dependencies]
bytes = "=1.12.2"
h2 = "=0.4.20"
http = "=1.5.0"
log = "=0.4.35"
tokio = { version = "=1.54.1", features = ["io-util", "rt"] }
tracing = { version = "=0.1.44", default-features = false, features = ["std"] }

[profile.release]
codegen-units = 1
lto = "fat"

[workspace]
TOML
# An HTTP/2 client and server in one thread, connected in memory, so that each run executes the same instructions.
cat >src/main.rs <<'RUST'
use bytes::Bytes;
use http::{Request, Response};

async fn serve(stream: tokio::io::DuplexStream) {
    let mut connection = h2::server::handshake(stream).await.unwrap();
    while let Some(request) = connection.accept().await {
        let (_, mut respond) = request.unwrap();
        let mut body = respond.send_response(Response::new(()), false).unwrap();
        body.send_data(Bytes::from_static(b"hello"), true).unwrap();
    }
}

async fn ask(stream: tokio::io::DuplexStream, requests: u32) {
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    let driven = tokio::spawn(connection);
    for _ in 0..requests {
        client = client.ready().await.unwrap();
        let request = Request::get("http://localhost/abc").body(()).unwrap();
        let (response, _) = client.send_request(request, true).unwrap();
        let mut body = response.await.unwrap().into_body();
        while let Some(data) = body.data().await {
            body.flow_control().release_capacity(data.unwrap().len()).unwrap();
        }
    }
    drop(client);
    driven.await.unwrap().unwrap();
}

fn main() {
    let requests = std::env::args().nth(1).unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (client, server) = tokio::io::duplex(1 << 16);
        let served = tokio::spawn(serve(server));
        ask(client, requests).await;
        served.await.unwrap();
    });
    assert!(!tracing::dispatcher::has_been_set(), "no subscriber");
    assert_eq!(log::max_level(), log::LevelFilter::Off, "no logger");
}
RUST

count() { # REQUESTS: prints the number of instructions of a run
    valgrind --tool=callgrind --callgrind-out-file=/dev/null target/release/requests "$1" 2>&1 |
        sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}
per_request() { # FLAGS: prints the instructions per request, from the difference of two runs
    cargo build --quiet --release "$@" >&2
    echo $((($(count 3000) - $(count 1000)) / 2000))
}
without=$(per_request)
with=$(per_request --features asked-elsewhere)
ratio=$(awk -v with="$with" -v without="$without" 'BEGIN { printf "%.3f", with / without }')
cargo --version
echo "instructions per request, client and server: $without without the feature \`log\` of tracing"
echo "                                             $with with it, and no logger: $ratio times as many"
awk -v ratio="$ratio" 'BEGIN { exit ratio < 1.03 }' || { echo "the feature costs little now" >&2; exit 1; }
