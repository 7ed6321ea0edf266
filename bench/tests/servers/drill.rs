//! Every server without a known failure among the drills passes all of them, in their short size.
//! Two servers pass a selection of drills over TLS and HTTP/2.

use bench::checks::drill::{self, Drill};
use bench::machine::host::{self, Host};
use bench::servers::server::Server;
use bench::store::drills::SizeRecord;
use bench::store::record::Protocol;

use crate::prepared;

/// The number of servers that are drilled at once. A drill mostly waits, and reads the memory and
/// CPU time of its own server only.
const AT_ONCE: usize = 2;

/// The servers for the drills over TLS and HTTP/2: one with blocking threads and TLS, and one with
/// events and both.
const SPEAKING: [&str; 2] = ["threads", "hyper"];

/// The drills over TLS and HTTP/2, which cover each part of a connection: how it begins, is held,
/// is broken and ends. `bench drill --protocol` runs the others.
const SELECTION: [&str; 10] = [
    "idle",
    "stalled-handshake",
    "resets",
    "stream-resets",
    "never-read",
    "large-body",
    "delayed-acks",
    "drain-under-load",
    "drain-amid",
    "drain-slow",
];

#[test]
fn servers_without_a_known_failure_pass_every_drill() {
    host::raise_descriptor_limit().unwrap();
    let (host, servers) = prepared::servers(has_no_known_failure);
    prepared::check(&servers, AT_ONCE, |server| differing(&host, server, Protocol::Http1, |_| true));
}

#[test]
fn two_servers_pass_a_selection_over_tls_and_http_2() {
    host::raise_descriptor_limit().unwrap();
    let (host, servers) = prepared::servers(|server| SPEAKING.contains(&server.name.as_str()));
    prepared::check(&servers, AT_ONCE, |server| {
        let over = [Protocol::Https, Protocol::H2].into_iter().filter(|over| server.protocols.contains(over));
        let is_selected = |drill: &Drill| SELECTION.contains(&drill.name);
        let lines: Vec<_> = over.filter_map(|over| differing(&host, server, over, is_selected)).collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    });
}

/// Runs the drills that `is_wanted` selects. Returns the results that differ from the manifest, if
/// there are any.
fn differing(
    host: &Host,
    server: &Server,
    protocol: Protocol,
    is_wanted: impl Fn(&Drill) -> bool,
) -> Option<String> {
    let drills = drill::over(protocol).filter(|drill| is_wanted(drill));
    let records = drills.map(|drill| drill.run(host, server, None, SizeRecord::Short, protocol));
    let differing = records.filter(|record| !record.is_as_known());
    let line = |record: bench::store::drills::DrillRecord| {
        format!("{} over {protocol} {:?}", record.drill, record.outcome)
    };
    let lines: Vec<_> = differing.map(line).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Whether the server is not a floor, and its manifest lists no drill over HTTP/1.1 as a known
/// failure. Failing drills of the other servers take too long here.
fn has_no_known_failure(server: &Server) -> bool {
    let is_plain = |name: &str| drill::is_drill(name) && name.starts_with("drill/");
    !server.is_floor && !server.known_failure_names().any(is_plain)
}
