//! A model of the endpoint, compared with answers to generated well-formed requests: of the
//! connection loop in memory, and of every server that is the endpoint, over real sockets.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test says what is wrong by its panic")]

mod exchange;
mod model;
#[path = "../prepared/mod.rs"]
mod prepared;
mod request;
mod wire;

use bench::servers::launch;
use bench::servers::server::Server;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use self::exchange::Exchange;
use self::wire::{Memory, Socket};

/// Some seconds in memory, in a debug build.
const CASES_IN_MEMORY: u32 = 2000;

/// Some seconds per server: each case is a connection.
const CASES_OVER_SOCKETS: u32 = 400;

/// A server that does not answer takes a timeout in each try.
const SHRINK_MILLISECONDS: u32 = 30_000;

/// Compares `cases` exchanges with the model. They are the same on every run. Fails with the first
/// one that differs, reduced to the smallest that does.
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

/// Whether the server has to answer all generated requests as the endpoint. They are of HTTP/1.1, and none
/// of them reaches a limit or has an odd method, so that no other known failures count.
fn is_the_endpoint(server: &Server) -> bool {
    let cases = conformance::cases();
    let names = cases.iter().map(|case| case.name);
    let generated: Vec<&str> =
        names.filter(|name| !["limits", "methods"].contains(&conformance::subject_of(name))).collect();
    !server.is_floor && !server.known_failure_names().any(|name| generated.contains(&name))
}

#[test]
fn the_connection_loop_answers_as_the_model() {
    let checked = check(CASES_IN_MEMORY, |exchange| exchange.play(&mut Memory::default()));
    checked.unwrap_or_else(|wrong| panic!("{wrong}"));
}

#[test]
fn servers_answer_as_the_model() {
    let (host, servers) = prepared::servers(is_the_endpoint);
    prepared::check(&servers, 1, |server| {
        let running = launch::start(&host, server, &[], &[]).unwrap();
        let address = running.address;
        let checked = check(CASES_OVER_SOCKETS, |exchange| exchange.play(&mut Socket::open(address)));
        assert!(running.stop().unwrap().status.success(), "{}", server.name);
        checked.err()
    });
}
