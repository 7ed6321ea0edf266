//! Every server without a known failure among the drills passes all of them, in their short size.
#![allow(clippy::unwrap_used, reason = "a test says what is wrong by its panic")]

mod prepared;

use bench::checks::drill::{self, DRILLS};
use bench::machine::host;
use bench::servers::server::Server;
use bench::store::drills::SizeRecord;

/// Servers that are drilled at once. A drill reads its own server's memory and CPU time, and mostly
/// waits.
const AT_ONCE: usize = 2;

#[test]
fn servers_without_a_known_failure_pass_every_drill() {
    host::raise_descriptor_limit().unwrap();
    let (host, servers) = prepared::servers(has_no_known_failure);
    prepared::check(&servers, AT_ONCE, |server| {
        let records = DRILLS.iter().map(|drill| drill.run(&host, server, None, SizeRecord::Short));
        let differing = records.filter(|record| !record.is_as_known());
        let lines: Vec<_> =
            differing.map(|record| format!("{} {:?}", record.drill, record.outcome)).collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    });
}

/// Whether its manifest lists no drill. Failed drills of the other servers take too long here.
fn has_no_known_failure(server: &Server) -> bool {
    !server.is_floor && !server.known_failure_names().any(drill::is_drill)
}
