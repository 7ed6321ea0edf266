#!/usr/bin/env bash
# With rustls's defaults, all of 128 clients that connect again in turn resume their sessions, but none of 129.
#
# A `ServerConfig` stores the newest 256 sessions, and gives each TLS 1.3 client two tickets, each for a
# session of its own: there is room for 128 clients. With one more client, the sessions of the first
# client are gone when it returns. Its full handshake stores two new sessions, which replace those of the
# client that comes next, and so on: the share of resumed handshakes drops from all to none. A benchmark
# of resumption with more clients measures full handshakes. With a `ticketer` the tickets hold the
# sessions, the server stores none, and all clients resume.
#
# Seen with rustls 0.23.46 and its provider ring. Needs cargo, and no root. Exits with 1 when this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "resumed"
edition = "2024"

[dependencies]
rcgen = "=0.14.10"
rustls = { version = "=0.23.46", default-features = false, features = ["ring", "std", "tls12"] }

[profile.dev]
debug = false
TOML
cat >src/main.rs <<'RUST'
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::{
    ClientConfig, ClientConnection, ConnectionCommon, HandshakeKind, RootCertStore, ServerConfig,
    ServerConnection, SideData,
};

/// Gives `to` all that `from` has to send.
fn pass<A: SideData, B: SideData>(from: &mut ConnectionCommon<A>, to: &mut ConnectionCommon<B>) {
    let mut bytes = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut bytes).unwrap();
    }
    let mut bytes = bytes.as_slice();
    while !bytes.is_empty() {
        to.read_tls(&mut bytes).unwrap();
        to.process_new_packets().unwrap();
    }
}

/// Connects, and says whether the server resumed a session. The client reads its tickets.
fn is_resumed(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> bool {
    let mut client =
        ClientConnection::new(client.clone(), "localhost".try_into().unwrap()).unwrap();
    let mut server = ServerConnection::new(server.clone()).unwrap();
    while client.wants_write() || server.wants_write() {
        pass(&mut client, &mut server);
        pass(&mut server, &mut client);
    }
    server.handshake_kind() == Some(HandshakeKind::Resumed)
}

/// Returns how many clients resume. All clients connect once, and then again in the same order.
fn resumed(clients: usize, has_ticketer: bool) -> usize {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = certified.cert.der();
    let key = PrivateKeyDer::Pkcs8(certified.signing_key.serialize_der().into());
    let mut server = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    if has_ticketer {
        server.ticketer = ring::Ticketer::new().unwrap();
    }
    let server = Arc::new(server);
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    // Each client has a session store of its own.
    let clients: Vec<_> = (0..clients)
        .map(|_| {
            Arc::new(
                ClientConfig::builder()
                    .with_root_certificates(roots.clone())
                    .with_no_client_auth(),
            )
        })
        .collect();
    for client in &clients {
        assert!(!is_resumed(client, &server));
    }
    clients
        .iter()
        .filter(|client| is_resumed(client, &server))
        .count()
}

fn main() {
    for (name, has_ticketer) in [("as it comes", false), ("with a ticketer", true)] {
        for clients in [100, 128, 129, 200] {
            println!(
                "{name}: {} of {clients} clients resume",
                resumed(clients, has_ticketer)
            );
        }
    }
}
RUST

CARGO_TARGET_DIR=$folder/target cargo run --quiet >seen
cat seen
expected='as it comes: 100 of 100 clients resume
as it comes: 128 of 128 clients resume
as it comes: 0 of 129 clients resume
as it comes: 0 of 200 clients resume
with a ticketer: 100 of 100 clients resume
with a ticketer: 128 of 128 clients resume
with a ticketer: 129 of 129 clients resume
with a ticketer: 200 of 200 clients resume'
if [ "$(cat seen)" != "$expected" ]; then
    echo "this has changed"
    exit 1
fi
echo "as described"
