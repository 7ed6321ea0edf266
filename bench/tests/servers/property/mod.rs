//! A model of the endpoint, compared with answers to generated well-formed requests. The answers
//! are those of the connection loop in memory, and of every server that is the endpoint, over real
//! sockets: in plain text, within TLS, and as streams of HTTP/2.

mod exchange;
mod message;
mod model;
mod request;
mod streams;
mod wire;

use bench::servers::identity::{Identity, ServerFlags};
use bench::servers::launch;
use bench::servers::server::Server;
use bench::store::record::Protocol;
use conformance::FrameClient;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use self::wire::{BOUND, Memory, Socket, Tls};
use crate::prepared;

/// The number of cases in memory. They take some seconds in a debug build.
const CASES_IN_MEMORY: u32 = 2000;

/// The number of cases per server over plain sockets. They take some seconds, since each case is a
/// connection.
const CASES_OVER_SOCKETS: u32 = 400;

/// The number of cases per server over TLS or HTTP/2. Fewer are enough, since requests are also
/// sent without these.
const CASES_OVER_OTHERS: u32 = 60;

/// The number of servers that are checked at once with few cases, which take less time than ending
/// the servers.
const AT_ONCE: usize = 4;

/// The time limit for reducing a failed case. If the server does not answer, each try takes a
/// timeout.
const SHRINK_MILLISECONDS: u32 = 30_000;

/// Compares `cases` exchanges with the model. They are the same on every run. Fails with the first
/// exchange whose answers differ, reduced to the smallest one that fails.
fn check<S: Strategy>(
    cases: u32,
    exchanges: &S,
    play: impl Fn(&S::Value) -> Result<(), String>,
) -> Result<(), String> {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_time: SHRINK_MILLISECONDS,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let test = |exchange: S::Value| play(&exchange).map_err(TestCaseError::fail);
    TestRunner::new_with_rng(config, rng).run(exchanges, test).map_err(|error| error.to_string())
}

/// Whether the server has to answer all generated requests like the endpoint. They are of HTTP/1.1,
/// and none of them reaches a limit or has an odd method, so known failures in cases of these do
/// not count.
fn is_the_endpoint(server: &Server) -> bool {
    let cases = conformance::cases();
    let names = cases.iter().map(|case| case.name);
    let generated: Vec<&str> =
        names.filter(|name| !["limits", "methods"].contains(&conformance::subject_of(name))).collect();
    !server.is_floor && !server.known_failure_names().any(|name| generated.contains(&name))
}

/// Whether the server speaks this protocol, which is a kind of HTTP/2, and has to answer all
/// generated requests like the endpoint. They are well-formed, so the only known failures that
/// count are those of the greeting over HTTP/2, and of methods that are odd but allowed.
fn answers_streams(server: &Server, protocol: Protocol) -> bool {
    let is_one = |name: &str| conformance::subject_of(name) == "h2-endpoint" || name == "methods/of-symbols";
    server.protocols.contains(&protocol) && !server.known_failure_names().any(is_one)
}

#[test]
fn the_connection_loop_answers_as_the_model() {
    let checked =
        check(CASES_IN_MEMORY, &exchange::exchanges(), |exchange| exchange.play(&mut Memory::default()));
    checked.unwrap_or_else(|wrong| panic!("{wrong}"));
}

#[test]
fn servers_answer_as_the_model() {
    let (host, servers) = prepared::servers(is_the_endpoint);
    prepared::check(&servers, 1, |server| {
        let running = launch::start(&host, server, &[], &[]).unwrap();
        let address = running.address;
        let checked = check(CASES_OVER_SOCKETS, &exchange::exchanges(), |exchange| {
            exchange.play(&mut Socket::open(address))
        });
        assert!(running.stop().unwrap().status.success(), "{}", server.name);
        checked.err()
    });
}

#[test]
fn servers_answer_as_the_model_within_tls() {
    let speaks = |server: &Server| is_the_endpoint(server) && server.protocols.contains(&Protocol::Https);
    let (host, servers) = prepared::servers(speaks);
    prepared::check(&servers, AT_ONCE, |server| {
        let identity = shared::testing::Identity::new();
        let files = identity.files();
        let flags = shared::testing::Identity::flags(&files, &[]);
        let running = launch::start(&host, server, &[], &flags).unwrap();
        let address = running.address;
        let exchanges = (exchange::exchanges(), wire::lengths());
        let checked = check(CASES_OVER_OTHERS, &exchanges, |(exchange, lengths)| {
            exchange.play(&mut Tls::open(address, &identity, lengths))
        });
        assert!(running.stop().unwrap().status.success(), "{}", server.name);
        checked.err()
    });
}

#[test]
fn servers_answer_as_the_model_over_http_2() {
    for protocol in [Protocol::H2, Protocol::H2c] {
        let (host, servers) = prepared::servers(|server| answers_streams(server, protocol));
        let identity = Identity::new(host.address()).unwrap();
        prepared::check(&servers, AT_ONCE, |server| {
            let flags = ServerFlags::new(&host, protocol, Some(&identity)).unwrap();
            let running = launch::start(&host, server, &[], &flags.words()).unwrap();
            let address = running.address;
            let checked = check(CASES_OVER_OTHERS, &streams::streams(), |streams| {
                streams.play(&mut FrameClient::connect(address, protocol.is_encrypted(), BOUND)?, protocol)
            });
            assert!(running.stop().unwrap().status.success(), "{}", server.name);
            checked.err()
        });
    }
}
