//! A model of the endpoint, held against any well-formed requests: in memory against the connection loop, and over real
//! sockets against every server that is the endpoint.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test says what is wrong by its panic")]

mod exchange;
mod model;
mod request;
mod wire;

use std::path::Path;

use bench::machine::host::Host;
use bench::servers::checkout::Checkout;
use bench::servers::launch;
use bench::servers::server::Server;
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

/// Whether it is a server that is the endpoint in all that is generated. Those that are known to fail only at limits, of odd
/// methods and in drills are: none of these is.
fn is_the_endpoint(server: &Server) -> bool {
    let generated = |case| !["drill", "limits", "methods"].contains(&conformance::subject(case));
    !server.is_floor && !server.known_failure_names().any(generated)
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
    let mut checked = Vec::new();
    for server in checkout.servers.iter().filter(|server| is_the_endpoint(server)) {
        if let Some(why) = launch::prepare(&host, server).unwrap() {
            eprintln!("{} is skipped: {why}", server.name);
            continue;
        }
        let running = launch::start(&host, server, &[], &[]).unwrap();
        let address = running.address;
        if let Err(error) = check(CASES_OVER_SOCKETS, |exchange| exchange.play(&mut Socket::open(address))) {
            wrong.push(format!("{}: {error}", server.name));
        }
        assert!(running.stop().unwrap().status.success(), "{}", server.name);
        checked.push(server.name.as_str());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(!checked.is_empty(), "no server could be run");
    println!("checked: {}", checked.join(", "));
}
