//! Builds the servers of this checkout, for tests of every server that this machine can run.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use bench::machine::host::Host;
use bench::servers::checkout::Checkout;
use bench::servers::launch;
use bench::servers::server::Server;

/// Whether each server that a test has asked for can run here, by its name. Each is built once.
static CAN_RUN: Mutex<BTreeMap<String, bool>> = Mutex::new(BTreeMap::new());

/// Builds the servers that `is_wanted` selects. Returns those that can run here, and prints why the
/// others cannot. Fails when a build fails, or when none can run.
pub(crate) fn servers(is_wanted: impl Fn(&Server) -> bool) -> (Host, Vec<Server>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let checkout = Checkout::read(Some(&root)).unwrap();
    let host = Host::this_machine(checkout.tools()).unwrap();
    let mut servers = checkout.servers;
    servers.retain(&is_wanted);
    servers.retain(|server| can_run(&host, server));
    assert!(!servers.is_empty(), "no server could be run");
    (host, servers)
}

fn can_run(host: &Host, server: &Server) -> bool {
    *CAN_RUN.lock().unwrap().entry(server.name.clone()).or_insert_with(|| {
        let unavailable = launch::prepare(host, server).unwrap();
        unavailable.iter().for_each(|why| eprintln!("{} is skipped: {why}", server.name));
        unavailable.is_none()
    })
}

/// Checks the servers, `at_once` at a time. Fails with everything that `check` finds wrong.
pub(crate) fn check(servers: &[Server], at_once: usize, check: impl Fn(&Server) -> Option<String> + Sync) {
    let left = Mutex::new(servers.iter());
    let next = || left.lock().unwrap().next();
    let wrong: Mutex<Vec<String>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(server) = next() {
                    let found = check(server).map(|wrong| format!("{}: {wrong}", server.name));
                    wrong.lock().unwrap().extend(found);
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
