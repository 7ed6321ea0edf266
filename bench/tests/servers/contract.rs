//! Every server of this checkout that this machine can run answers the conformance cases as its
//! manifest says, and keeps the process contract.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use bench::checks::verify::{self, Depth, Question};
use bench::machine::host::{Host, Launch};
use bench::servers::launch;
use bench::servers::server::Server;
use bench::store::record::Protocol;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use visit_output::{Errors, Slice};

use crate::prepared;

/// The variables of the process contract, and those of servers that have more flags.
const VARIABLES: [&str; 11] = [
    "HOST",
    "PORT",
    "WORKERS",
    "MAX_CONNECTIONS",
    "HEAD_TIMEOUT",
    "IDLE_TIMEOUT",
    "WRITE_TIMEOUT",
    "DRAIN_TIMEOUT",
    "LAYOUT",
    "TLS_CERT",
    "TLS_KEY",
];

/// A timeout that only a hanging process reaches.
const BOUND: Duration = Duration::from_secs(60);

/// The number of servers that are checked at once: most of the time is spent waiting.
const AT_ONCE: usize = 3;

#[test]
fn every_server_is_as_its_manifest_says() {
    let (host, servers) = prepared::servers(|_| true);
    let question = Question::new(Depth::Splits);
    prepared::check(&servers, AT_ONCE, |server| as_known(&host, server, &question));
}

/// Servers in other languages differ from run to run in a few cases of HTTP/2. `bench verify
/// --protocol` checks them.
#[test]
fn every_server_in_rust_speaks_the_protocols_of_its_manifest() {
    let (host, servers) = prepared::servers(|server| server.language == "Rust" && server.protocols.len() > 1);
    for protocol in [Protocol::Https, Protocol::H2c, Protocol::H2] {
        let question = Question { protocol, ..Question::new(Depth::Cases) };
        let speaking: Vec<_> =
            servers.iter().filter(|server| server.protocols.contains(&protocol)).cloned().collect();
        prepared::check(&speaking, AT_ONCE, |server| as_known(&host, server, &question));
    }
}

/// A server that drains over HTTP/2 says which requests it answers, and answers them.
#[test]
fn a_drain_over_http_2_loses_no_request() {
    let drains = |server: &Server| server.language == "Rust" && server.protocols.contains(&Protocol::H2c);
    let (host, servers) = prepared::servers(drains);
    prepared::check(&servers, 1, |server| {
        let Errors { reset, closed, timeout, wrong, .. } = drained_under_load(&host, server).unwrap();
        let lost = reset + closed + timeout + wrong;
        (lost > 0).then(|| format!("reset {reset}, closed {closed}, timeout {timeout}, wrong {wrong}"))
    });
}

/// Drains a server in the middle of a load. Returns the errors of the load.
fn drained_under_load(host: &Host, server: &Server) -> anyhow::Result<Errors> {
    let running = launch::start(host, server, &[], &["--h2c"])?;
    let url = format!("http://{}/abc", running.address);
    let visit = Path::new(env!("CARGO_BIN_EXE_bench")).with_file_name("visit").display().to_string();
    let words = [&visit, "--quiet", "--http2", "--control", "--connections", "4", "--streams", "10", &url];
    let words = words.map(str::to_owned);
    let mut tool = host.start(&Launch::new(&words, Path::new("/")).commanded())?;
    tool.line(BOUND)?;
    let before = Slice::parse(&tool.ask("run 0.2", BOUND)?)?;
    assert!(before.answered > 0 && before.errors == Errors::default(), "{before:?}");
    tool.tell("run 1")?;
    // No request may be lost, whenever the drain begins: mostly in the middle of the load.
    std::thread::sleep(Duration::from_millis(200));
    let ended = running.stop()?;
    assert!(ended.status.success(), "{}", ended.status);
    let during = Slice::parse(&tool.line(BOUND)?)?;
    assert_eq!(during.mismatch, None);
    Ok(during.errors)
}

/// Verifies a server. Returns the differences from its manifest, if there are any.
fn as_known(host: &Host, server: &Server, question: &Question) -> Option<String> {
    match verify::verify(host, server, question, &|_, _| {}) {
        Ok(verification) if verification.is_as_known() => None,
        Ok(verification) => {
            let unknown: Vec<_> = verification.unknown().collect();
            Some(format!("{}: {unknown:#?}, outdated: {:?}", question.protocol, verification.outdated))
        }
        Err(error) => Some(format!("{}: {error:#}", question.protocol)),
    }
}

#[test]
fn every_server_prints_its_version_and_rejects_bad_flags() {
    let (host, servers) = prepared::servers(|_| true);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().port().to_string();
    for server in &servers {
        let version = launch::version(&host, server).unwrap();
        let expected = format!("server-{} 0.1.0 (", server.name);
        assert!(version.starts_with(&expected) && version.ends_with(')'), "{version}");

        for (flags, codes) in [(["--port", "99999"], [1, 2]), (["--port", taken.as_str()], [1, 1])] {
            let mut command = Command::new(&server.run[0]);
            command
                .args(&server.run[1..])
                .args(flags)
                .current_dir(&server.folder)
                .env("PATH", host.path().unwrap());
            let output = command.output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            let code = output.status.code().unwrap();
            let name = &server.name;
            assert!(codes.contains(&code), "{name} {flags:?}: exit {code}: {said}");
            assert!(!said.trim().is_empty() && !said.contains("panicked"), "{name} {flags:?}: {said}");
            assert!(output.stdout.is_empty(), "{name} {flags:?} printed to standard output");
        }
    }
}

/// A variable may be empty, for example by `PORT=${UNSET}` in a file of variables. SIGTERM ends a
/// server even if its parent has blocked that signal and ignores SIGCHLD.
#[test]
fn no_server_depends_on_empty_variables_or_inherited_signals() {
    let (host, servers) = prepared::servers(|_| true);
    let inherited = ["--block-signal=TERM", "--block-signal=INT", "--ignore-signal=CHLD"];
    for server in &servers {
        let mut command = Command::new("env");
        command.args(inherited).args(&server.run).args(["--port", "0"]);
        command.current_dir(&server.folder).env("PATH", host.path().unwrap()).stdout(Stdio::piped());
        command.envs(VARIABLES.map(|name| (name, "")));
        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("listening on http://127.0.0.1:"), "{}: {line}", server.name);
        kill(Pid::from_raw(process.id().cast_signed()), Signal::SIGTERM).unwrap();
        let status = process.wait().unwrap();
        assert!(status.success(), "{}: {status}", server.name);
    }
}

/// An error names what the user has set, and no flag that was not typed.
#[test]
fn an_error_names_the_variable_that_is_wrong() {
    let (host, servers) = prepared::servers(|_| true);
    for server in &servers {
        let mut command = Command::new(&server.run[0]);
        command.args(&server.run[1..]).current_dir(&server.folder).env("PATH", host.path().unwrap());
        let output = command.env("PORT", "nothing").output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        let line = said.lines().find(|line| line.contains("error: ")).unwrap();
        assert!(!line.contains("--port"), "{}: {line}", server.name);
        assert!(matches!(output.status.code(), Some(1 | 2)), "{}: {}", server.name, output.status);
    }
}
