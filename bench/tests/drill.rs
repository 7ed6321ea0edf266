//! Every server without a known failure among the drills passes all of them, in their short size.
#![allow(clippy::unwrap_used, reason = "a test says what is wrong by its panic")]

mod prepared;

use std::sync::Mutex;

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
    let left = Mutex::new(servers.iter());
    let wrong: Mutex<Vec<String>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(server) = next(&left) {
                    let records =
                        DRILLS.iter().map(|drill| drill.run(&host, server, None, SizeRecord::Short));
                    let failed = records.filter(|record| !record.is_as_known());
                    let lines = failed.map(|record| {
                        format!("{} {}: {:?}", record.server.name, record.drill, record.outcome)
                    });
                    let lines: Vec<String> = lines.collect();
                    wrong.lock().unwrap().extend(lines);
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether its manifest lists no drill. Failed drills of the other servers take too long here.
fn has_no_known_failure(server: &Server) -> bool {
    !server.is_floor && !server.known_failure_names().any(drill::is_drill)
}

fn next<'a>(left: &Mutex<impl Iterator<Item = &'a Server>>) -> Option<&'a Server> {
    left.lock().unwrap().next()
}
