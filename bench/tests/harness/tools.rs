//! How the load tools on this machine count the answers of servers that behave in odd ways, as the
//! module docs in `bench/src/tools/*.rs` describe. Only numbers of requests and of connections are
//! compared. Where a tool is not on this machine, its test prints that it is skipped.

mod offer;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use bench::servers::workload::{Amount, Load, Mode, Rate};
use bench::tools::{self, LoadSpec, ToolOutput};

use crate::mock::{Checkout, suite, workload};

const WHOLE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
const CUT_OFF: &str = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhi";
const ENDS_BY_CLOSE: &str = "HTTP/1.1 200 OK\r\n\r\nhi";
const AFTER_INTERIM: &str = "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
const WITH_NOTICE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi";
const REDIRECT: &str = "HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n";

/// How a server replies to a request.
enum Reply {
    Keep(&'static str),
    Close(&'static str),
    /// Sends no answer, and waits until the client leaves.
    Hang,
}
use Reply::{Close, Hang, Keep};

/// The properties of a request on which the reply may depend.
struct Request<'a> {
    path: &'a str,
    /// The number of the request on its connection, from 1.
    on_connection: u64,
    /// The number of the request on all connections, from 1.
    of_all: u64,
}

/// A server that runs until the tests end.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicU64>,
    requests: Arc<AtomicU64>,
}

impl Server {
    fn start(reply: fn(&Request) -> Reply) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, requests) = <(Arc<AtomicU64>, Arc<AtomicU64>)>::default();
        let server = Self { address, connections: connections.clone(), requests: requests.clone() };
        thread::spawn(move || {
            for stream in listener.incoming() {
                let requests = requests.clone();
                let serve = move |stream| drop(serve(stream, reply, &requests));
                connections.fetch_add(1, SeqCst);
                thread::spawn(move || serve(stream.unwrap()));
            }
        });
        server
    }

    /// Loads the server in a closed loop. Returns the tool's report, or `None` where the tool is
    /// not on this machine.
    fn loaded(&self, tool: &str, connections: u32, amount: Amount, mode: Mode) -> Option<ToolOutput> {
        self.loaded_at(None, tool, connections, amount, mode)
    }

    /// Loads the server at a rate, or in a closed loop without one. Returns the same as
    /// [`Self::loaded`].
    fn loaded_at(
        &self,
        rate: Option<f64>,
        tool: &str,
        connections: u32,
        amount: Amount,
        mode: Mode,
    ) -> Option<ToolOutput> {
        let folder = tempfile::tempdir().unwrap();
        let tool = tools::find(tool).unwrap();
        for file in tool.files() {
            fs::write(folder.path().join(file.name), file.text).unwrap();
        }
        let timeout = Duration::from_secs(20);
        let rate_of_load = rate.map(Rate::PerSecond);
        let load = Load { timeout, rate: rate_of_load, ..Load::new(tool.name(), connections, amount, mode) };
        let url = format!("http://{}/here", self.address);
        let spec = LoadSpec {
            load: &load,
            amount,
            rate,
            share: None,
            series: None,
            answer: "hi",
            cores: 1,
            url: &url,
        };
        let words = tool.command(&spec);
        let (program, arguments) = words.split_first().unwrap();
        let output = Command::new(program).args(arguments).current_dir(folder.path()).output();
        let Ok(output) = output else {
            eprintln!("skipped: there is no `{}` here", tool.name());
            return None;
        };
        Some(tool.parse(&String::from_utf8(output.stdout).unwrap()).unwrap())
    }
}

/// Answers the requests on a connection until one of them ends it.
fn serve(mut stream: TcpStream, reply: fn(&Request) -> Reply, requests: &AtomicU64) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    for on_connection in 1.. {
        let Some(first) = lines.next().transpose()? else { break };
        while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
        let path = first.split(' ').nth(1).unwrap_or_default();
        let of_all = requests.fetch_add(1, SeqCst) + 1;
        match reply(&Request { path, on_connection, of_all }) {
            Keep(answer) => stream.write_all(answer.as_bytes())?,
            Close(answer) => return stream.write_all(answer.as_bytes()),
            Hang => drop(lines.next()),
        }
    }
    Ok(())
}

fn errors(expected: &[(&str, u64)]) -> BTreeMap<String, u64> {
    expected.iter().map(|(kind, number)| ((*kind).to_owned(), *number)).collect()
}

#[test]
fn hey_takes_more_for_an_answer_than_one_request_gets() {
    type Case = (&'static str, fn(&Request) -> Reply, u64, u64);
    // The server, and the number of requests and of connections that it gets for four answers.
    let cases: [Case; 4] = [
        ("whole", |_| Keep(WHOLE), 4, 1),
        ("cut off", |_| Close(CUT_OFF), 4, 4),
        ("redirects", |asked| Keep(if asked.path == "/here" { REDIRECT } else { WHOLE }), 8, 1),
        ("drops", |asked| if asked.on_connection == 1 { Keep(WHOLE) } else { Close("") }, 7, 4),
    ];
    for (name, reply, requests, connections) in cases {
        let server = Server::start(reply);
        let Some(said) = server.loaded("hey", 1, Amount::Requests(4), Mode::KeepAlive) else { return };
        assert_eq!((said.answered, said.errors), (4, errors(&[])), "{name}");
        assert_eq!(server.requests.load(SeqCst), requests, "{name}");
        assert_eq!(server.connections.load(SeqCst), connections, "{name}");
    }
}

#[test]
fn a_load_by_hey_of_fewer_requests_than_asked_for_is_invalid() {
    if Command::new("hey").output().is_err() {
        return eprintln!("skipped: there is no `hey` here");
    }
    let workload = workload("load").with("connections", 30).with("requests", 100);
    let checkout = Checkout::new(&["good"], &suite(&[workload]));
    let mut command = checkout.bench("measure mock --control none --out out");
    // The real `hey` instead of the mock.
    command.env("PATH", std::env::var_os("PATH").unwrap()).output().unwrap();
    let record = checkout.loaded().records.remove(0);
    let load = record.load.unwrap();
    assert_eq!((load.answered, load.errors), (90, errors(&[])));
    let reasons = format!("{:?}", record.verdict);
    assert!(reasons.contains("only 90 of 100 requests were made"), "{reasons}");
}

#[test]
fn oha_counts_a_request_that_it_never_sent() {
    let server = Server::start(|_| Close(WHOLE));
    let Some(said) = server.loaded("oha", 1, Amount::Requests(4), Mode::KeepAlive) else { return };
    let requests = server.requests.load(SeqCst);
    assert_eq!(said.answered, requests);
    assert_eq!(said.answered + said.errors.values().sum::<u64>(), 4, "{:?}", said.errors);
    assert!(requests < 4, "{requests}");
}

#[test]
fn wrk_counts_messages_and_closed_connections() {
    type Case = (&'static str, Mode, fn(&Request) -> Reply, u64, &'static [(&'static str, u64)]);
    fn three(asked: &Request, reply: Reply) -> Reply {
        if asked.of_all <= 3 { reply } else { Hang }
    }
    // Each server answers three requests. The fourth hangs, and the tool does not count it.
    let cases: [Case; 6] = [
        ("whole", Mode::KeepAlive, |asked| three(asked, Keep(WHOLE)), 3, &[]),
        ("keeps what is to be closed", Mode::Close, |asked| three(asked, Keep(WHOLE)), 3, &[]),
        ("redirects", Mode::KeepAlive, |asked| three(asked, Keep(REDIRECT)), 3, &[]),
        ("interim", Mode::KeepAlive, |asked| three(asked, Keep(AFTER_INTERIM)), 6, &[]),
        ("ends by close", Mode::KeepAlive, |asked| three(asked, Close(ENDS_BY_CLOSE)), 3, &[("read", 3)]),
        ("closes unannounced", Mode::KeepAlive, |asked| three(asked, Close(WHOLE)), 3, &[("read", 3)]),
    ];
    for (name, mode, reply, answered, expected) in cases {
        let server = Server::start(reply);
        let Some(said) = server.loaded("wrk", 1, Amount::Time(Duration::from_secs(1)), mode) else { return };
        assert_eq!(said.answered, answered, "{name}: {:?}", said.errors);
        assert_eq!(said.errors, errors(expected), "{name}");
        assert_eq!(server.requests.load(SeqCst), 4, "{name}");
    }
}

#[test]
fn h2load_opens_a_connection_again_only_after_a_notice() {
    type Case = (&'static str, fn(&Request) -> Reply, u64, &'static [(&'static str, u64)], [u64; 2]);
    const LOST: &str = "not answered, or never sent";
    // The server, the answers and errors of four requests, and the number of requests and of
    // connections that it gets.
    let cases: [Case; 7] = [
        ("whole", |_| Keep(WHOLE), 4, &[], [4, 1]),
        ("redirects", |_| Keep(REDIRECT), 0, &[("status 3xx", 4)], [4, 1]),
        ("interim", |_| Keep(AFTER_INTERIM), 4, &[], [4, 1]),
        ("closes with notice", |_| Close(WITH_NOTICE), 4, &[], [4, 4]),
        ("closes unannounced", |_| Close(WHOLE), 1, &[(LOST, 3)], [1, 1]),
        ("cut off", |_| Close(CUT_OFF), 0, &[(LOST, 4)], [1, 1]),
        ("ends by close", |_| Close(ENDS_BY_CLOSE), 0, &[(LOST, 4)], [1, 1]),
    ];
    for (name, reply, answered, expected, [requests, connections]) in cases {
        let server = Server::start(reply);
        let Some(said) = server.loaded("h2load", 1, Amount::Requests(4), Mode::KeepAlive) else { return };
        assert_eq!((said.answered, said.errors), (answered, errors(expected)), "{name}");
        assert_eq!(server.requests.load(SeqCst), requests, "{name}");
        assert_eq!(server.connections.load(SeqCst), connections, "{name}");
    }
}

#[test]
fn h2load_counts_no_connection_that_it_lost_in_a_load_by_time() {
    let server = Server::start(|asked| if asked.of_all <= 3 { Keep(WHOLE) } else { Close("") });
    let second = Amount::Time(Duration::from_secs(1));
    let Some(said) = server.loaded("h2load", 1, second, Mode::KeepAlive) else { return };
    assert_eq!((said.answered, said.errors), (3, errors(&[])));
    assert_eq!(server.requests.load(SeqCst), 4);
}

#[test]
fn h2load_sends_a_request_with_each_answer_of_a_pipeline() {
    let server = Server::start(|asked| if asked.of_all <= 3 { Keep(WHOLE) } else { Hang });
    let second = Amount::Time(Duration::from_secs(1));
    let Some(said) = server.loaded("h2load", 1, second, Mode::Pipelined(2)) else { return };
    // Two requests are in flight when the fourth hangs. A tool that waits for a whole batch would
    // send only four.
    assert_eq!((said.answered, said.errors), (3, errors(&[])));
    assert_eq!(server.requests.load(SeqCst), 5);
}

#[test]
fn zrk_counts_messages_and_closed_connections() {
    type Case = (&'static str, fn(&Request) -> Reply, u64, &'static [(&'static str, u64)], [u64; 2]);
    // The server, the answers and errors of one second at 10 requests per second, and the number of
    // requests and of connections that the server gets. It answers three requests; the fourth
    // hangs, and the tool does not count it.
    fn three(asked: &Request, reply: Reply) -> Reply {
        if asked.of_all <= 3 { reply } else { Hang }
    }
    let cases: [Case; 6] = [
        ("whole", |asked| three(asked, Keep(WHOLE)), 3, &[], [4, 1]),
        ("redirects", |asked| three(asked, Keep(REDIRECT)), 0, &[("status 3xx", 3)], [4, 1]),
        ("closes with notice", |asked| three(asked, Close(WITH_NOTICE)), 3, &[], [4, 4]),
        // Every second request is written to a closed connection.
        ("closes unannounced", |asked| three(asked, Close(WHOLE)), 3, &[("read", 3)], [4, 4]),
        ("cut off", |asked| three(asked, Close(CUT_OFF)), 0, &[("read", 3)], [4, 4]),
        ("ends by close", |asked| three(asked, Close(ENDS_BY_CLOSE)), 3, &[], [4, 4]),
    ];
    let second = Amount::Time(Duration::from_secs(1));
    for (name, reply, answered, expected, [requests, connections]) in cases {
        let server = Server::start(reply);
        let Some(said) = server.loaded_at(Some(10.0), "zrk", 1, second, Mode::KeepAlive) else { return };
        assert_eq!((said.answered, said.errors), (answered, errors(expected)), "{name}");
        assert_eq!(server.requests.load(SeqCst), requests, "{name}");
        assert_eq!(server.connections.load(SeqCst), connections, "{name}");
    }
}

/// Requests are due every 100 ms and take 200 ms, so the second one waits for 100 ms.
#[test]
fn zrk_counts_from_when_a_request_was_due() {
    let server = Server::start(|_| {
        thread::sleep(Duration::from_millis(200));
        Keep(WHOLE)
    });
    let second = Amount::Time(Duration::from_secs(1));
    let Some(said) = server.loaded_at(Some(10.0), "zrk", 1, second, Mode::KeepAlive) else { return };
    assert_eq!(said.errors, errors(&[]));
    assert!(said.answered >= 2 && said.answered < 10, "{said:?}");
    assert!(said.percentiles[&50] >= 0.2 && said.max_seconds.unwrap() >= 0.3, "{said:?}");
}
