//! Scenes between a server and its clients.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use super::program::{Client, Program};

/// Many more than a server under test has workers.
const CONNECTIONS: usize = 100;

/// Longer than a client can send before it is held up, and than a server takes to end.
const LONG: Duration = Duration::from_secs(60);

/// Longer than a server waits before it takes a connection for silent.
const SILENCE: Duration = Duration::from_millis(300);

const FIRST_HALF: &str = "GET /late HTTP/1.1\r\nHo";
const SECOND_HALF: &str = "st: h\r\n\r\n";
const KEEPS: &str = "GET /abc HTTP/1.1\r\nHost: h\r\n\r\n";
const CLOSES: &str = "GET /abc HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

/// Many connections ask, each several times, and all are answered, by no more than `max_threads` threads.
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

/// Silent and half-written connections do not keep others from being served, and are served in their turn.
pub fn silent_and_half_written_connections_hold_nobody_up(program: &Program) {
    let server = program.start(&[]);
    let mut half_written: Vec<_> = (0..CONNECTIONS).map(|_| server.connect()).collect();
    half_written.iter_mut().for_each(|client| client.send(FIRST_HALF));
    let _silent: Vec<_> = (0..CONNECTIONS).map(|_| server.connect()).collect();
    let mut client = server.connect();
    client.ask("/now");
    client.expect("/now");
    for client in &mut half_written {
        client.send(SECOND_HALF);
        client.expect("/late");
    }
}

/// Who waits for `100 Continue` before it sends a body gets it, and then the answer.
pub fn a_client_that_waits_to_continue_is_told_to(program: &Program) {
    let server = program.start(&[]);
    let bodies = [("Content-Length: 3", "abc"), ("Transfer-Encoding: chunked", "3\r\nabc\r\n0\r\n\r\n")];
    for (framing, body) in bodies {
        let mut client = server.connect();
        client.send(&format!("POST /abc HTTP/1.1\r\nHost: h\r\n{framing}\r\nExpect: 100-continue\r\n\r\n"));
        client.expect_bytes("HTTP/1.1 100 Continue\r\n\r\n");
        client.send(body);
        client.expect_bytes("HTTP/1.1 405 Method Not Allowed\r\n");
    }
}

/// Connections that send a head byte by byte, with hardly a pause, do not keep others from being served.
pub fn dripping_connections_hold_nobody_up(program: &Program) {
    let server = program.start(&["--head-timeout", "600"]);
    // As many as there are workers, and each at a time of its own: as nobody waits, each gets a worker's whole patience.
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
            client.ask("/now");
            client.expect("/now");
        }
        drop(stop);
    });
}

/// Clients that ask for much and read nothing do not keep others from being served.
pub fn clients_that_never_read_hold_nobody_up(program: &Program) {
    let server = program.start(&[]);
    let requests = "GET /abc HTTP/1.1\r\nHost: h\r\n\r\n".repeat(1000);
    let mut deaf: Vec<_> = (0..8).map(|_| server.connect()).collect();
    for client in &mut deaf {
        // Until neither the server's nor the kernel's buffers take more: the server waits for this client to read.
        assert!(!client.flood(&requests, Duration::from_millis(300)));
    }
    let mut client = server.connect();
    client.ask("/now");
    client.expect("/now");
}

/// A connection that has been silent for some time goes on where it was, whatever comes first: a request, half of one, or
/// several, the last of which closes. Silence is when servers give back what a busy connection needs.
pub fn a_silent_connection_goes_on(program: &Program) {
    let server = program.start(&[]);
    let mut client = server.connect();
    let silence = || std::thread::sleep(SILENCE);
    client.ask("/first");
    assert!(client.expect("/first"));
    silence();
    client.ask("/second");
    assert!(client.expect("/second"));
    silence();
    client.send(FIRST_HALF);
    silence();
    client.send(SECOND_HALF);
    assert!(client.expect("/late"));
    silence();
    client.send(&[KEEPS, CLOSES].concat());
    let answers = client.read_to_end();
    assert_eq!(answers.matches("Hello, visitor! You've requested: /abc\n").count(), 2, "{answers}");
}

/// A connection over the cap is served once another one closes.
pub fn connections_over_the_cap_wait_for_a_place(program: &Program) {
    let server = program.start(&["--max-connections", "2"]);
    let [mut first, mut second] = [(); 2].map(|()| server.connect());
    for client in [&mut first, &mut second] {
        client.ask("/abc");
        client.expect("/abc");
    }
    // Only now: among those that wait together, a server with several listeners may take any first.
    let mut third = server.connect();
    third.ask("/abc");
    drop(first);
    third.expect("/abc");
}

/// Half a head is answered with 408 in its time; silence closes without a word.
pub fn time_runs_out_for_half_a_head_and_for_silence(program: &Program) {
    let server = program.start(&["--head-timeout", "0.2", "--idle-timeout", "0.3"]);
    let mut half_written = server.connect();
    half_written.send(FIRST_HALF);
    let answer = half_written.read_to_end();
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer:?}");

    let mut silent = server.connect();
    silent.ask("/abc");
    silent.expect("/abc");
    assert_eq!(silent.read_to_end(), "");
}

/// A client that does not read is dropped in its time.
pub fn time_runs_out_for_a_client_that_never_reads(program: &Program) {
    let server = program.start(&["--write-timeout", "0.3"]);
    let requests = "GET /abc HTTP/1.1\r\nHost: h\r\n\r\n".repeat(1000);
    assert!(server.connect().flood(&requests, LONG), "still open");
}

/// On SIGTERM what was asked is answered, and closed; who asks for nothing is closed; the server exits with 0.
pub fn a_drain_answers_what_was_asked(program: &Program) {
    let mut server = program.start(&[]);
    let [mut busy, mut half_written, mut silent] = [(); 3].map(|()| server.connect());
    half_written.send(FIRST_HALF);
    busy.ask("/abc");
    busy.expect("/abc");

    server.terminate();
    // Answers close as soon as the server has taken note of the signal.
    while {
        busy.ask("/abc");
        busy.expect("/abc")
    } {}
    assert_eq!(busy.read_to_end(), "");
    assert_eq!(silent.read_to_end(), "");
    half_written.send(SECOND_HALF);
    assert!(!half_written.expect("/late"), "closes");
    assert_eq!(half_written.read_to_end(), "");
    assert!(server.wait().success());
}

/// A drain is over when all connections are, and not at its limit; also when it is their silence that closes the last of them.
pub fn a_drain_is_over_when_all_connections_are(program: &Program) {
    // The limit comes long after the bound, and ends what would otherwise stay behind if this fails.
    let mut server = program.start(&["--drain-timeout", "120"]);
    let mut silent: Vec<_> = (0..10).map(|_| server.connect()).collect();
    for client in &mut silent {
        client.ask("/abc");
        client.expect("/abc");
    }
    server.terminate();
    let (ended, end) = channel();
    std::thread::spawn(move || ended.send(server.wait()));
    assert!(end.recv_timeout(LONG).is_ok_and(|status| status.success()));
}

/// On SIGTERM under load no request goes without its answer, of clients that keep their connections and of some that do not.
pub fn a_drain_under_load_loses_nothing(program: &Program) {
    let mut server = program.start(&[]);
    let address = &server.address().to_owned();
    std::thread::scope(|scope| {
        for keeps in [true, false].repeat(4) {
            scope.spawn(move || load_until_refused(address, keeps));
        }
        // By now all of them are under way, or will soon be.
        let mut client = server.connect();
        for _ in 0..1000 {
            client.ask("/abc");
            client.expect("/abc");
        }
        server.terminate();
    });
    assert!(server.wait().success());
}

/// Asks as often as it can, on connections that it keeps or closes, until it gets no more of them.
fn load_until_refused(address: &str, keeps: bool) {
    while let Ok(mut client) = Client::connect(address) {
        while {
            client.send(if keeps { KEEPS } else { CLOSES });
            client.expect("/abc")
        } {}
    }
}

/// Makes a test of each scene that is named, with the name of the scene, for a server's tests to say which it has to stand: `all` of
/// them, where it keeps the whole contract.
#[macro_export]
macro_rules! scenarios {
    ($server:expr => all) => {
        $crate::scenarios! {
            $server =>
            silent_and_half_written_connections_hold_nobody_up,
            dripping_connections_hold_nobody_up,
            clients_that_never_read_hold_nobody_up,
            a_client_that_waits_to_continue_is_told_to,
            a_silent_connection_goes_on,
            connections_over_the_cap_wait_for_a_place,
            time_runs_out_for_half_a_head_and_for_silence,
            time_runs_out_for_a_client_that_never_reads,
            a_drain_answers_what_was_asked,
            a_drain_is_over_when_all_connections_are,
            a_drain_under_load_loses_nothing,
        }
    };
    ($server:expr => $($scene:ident),+ $(,)?) => {
        $(
            #[test]
            fn $scene() {
                $crate::testing::scenarios::$scene($server);
            }
        )+
    };
}
