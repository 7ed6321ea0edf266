//! The launcher keeps the process contract, and leaves nothing behind. A test that needs nginx
//! prints that it is skipped when the machine has no nginx.
#![allow(clippy::unwrap_used, reason = "a test says what is wrong by its panic")]

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use shared::testing::{Program, scenarios, wait_for};

const SERVER: Program = Program { path: env!("CARGO_BIN_EXE_server-nginx"), workers: 2 };

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
    wait_for(what, || is_so().then_some(()));
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
fn many_connections_are_served_and_drained() {
    if is_skipped() {
        return;
    }
    // The launcher has two threads, one of which waits for signals.
    scenarios::many_connections_are_served(&SERVER, 2);
    scenarios::a_drain_answers_half_a_head(&SERVER);
    scenarios::a_drain_cuts_half_a_head(&SERVER);
    scenarios::a_drain_ends_with_the_last_connection(&SERVER);
}

#[test]
fn it_speaks_tls() {
    if is_skipped() {
        return;
    }
    scenarios::over_tls_it_answers_and_says_when_it_ends(&SERVER);
    scenarios::over_tls_the_bytes_may_come_one_by_one(&SERVER);
    scenarios::over_tls_clients_that_never_read_are_cut(&SERVER);
    scenarios::over_tls_a_drain_answers_half_a_head(&SERVER);
    scenarios::a_stalled_handshake_ends(&SERVER);
}

/// This test needs no nginx: the launcher fails before it starts nginx.
#[test]
fn a_certificate_that_cannot_be_used_is_named() {
    scenarios::a_certificate_that_cannot_be_used_is_named(&SERVER);
}

#[test]
fn a_second_signal_ends_a_drain() {
    if is_skipped() {
        return;
    }
    let mut server = SERVER.start(&["--drain-timeout", "120"]);
    let mut client = server.connect();
    client.send("GET /late HTTP/1.1\r\nHo");
    server.wait_until_read(&client);
    server.terminate();
    // By then, the first signal has been read. Two pending signals would be merged into one.
    wait_until("the end of listening", || is_closed(server.address()));
    server.terminate();
    assert_eq!(server.wait().code(), Some(128 + Signal::SIGTERM as i32));
}

#[test]
fn it_is_ready_once_nginx_answers() {
    if is_skipped() {
        return;
    }
    let mut command =
        with_nginx(&folder("late"), "sleep 0.2; echo it starts; PATH=${PATH#*:} exec nginx \"$@\"");
    let mut launcher = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(launcher.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.next().unwrap(), "it starts");
    assert!(lines.next().unwrap().starts_with("listening on "));
    kill(Pid::from_raw(launcher.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
    launcher.wait().unwrap();
}

/// Without workers, nginx continues, and SIGTERM does not end it.
#[test]
fn nginx_without_workers_is_no_server() {
    let folder = folder("workerless");
    let mut command = with_nginx(&folder, "trap '' TERM; while :; do :; done");
    let output = command.env("TMPDIR", &folder).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "error: nginx does not answer within 10 s: 0 of its 2 workers run\n");
    assert_eq!((output.status.code(), output.stdout), (Some(1), Vec::new()));
    // The removal shows that nginx has ended, since the folder is kept until then.
    wait_until("the removal of its folder", || folder.read_dir().unwrap().count() == 1);
}

/// Returns a launcher with another nginx, which writes its process ID, and then runs `script`.
fn with_nginx(folder: &Path, script: &str) -> Command {
    let program = folder.join("nginx");
    fs::write(&program, format!("#!/bin/sh\necho $$ >\"$2/nginx.pid\"\n{script}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.display(), env::var("PATH").unwrap());
    let mut command = Command::new(SERVER.path);
    command.args(["--port", "0", "--workers", "2"]).env("PATH", path);
    command
}

#[test]
fn it_has_all_its_workers_or_does_not_start() {
    if is_skipped() {
        return;
    }
    scenarios::without_threads_it_does_not_start(&SERVER);
    scenarios::without_descriptors_it_does_not_start(&SERVER);
    scenarios::with_few_threads_it_answers_or_does_not_start(&SERVER);
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
    // Each case has the flags, the folder of temporary files, the exit code, and part of the error.
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
