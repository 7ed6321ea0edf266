//! The launcher keeps the process contract, and leaves nothing behind. Where a test needs nginx and
//! the machine has none, it says that it is skipped.
#![allow(clippy::unwrap_used, reason = "a test says what is wrong by its panic")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use shared::testing::Program;

const SERVER: Program = Program { path: env!("CARGO_BIN_EXE_server-nginx"), workers: 2 };

const FIRST_HALF: &str = "GET /late HTTP/1.1\r\nHo";
const SECOND_HALF: &str = "st: h\r\n\r\n";

/// Generous: only a failure comes near it.
const BOUND: Duration = Duration::from_secs(60);

fn is_skipped() -> bool {
    let is_missing = Command::new("nginx").arg("-v").output().is_err();
    if is_missing {
        eprintln!("skipped: there is no nginx on PATH (apt-get install nginx)");
    }
    is_missing
}

/// A new folder for `TMPDIR`.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + BOUND;
    while !is_so() {
        assert!(Instant::now() < end, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn is_empty(folder: &Path) -> bool {
    folder.read_dir().unwrap().next().is_none()
}

fn is_closed(address: &str) -> bool {
    TcpStream::connect(address).is_err()
}

#[test]
fn the_version_is_the_launchers_and_nginxs() {
    if is_skipped() {
        return;
    }
    let output = Command::new(SERVER.path).arg("--version").output().unwrap();
    let line = String::from_utf8(output.stdout).unwrap();
    assert!(line.starts_with("server-nginx 0.1.0 (nginx 1."), "{line}");
    assert!(line.ends_with(")\n") && output.status.success(), "{line}");
}

#[test]
fn many_connections_are_answered() {
    if is_skipped() {
        return;
    }
    let server = SERVER.start(&[]);
    let mut clients: Vec<_> = (0..100).map(|_| server.connect()).collect();
    clients.iter_mut().for_each(|client| client.ask("/abc"));
    clients.iter_mut().for_each(|client| assert!(client.expect("/abc"), "stays open"));
}

#[test]
fn a_drain_closes_idle_connections() {
    if is_skipped() {
        return;
    }
    // The limit comes long after the clients' timeouts.
    let mut server = SERVER.start(&["--drain-timeout", "600"]);
    let mut clients: Vec<_> = (0..10).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.ask("/abc");
        assert!(client.expect("/abc"), "stays open");
    }
    server.terminate();
    clients.iter_mut().for_each(|client| assert_eq!(client.read_to_end(), ""));
    assert!(server.wait().success());
}

#[test]
fn a_drain_answers_a_request_that_has_begun() {
    if is_skipped() {
        return;
    }
    let mut server = SERVER.start(&[]);
    let mut client = server.connect();
    client.send(FIRST_HALF);
    server.wait_until_read(&client);
    server.terminate();
    wait_until("the end of listening", || is_closed(server.address()));
    client.send(SECOND_HALF);
    assert!(!client.expect("/late"), "the answer closes the connection");
    assert!(server.wait().success());
}

#[test]
fn a_drain_ends_at_its_limit() {
    if is_skipped() {
        return;
    }
    let mut server = SERVER.start(&["--drain-timeout", "0.2"]);
    let mut client = server.connect();
    client.send(FIRST_HALF);
    server.wait_until_read(&client);
    server.terminate();
    assert!(server.wait().success());
}

#[test]
fn a_second_signal_ends_a_drain() {
    if is_skipped() {
        return;
    }
    let mut server = SERVER.start(&["--drain-timeout", "120"]);
    let mut client = server.connect();
    client.send(FIRST_HALF);
    server.wait_until_read(&client);
    server.terminate();
    // The first signal has been read then. Two that wait together would be one.
    wait_until("the end of listening", || is_closed(server.address()));
    server.terminate();
    assert_eq!(server.wait().code(), Some(128 + Signal::SIGTERM as i32));
}

#[test]
fn nothing_is_left_behind() {
    if is_skipped() {
        return;
    }
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGKILL] {
        let folder = folder(signal.as_str());
        let mut launcher = Command::new(SERVER.path)
            .args(["--port", "0"])
            .env("TMPDIR", &folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(launcher.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap();
        assert!(!is_closed(address) && !is_empty(&folder));

        kill(Pid::from_raw(launcher.id().try_into().unwrap()), signal).unwrap();
        launcher.wait().unwrap();
        wait_until("the end of nginx", || is_closed(address));
        wait_until("the removal of its folder", || is_empty(&folder));
    }
}

#[test]
fn what_cannot_be_done_is_said_and_leaves_nothing_behind() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().port().to_string();
    let no_such_folder = Path::new("/no/such/folder");
    let folder = folder("refused");
    // The flags, where temporary files go, the exit code, and what is said.
    let cases: [(&[&str], &Path, i32, &str); 9] = [
        (&["--port", &taken], &folder, 1, "cannot listen on 127.0.0.1:"),
        (&["--host", "no.such.host.invalid"], &folder, 1, "host no.such.host.invalid: "),
        (&["--port", "99999"], &folder, 2, "--port"),
        (&["--workers", "1001"], &folder, 2, "--workers"),
        (&["--idle-timeout", "0"], &folder, 2, "--idle-timeout"),
        (&["--nonsense"], &folder, 2, "--nonsense"),
        (&["--max-connections", "1000000000000"], &folder, 1, "1000000000000 connections: the limit of"),
        (&["--port", "0"], no_such_folder, 1, "cannot make a folder in /no/such/folder"),
        (&["--port", "0"], &folder, 1, "cannot start nginx: "),
    ];
    for (flags, temporary, code, expected) in cases {
        let mut command = Command::new(SERVER.path);
        command.args(flags).env("TMPDIR", temporary).env("PATH", no_such_folder);
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{flags:?}: {text}");
        assert!(text.starts_with("error: ") && text.contains(expected), "{flags:?}: {text}");
        assert_eq!(text.lines().count(), 1, "{flags:?}: {text}");
        assert!(output.stdout.is_empty(), "{flags:?}");
    }
    wait_until("the removal of each folder", || is_empty(&folder));
}
