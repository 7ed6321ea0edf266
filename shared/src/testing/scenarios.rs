//! Scenarios between a server and its clients.
//!
//! Conformance cases and fault drills are not repeated here, for the servers that they are run
//! against: see `bench/tests/servers/contract.rs` and `bench/tests/servers/drill.rs`.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use super::allocations::{self, Allocations};
pub use super::encrypted::{
    a_certificate_that_cannot_be_used_is_named, a_stalled_handshake_ends,
    over_tls_a_drain_answers_half_a_head, over_tls_clients_that_never_read_are_cut,
    over_tls_it_answers_and_says_when_it_ends, over_tls_the_bytes_may_come_one_by_one,
    what_is_not_tls_is_refused,
};
use super::program::Program;
pub use super::refusals::{
    with_few_threads_it_answers_or_does_not_start, without_descriptors_it_does_not_start,
    without_further_threads_it_serves_and_drains, without_threads_it_does_not_start,
};

/// The number of connections: many more than a server under test has workers.
const CONNECTIONS: usize = 100;

/// A time longer than a server waits before it treats a connection as silent.
const SILENCE: Duration = Duration::from_millis(300);

const FIRST_HALF: &str = "GET /late HTTP/1.1\r\nHo";
const SECOND_HALF: &str = "st: h\r\n\r\n";
const CLOSES: &str = "GET /abc HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

/// A request takes the expected number of allocations, in a program with the feature `counting`.
pub fn the_allocations_per_request_are_known(program: &Program, expected: Allocations) {
    assert_eq!(allocations::per_request(program), expected);
}

/// Many connections ask several times, and all are answered, by at most `max_threads` threads.
pub fn many_connections_are_served(program: &Program, max_threads: usize) {
    let server = program.start(&[]);
    let mut clients: Vec<_> = (0..CONNECTIONS).map(|_| server.connect()).collect();
    for round in 0..3 {
        let path = |number: usize| format!("/{round}/{number}");
        clients.iter_mut().enumerate().for_each(|(number, client)| client.ask(&path(number)));
        for (number, client) in clients.iter_mut().enumerate() {
            assert!(client.expect(&path(number)), "stays open");
        }
    }
    assert!(server.threads() <= max_threads, "{} threads", server.threads());
}

/// Silent and half-written connections do not delay others, and are served in their turn.
pub fn silent_and_half_written_connections_do_not_block_others(program: &Program) {
    let server = program.start(&[]);
    let mut half_written: Vec<_> = (0..CONNECTIONS).map(|_| server.connect()).collect();
    half_written.iter_mut().for_each(|client| client.send(FIRST_HALF));
    let _silent: Vec<_> = (0..CONNECTIONS).map(|_| server.connect()).collect();
    let mut client = server.connect();
    client.get("/now");
    for client in &mut half_written {
        client.send(SECOND_HALF);
        client.expect("/late");
    }
}

/// Connections that send a head byte by byte, almost without a pause, do not delay others.
pub fn dripping_connections_do_not_block_others(program: &Program) {
    let server = program.start(&["--head-timeout", "600"]);
    // There is one per worker, and they send at different times: while no other connection waits,
    // each could occupy a worker.
    let mut dripping: Vec<_> = (0..program.workers).map(|_| server.connect()).collect();
    let (under_way, begun) = channel();
    let (stop, stopped) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            dripping.iter_mut().for_each(|client| client.send("GET / HTTP/1.1\r\nA: "));
            for drip in 0.. {
                for client in &mut dripping {
                    if stopped.recv_timeout(Duration::from_millis(5)) != Err(RecvTimeoutError::Timeout) {
                        return;
                    }
                    client.send("x");
                }
                if drip == 10 {
                    under_way.send(()).unwrap();
                }
            }
        });
        begun.recv().unwrap();
        for _ in 0..10 {
            let mut client = server.connect();
            client.get("/now");
        }
        drop(stop);
    });
}

/// Clients that send many requests and read nothing do not delay others.
pub fn clients_that_never_read_do_not_block_others(program: &Program) {
    // The timeout of a head does not pass while a slow machine fills the buffers.
    let server = program.start(&["--head-timeout", "60"]);
    let requests = "GET /abc HTTP/1.1\r\nHost: h\r\n\r\n".repeat(1000);
    let mut non_reading: Vec<_> = (0..8).map(|_| server.connect()).collect();
    for client in &mut non_reading {
        // Fills all buffers, so that the server waits for this client to read.
        client.flood(&requests, Duration::from_millis(300));
    }
    let mut client = server.connect();
    client.get("/now");
}

/// A connection that has been silent for some time is served whatever arrives next: a request, half
/// of one, or several, the last of which closes it. Servers free buffers of silent connections.
pub fn a_silent_connection_is_served_again(program: &Program) {
    let server = program.start(&[]);
    let mut client = server.connect();
    let silence = || std::thread::sleep(SILENCE);
    assert!(client.get("/first"));
    silence();
    assert!(client.get("/second"));
    silence();
    client.send(FIRST_HALF);
    silence();
    client.send(SECOND_HALF);
    assert!(client.expect("/late"));
    silence();
    client.send(&["GET /abc HTTP/1.1\r\nHost: h\r\n\r\n", CLOSES].concat());
    let answers = client.read_to_end();
    assert_eq!(answers.matches("Hello, visitor! You've requested: /abc\n").count(), 2, "{answers}");
}

/// A connection over the cap is served once another one closes.
pub fn connections_over_the_cap_wait_for_a_permit(program: &Program) {
    let server = program.start(&["--max-connections", "2"]);
    let [mut first, mut second] = [(); 2].map(|()| server.connect());
    for client in [&mut first, &mut second] {
        client.get("/abc");
    }
    // The third connects only now: several listeners may accept waiting connections in any order.
    let mut third = server.connect();
    third.ask("/abc");
    drop(first);
    third.expect("/abc");
}

/// After SIGTERM, half a head may still be completed, and its answer closes the connection.
pub fn a_drain_answers_half_a_head(program: &Program) {
    let mut server = program.start(&[]);
    let mut half_written = server.connect();
    half_written.send(FIRST_HALF);
    // Some servers close a connection of which they have read nothing.
    server.wait_until_read(&half_written);
    server.terminate();
    server.wait_until_refused();
    half_written.send(SECOND_HALF);
    assert!(!half_written.expect("/late"), "closes");
    assert_eq!(half_written.read_to_end(), "");
    assert!(server.wait().success());
}

/// A head that is never completed is cut at the limit of the drain.
pub fn a_drain_cuts_half_a_head(program: &Program) {
    let mut server = program.start(&["--drain-timeout", "0.3"]);
    let mut half_written = server.connect();
    half_written.send(FIRST_HALF);
    server.wait_until_read(&half_written);
    server.terminate();
    assert_eq!(half_written.read_to_end(), "");
    assert!(server.wait().success());
}

/// A drain closes silent connections, and ends with the last one, long before its limit.
pub fn a_drain_ends_with_the_last_connection(program: &Program) {
    let mut server = program.start(&["--drain-timeout", "600"]);
    let mut silent: Vec<_> = (0..10).map(|_| server.connect()).collect();
    for client in &mut silent {
        client.get("/abc");
    }
    server.terminate();
    silent.iter_mut().for_each(|client| assert_eq!(client.read_to_end(), ""));
    assert!(server.wait().success());
}

/// Makes a test of each named scenario, which the server has to pass. `all` adds the scenarios for
/// servers that keep the whole contract and pass every drill in `bench/tests/servers/drill.rs`;
/// `tls` are the scenarios for servers that speak TLS.
#[macro_export]
macro_rules! scenarios {
    ($server:expr => all, $($more:tt)*) => {
        $crate::scenarios! {
            $server =>
            silent_and_half_written_connections_do_not_block_others,
            dripping_connections_do_not_block_others,
            a_silent_connection_is_served_again,
            a_drain_answers_half_a_head,
            a_drain_ends_with_the_last_connection,
            without_threads_it_does_not_start,
            without_descriptors_it_does_not_start,
            without_further_threads_it_serves_and_drains,
            $($more)*
        }
    };
    ($server:expr => tls) => {
        $crate::scenarios! {
            $server =>
            over_tls_it_answers_and_says_when_it_ends,
            over_tls_the_bytes_may_come_one_by_one,
            over_tls_clients_that_never_read_are_cut,
            over_tls_a_drain_answers_half_a_head,
            a_stalled_handshake_ends,
            what_is_not_tls_is_refused,
            a_certificate_that_cannot_be_used_is_named,
        }
    };
    ($server:expr => $($scenario:ident $(($argument:expr))?),+ $(,)?) => {
        $(
            #[test]
            fn $scenario() {
                $crate::testing::scenarios::$scenario($server $(, $argument)?);
            }
        )+
    };
}
