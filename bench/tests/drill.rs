//! The Rust servers stand every drill, in its short form.
#![allow(clippy::unwrap_used, reason = "a test says what is wrong by its panic")]

use std::path::Path;
use std::sync::Mutex;

use bench::checkout::Checkout;
use bench::drill::{DRILLS, Finding, Size};
use bench::host::{self, Host};
use bench::launch;
use bench::server::Server;

/// Those that are to stand everything. What others are known to fail takes too long to find out here.
const SERVERS: [&str; 4] = ["threads", "hyper", "actix", "may"];

/// Servers that are tried at once. A drill reads its own server's memory and time, and mostly waits.
const AT_ONCE: usize = 2;

#[test]
fn the_servers_stand_every_drill() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let checkout = Checkout::read(Some(&root)).unwrap();
    let host = Host::this_machine(checkout.tools()).unwrap();
    host::raise_descriptor_limit().unwrap();
    let servers = checkout.choose_servers(&SERVERS.map(str::to_owned)).unwrap();
    for server in &servers {
        launch::build(&host, server).unwrap();
    }
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

fn next<'a>(left: &Mutex<impl Iterator<Item = &'a Server>>) -> Option<&'a Server> {
    left.lock().unwrap().next()
}

fn line(finding: &Finding) -> String {
    format!("{}: {}", finding.drill, finding.outcome.as_ref().err().map_or("passes", String::as_str))
}
