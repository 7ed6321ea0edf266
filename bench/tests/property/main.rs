//! A model of the endpoint, held against any well-formed requests: in memory against the connection loop, and over real
//! sockets against every server that claims to keep the rules of HTTP.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test says what is wrong by its panic")]

mod exchange;
mod model;
mod request;
mod wire;

use std::path::Path;

use bench::checkout::Checkout;
use bench::host::Host;
use bench::launch;
use bench::server::Server;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use self::exchange::Exchange;
use self::wire::{Memory, Socket};

/// Some seconds in memory, in a debug build.
const CASES_IN_MEMORY: u32 = 2000;

/// Some seconds a server: each case is a connection.
const CASES_OVER_SOCKETS: u32 = 400;

/// A server that does not answer is waited for in each try.
const SHRINK_MILLISECONDS: u32 = 30_000;

/// Holds the model against so many exchanges, which are the same each time, and reduces one that fails to its core.
fn check(cases: u32, play: impl Fn(&Exchange) -> Result<(), String>) -> Result<(), String> {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_time: SHRINK_MILLISECONDS,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let test = |exchange: Exchange| play(&exchange).map_err(TestCaseError::fail);
    TestRunner::new_with_rng(config, rng).run(&exchange::exchanges(), test).map_err(|error| error.to_string())
}

/// Whether it fails no case of the conformance tables but such as are about limits.
fn claims_to_keep_http(server: &Server) -> bool {
    server.gap_cases().all(|case| case.starts_with("limits/"))
}

#[test]
fn the_connection_loop_is_as_the_model_says() {
    let checked = check(CASES_IN_MEMORY, |exchange| exchange.play(&mut Memory::default()));
    checked.unwrap_or_else(|wrong| panic!("{wrong}"));
}

#[test]
fn servers_are_as_the_model_says() {
    let checkout = Checkout::read(Some(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))).unwrap();
    let host = Host::this_machine(checkout.tools()).unwrap();
    let mut wrong = Vec::new();
    let mut checked = 0;
    for server in checkout.servers.iter().filter(|server| claims_to_keep_http(server)) {
        if let Some(why) = launch::unavailable(&host, server) {
            eprintln!("{} is skipped: {why}", server.name);
            continue;
        }
        launch::build(&host, server).unwrap();
        let running = launch::start(&host, server, &[], &[]).unwrap();
        let address = running.address;
        if let Err(error) = check(CASES_OVER_SOCKETS, |exchange| exchange.play(&mut Socket::open(address))) {
            wrong.push(format!("{}: {error}", server.name));
        }
        assert!(running.stop().unwrap().status.success(), "{}", server.name);
        checked += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked > 0, "no server could be run");
}
