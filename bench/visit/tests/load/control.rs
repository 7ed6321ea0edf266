//! `visit --control`: slices of load by commands.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::socket;
use nix::unistd::Pid;
use visit::output::{Errors, Ready, Report, Slice, TimesReport, VERSION};

use super::server::{ScriptedServer, right, with_field};
use super::{Ran, ran};

/// More than any line takes to come.
const BOUND: Duration = Duration::from_secs(60);

/// A `visit` that waits for commands.
struct Controlled {
    child: Child,
    /// Its standard input, until it ends.
    commands: Option<ChildStdin>,
    lines: Receiver<String>,
    open: Option<u64>,
}

impl Controlled {
    fn start(server: &ScriptedServer, arguments: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_visit"))
            .args([&format!("http://{}/abc", server.address), "--control"])
            .args(arguments.split_whitespace())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let commands = child.stdin.take();
        let (sender, lines) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || output.lines().try_for_each(|line| sender.send(line.unwrap())));
        let ready = Ready::parse(&lines.recv_timeout(BOUND).unwrap()).unwrap();
        assert_eq!(ready.version, VERSION);
        Self { child, commands, lines, open: ready.connections_open }
    }

    fn command(&mut self, command: &str) {
        self.write(&format!("{command}\n"));
    }

    fn write(&mut self, text: &str) {
        self.commands.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(BOUND).unwrap()
    }

    /// Gives a command and reads its slice.
    fn slice(&mut self, command: &str) -> Slice {
        self.command(command);
        let line = self.line();
        let slice = Slice::parse(&line).unwrap();
        assert_eq!(serde_json::to_string(&slice).unwrap(), line, "what is printed is read without loss");
        let Errors { reset, closed, timeout, wrong, cut_off, .. } = slice.errors;
        let outcomes = slice.statuses.values().sum::<u64>() + reset + closed + timeout + wrong + cut_off;
        assert_eq!(slice.sent, outcomes, "no request is left: {slice:?}");
        slice
    }

    fn signal(&self) {
        kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGINT).unwrap();
    }

    /// Ends the input and reads the report.
    fn finish(self) -> Ran {
        let Self { mut child, commands, lines, .. } = self;
        drop(commands);
        let report = lines.recv_timeout(BOUND).unwrap();
        let code = child.wait().unwrap().code().unwrap();
        let mut complaint = String::new();
        child.stderr.unwrap().read_to_string(&mut complaint).unwrap();
        assert_eq!(lines.recv_timeout(BOUND), Err(std::sync::mpsc::RecvTimeoutError::Disconnected));
        ran(&report, complaint, code)
    }
}

fn count(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::SeqCst)
}

/// Waits until something has happened.
fn wait_for(name: &str, mut happened: impl FnMut() -> bool) {
    let start = Instant::now();
    while !happened() {
        assert!(start.elapsed() < BOUND, "{name}");
        sleep(Duration::from_millis(2));
    }
}

/// Closes a connection, also where a process that another test starts has it too for a moment.
fn close(stream: &TcpStream) {
    stream.shutdown(Shutdown::Both).unwrap();
    wait_for_delivery(stream);
}

/// Waits until the client's kernel has all bytes, and the end of the connection if it was closed.
fn wait_for_delivery(stream: &TcpStream) {
    let ports = [stream.local_addr(), stream.peer_addr()].map(|address| address.unwrap().port());
    let [local, remote] = ports.map(|port| format!(":{port:04X}"));
    wait_for("the kernel delivers", || {
        let connections = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let mut connections = connections.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        // Its number, addresses, state, and the bytes that are not acknowledged.
        let found = connections.find(|fields| fields[1].ends_with(&local) && fields[2].ends_with(&remote));
        found.is_none_or(|fields| fields[4].starts_with("00000000:"))
    });
}

#[test]
fn slices_are_made_on_connections_that_stay_open() {
    for arguments in ["--threads 1", "--threads 2", "--threads 3 --mode pipelined-4", "--threads 1 --path /b"]
    {
        let server = ScriptedServer::start(|client| client.answer_all(right));
        let mut visit = Controlled::start(&server, &format!("{arguments} --connections 6"));
        assert_eq!((visit.open, count(&server.requests)), (Some(6), 0), "{arguments}");
        let mut slices = Vec::new();
        for (command, time) in
            [("warm 0.03", 0.03), ("run 0.05", 0.05), ("warm 0.02", 0.02), ("run 0.1", 0.1)]
        {
            let before = count(&server.requests);
            let slice = visit.slice(command);
            // Every request was answered, so the server has read it.
            assert_eq!(count(&server.requests) - before, slice.sent, "{arguments}: {command}");
            assert!(slice.sent > 0 && slice.answered == slice.sent, "{arguments}: {slice:?}");
            assert_eq!(slice.statuses, [(200, slice.sent)].into(), "{arguments}");
            assert_eq!((slice.errors, &slice.mismatch), (Errors::default(), &None), "{arguments}");
            assert_eq!(slice.connections_open, Some(6), "{arguments}");
            assert!(slice.elapsed_seconds >= time && slice.mean_seconds.unwrap() > 0.0, "{slice:?}");
            slices.push(slice);
        }
        // The last answers have been read: what is still sent would be counted here.
        sleep(Duration::from_millis(150));
        assert_eq!(
            count(&server.requests),
            slices.iter().map(|slice| slice.sent).sum::<u64>(),
            "it is silent"
        );
        let Ran { report, code, complaint } = visit.finish();
        assert_eq!((count(&server.connections), code), (6, 0), "{arguments}: {complaint}");
        adds_up(&report, &[&slices[1], &slices[3]]);
        assert_eq!((report.load.seconds, report.load.requests), (Some(0.15), None), "{arguments}");
        assert_eq!(report.load.warm_up_seconds, 0.05, "{arguments}");
        assert_eq!((report.connections_open, report.interrupted), (Some(6), false), "{arguments}");
        assert_eq!(report.connect.unwrap().count, 6, "{arguments}");
        assert!(complaint.contains("answered"), "there is a summary: {complaint}");
    }
}

/// The number of times that a thread of `visit` was given a core.
fn switches(visit: &Controlled) -> u64 {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", visit.child.id())).unwrap();
    let status = tasks.map(|task| std::fs::read_to_string(task.unwrap().path().join("status")).unwrap());
    let count = |line: &str| line.split_once("ctxt_switches:")?.1.trim().parse::<u64>().ok();
    status.map(|status| status.lines().filter_map(count).sum::<u64>()).sum()
}

#[test]
fn silence_uses_no_cpu_time() {
    let server = ScriptedServer::start(|client| client.answer_all(right));
    let mut visit = Controlled::start(&server, "--connections 4 --threads 2 --quiet");
    for _ in 0..2 {
        // Far longer than any tick.
        wait_for("no thread runs for half a second", || {
            let before = switches(&visit);
            sleep(Duration::from_millis(500));
            switches(&visit) == before
        });
        visit.slice("run 0.02");
    }
    visit.finish();
}

fn adds_up(report: &Report, runs: &[&Slice]) {
    let sum = |value: fn(&Slice) -> f64| runs.iter().map(|slice| value(slice)).sum::<f64>();
    let sent: u64 = runs.iter().map(|slice| slice.sent).sum();
    let answered: u64 = runs.iter().map(|slice| slice.answered).sum();
    assert_eq!((report.sent, report.answered), (sent, answered));
    let latency: &TimesReport = report.latency.as_ref().unwrap();
    assert_eq!(latency.count, report.statuses.values().sum::<u64>());
    let close = |name, got: f64, expected: f64| {
        assert!((got - expected).abs() <= 0.002 * expected, "{name}: {got} and not {expected}");
    };
    close("elapsed", report.elapsed_seconds, sum(|slice| slice.elapsed_seconds));
    close("cpu", report.cpu_seconds, sum(|slice| slice.cpu_seconds));
    let latencies = sum(|slice| {
        slice.mean_seconds.unwrap_or_default() * f64::from(u32::try_from(slice.answered).unwrap())
    });
    close("mean", latency.mean_seconds * f64::from(u32::try_from(answered).unwrap()), latencies);
}

#[test]
fn in_mode_close_every_request_has_a_connection() {
    let server = ScriptedServer::start(|client| {
        client.answer_one(|path| with_field(path, "Connection: close\r\n"));
    });
    let mut visit = Controlled::start(&server, "--connections 2 --mode close --quiet");
    let slices = [visit.slice("run 0.05"), visit.slice("warm 0.02"), visit.slice("run 0.05")];
    for slice in &slices {
        assert_eq!((slice.errors, &slice.mismatch), (Errors::default(), &None));
        assert!(slice.answered > 0 && slice.connections_open.is_none(), "{slice:?}");
    }
    assert_eq!(visit.open, None);
    let Ran { report, code, complaint } = visit.finish();
    adds_up(&report, &[&slices[0], &slices[2]]);
    assert_eq!((report.connections_open, code, complaint.as_str()), (None, 0, ""));
}

#[test]
fn connections_that_the_server_closes_in_the_silence_are_reopened() {
    let idle: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
    let streams = Arc::clone(&idle);
    let server = ScriptedServer::start(move |client| {
        streams.lock().unwrap().push(client.stream.try_clone().unwrap());
        client.answer_all(right);
    });
    let mut visit = Controlled::start(&server, "--connections 4 --threads 2");
    let mut sent = 0;
    for round in 1..=3 {
        wait_for("all are accepted", || idle.lock().unwrap().len() == 4);
        for stream in idle.lock().unwrap().drain(..) {
            close(&stream);
        }
        let slice = visit.slice("run 0.05");
        assert_eq!((slice.errors, &slice.mismatch), (Errors::default(), &None), "{round}");
        assert_eq!((slice.answered, slice.connections_open), (slice.sent, Some(4)), "{round}");
        assert_eq!(count(&server.connections), 4 * (round + 1));
        sent += slice.sent;
    }
    let report = visit.finish().report;
    assert_eq!((report.sent, report.errors), (sent, Errors::default()));
    assert_eq!(report.connect.unwrap().count, 16);
}

#[test]
fn a_connection_that_cannot_be_reopened_is_an_error_of_the_slice() {
    // What accepts one connection only, and is gone with it.
    let listener = TcpListener::bind("127.1.2.3:0").unwrap();
    let mut server = ScriptedServer::start(|_| {});
    server.address = listener.local_addr().unwrap();
    let accept = std::thread::spawn(move || {
        let accepted = listener.accept().unwrap().0;
        socket::shutdown(listener.as_raw_fd(), socket::Shutdown::Both).unwrap();
        accepted
    });
    let mut visit = Controlled::start(&server, "--connections 1 --quiet");
    close(&accept.join().unwrap());
    for command in ["warm 0.02", "run 0.02"] {
        let slice = visit.slice(command);
        assert!(slice.errors.refused > 0, "{command}: {slice:?}");
        let others = Errors { refused: 0, ..slice.errors };
        assert_eq!(
            (others, slice.sent, slice.connections_open),
            (Errors::default(), 0, Some(0)),
            "{command}"
        );
        assert_eq!(slice.mean_seconds, None, "{command}");
    }
    let Ran { report, code, .. } = visit.finish();
    assert!(report.errors.refused > 0 && code == 1, "{report:?}");
}

#[test]
fn a_wrong_answer_is_in_its_slice_and_in_the_report() {
    for command in ["warm 0.02", "run 0.02"] {
        let is_wrong = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&is_wrong);
        let server = ScriptedServer::start(move |client| {
            while let Some((path, _)) = client.request() {
                let wrong = flag.load(Ordering::SeqCst);
                client.send(&if wrong { right(&path).replace("visitor", "visitoR") } else { right(&path) });
            }
        });
        let mut visit = Controlled::start(&server, "--connections 2 --quiet");
        assert_eq!(visit.slice("run 0.02").mismatch, None);
        is_wrong.store(true, Ordering::SeqCst);
        let slice = visit.slice(command);
        let mismatch = slice.mismatch.unwrap();
        assert!(mismatch.contains("the body differs"), "{command}: {mismatch}");
        assert!(slice.errors.wrong > 0, "{command}: {:?}", slice.errors);
        is_wrong.store(false, Ordering::SeqCst);
        let slice = visit.slice("run 0.02");
        assert_eq!(
            (slice.mismatch, slice.errors, slice.connections_open),
            (None, Errors::default(), Some(2))
        );
        let Ran { report, code, complaint } = visit.finish();
        assert_eq!((report.mismatch.as_ref(), code), (Some(&mismatch), 1), "{command}");
        assert_eq!(report.errors.wrong > 0, command == "run 0.02");
        assert!(complaint.contains(&mismatch), "{complaint}");
    }
}

#[test]
fn bytes_that_arrive_in_the_silence_are_a_wrong_answer() {
    for is_last in [false, true] {
        let idle: Arc<Mutex<Option<TcpStream>>> = Arc::default();
        let stream = Arc::clone(&idle);
        let server = ScriptedServer::start(move |client| {
            *stream.lock().unwrap() = Some(client.stream.try_clone().unwrap());
            client.answer_all(right);
        });
        let mut visit = Controlled::start(&server, "--connections 1 --quiet");
        assert_eq!(visit.slice("run 0.02").mismatch, None);
        let mut stream = idle.lock().unwrap().take().unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\n").unwrap();
        wait_for_delivery(&stream);
        if !is_last {
            let slice = visit.slice("run 0.02");
            assert!(slice.mismatch.unwrap().contains("answer no request"));
            assert_eq!((slice.errors, slice.connections_open), (Errors::default(), Some(1)));
            assert!(slice.answered > 0 && count(&server.connections) == 2, "it was reopened");
        }
        let Ran { report, code, .. } = visit.finish();
        assert!(report.mismatch.unwrap().contains("answer no request") && code == 1, "{is_last}");
    }
}

#[test]
fn without_a_run_the_report_is_empty() {
    let server = ScriptedServer::start(|client| client.answer_all(right));
    for commands in [&[][..], &["warm 0.02"]] {
        let mut visit = Controlled::start(&server, "--connections 2 --quiet");
        for command in commands {
            assert!(visit.slice(command).answered > 0);
        }
        let Ran { report, code, complaint } = visit.finish();
        assert_eq!((report.sent, report.elapsed_seconds, report.load.seconds), (0, 0.0, Some(0.0)));
        assert_eq!((report.connections_open, report.cpu_seconds, code), (Some(2), 0.0, 1));
        assert_eq!(complaint, "error: no request was answered with a 2xx status\n");
    }
}

#[test]
fn a_wrong_command_ends_the_run() {
    let server = ScriptedServer::start(|client| client.answer_all(right));
    for (command, expected) in [
        ("walk 1", "it is unknown"),
        ("", "it is unknown"),
        ("run", "it is unknown"),
        ("run 0", "it must be more than 0"),
        ("warm 1e9", "it must be from 0 to 86400"),
    ] {
        let mut visit = Controlled::start(&server, "--connections 2 --quiet");
        let answered = visit.slice("run 0.02").answered;
        visit.command(command);
        let Ran { report, code, complaint } = visit.finish();
        assert_eq!((report.answered, report.interrupted, code), (answered, false, 2), "{command}");
        let start = format!("error: the command \"{command}\": {expected}");
        assert!(complaint.starts_with(&start) && complaint.lines().count() == 1, "{complaint}");
        assert!(complaint.contains("`warm SECONDS` and `run SECONDS`"), "{complaint}");
    }
}

#[test]
fn a_signal_ends_the_wait_for_a_command() {
    let server = ScriptedServer::start(|client| client.answer_all(right));
    for runs in [0, 1] {
        let mut visit = Controlled::start(&server, "--connections 2 --quiet");
        let answered = (0..runs).map(|_| visit.slice("run 0.02").answered).sum::<u64>();
        visit.signal();
        // The input is still open.
        let report = Report::parse(&visit.line()).unwrap();
        assert_eq!((report.answered, report.interrupted), (answered, true), "{runs}");
        assert_eq!(visit.child.wait().unwrap().code(), Some(130), "{runs}");
    }
}

#[test]
fn a_signal_ends_a_slice() {
    for command in ["run 600", "warm 600"] {
        let server = ScriptedServer::start(|client| client.answer_all(right));
        let mut visit = Controlled::start(&server, "--connections 2 --threads 2 --quiet");
        visit.command(command);
        wait_for("requests come", || count(&server.requests) > 20);
        visit.command("run 600");
        visit.signal();
        let slice = Slice::parse(&visit.line()).unwrap();
        assert!(slice.answered > 15 && slice.elapsed_seconds < 500.0, "{command}: {slice:?}");
        let report = Report::parse(&visit.line()).unwrap();
        let answered = if command == "run 600" { slice.answered } else { 0 };
        assert_eq!((report.answered, report.interrupted), (answered, true), "{command}");
        assert_eq!(visit.child.wait().unwrap().code(), Some(130), "{command}");
    }
}

#[test]
fn the_last_command_needs_no_line_feed() {
    let server = ScriptedServer::start(|client| client.answer_all(right));
    let mut visit = Controlled::start(&server, "--connections 1 --quiet");
    visit.write("warm 0.02\nrun 0.02\nrun 0.03");
    visit.commands = None;
    let slices: Vec<Slice> = (0..3).map(|_| Slice::parse(&visit.line()).unwrap()).collect();
    adds_up(&visit.finish().report, &[&slices[1], &slices[2]]);
}
