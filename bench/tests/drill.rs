//! Every server that is to stand every drill does, in its short form.
#![allow(clippy::unwrap_used, reason = "a test says what is wrong by its panic")]

use std::path::Path;
use std::sync::Mutex;

use bench::checks::drill::{self, DRILLS, Finding, Size};
use bench::machine::host::{self, Host};
use bench::servers::checkout::Checkout;
use bench::servers::launch;
use bench::servers::server::Server;

/// Servers that are tried at once. A drill reads its own server's memory and time, and mostly waits.
const AT_ONCE: usize = 2;

#[test]
fn the_servers_stand_every_drill() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let checkout = Checkout::read(Some(&root)).unwrap();
    let host = Host::this_machine(checkout.tools()).unwrap();
    host::raise_descriptor_limit().unwrap();
    let mut servers = Vec::new();
    for server in checkout.servers.iter().filter(|server| is_to_stand_all(server)) {
        match launch::prepare(&host, server).unwrap() {
            None => servers.push(server),
            Some(why) => eprintln!("{} is skipped: {why}", server.name),
        }
    }
    assert!(!servers.is_empty(), "no server could be run");
    let left = Mutex::new(servers.into_iter());
    let wrong: Mutex<Vec<String>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(server) = next(&left) {
                    let findings = DRILLS.iter().map(|drill| drill.run(&host, server, Size::Short));
                    let findings = findings.filter(|finding| !finding.is_as_known());
                    let lines = findings.map(|finding| format!("{} {}", server.name, line(&finding)));
                    let lines: Vec<String> = lines.collect();
                    wrong.lock().unwrap().extend(lines);
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether its manifest knows of no drill that it fails. What the others fail takes too long to find out here.
fn is_to_stand_all(server: &Server) -> bool {
    !server.is_floor && !server.known_failure_names().any(drill::is_drill)
}

fn next<'a>(left: &Mutex<impl Iterator<Item = &'a Server>>) -> Option<&'a Server> {
    left.lock().unwrap().next()
}

fn line(finding: &Finding) -> String {
    format!("{}: {}", finding.drill, finding.outcome.as_ref().err().map_or("passes", String::as_str))
}
