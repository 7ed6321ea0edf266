//! A `visit` that reads lines from its standard input, and the conditions that its tests wait for.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use visit_output::{Errors, Ready, Slice, VERSION};

use super::server::ScriptedServer;
use super::{Ran, command, ran};

/// The timeout of a wait: longer than any line takes to come.
const BOUND: Duration = Duration::from_secs(60);

/// A `visit` that has opened its connections, and waits for commands or for its start.
pub(super) struct Controlled {
    pub(super) child: Child,
    /// The standard input of `visit`, until it is closed.
    pub(super) commands: Option<ChildStdin>,
    lines: Receiver<String>,
    /// Connections that were open at the start.
    pub(super) open: Option<u64>,
}

impl Controlled {
    pub(super) fn start(server: &ScriptedServer, arguments: &str) -> Self {
        Self::with(server, &format!("--control {arguments}"))
    }

    /// Starts `visit` with arguments that make it print the first line and wait.
    pub(super) fn with(server: &ScriptedServer, arguments: &str) -> Self {
        let mut child = command(server)
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

    pub(super) fn command(&mut self, command: &str) {
        self.write(&format!("{command}\n"));
    }

    pub(super) fn write(&mut self, text: &str) {
        self.commands.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    pub(super) fn line(&self) -> String {
        self.lines.recv_timeout(BOUND).unwrap()
    }

    /// Gives a command and reads its slice.
    pub(super) fn slice(&mut self, command: &str) -> Slice {
        self.command(command);
        let line = self.line();
        let slice = Slice::parse(&line).unwrap();
        assert_eq!(serde_json::to_string(&slice).unwrap(), line, "what is printed is read without loss");
        let Errors { reset, closed, timeout, wrong, cut_off, .. } = slice.errors;
        let outcomes = slice.statuses.values().sum::<u64>() + reset + closed + timeout + wrong + cut_off;
        assert_eq!(slice.sent, outcomes, "no request is left: {slice:?}");
        slice
    }

    pub(super) fn signal(&self) {
        kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGINT).unwrap();
    }

    /// The number of context switches of all threads of `visit`.
    pub(super) fn switches(&self) -> u64 {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let status = tasks.map(|task| std::fs::read_to_string(task.unwrap().path().join("status")).unwrap());
        let count = |line: &str| line.split_once("ctxt_switches:")?.1.trim().parse::<u64>().ok();
        status.map(|status| status.lines().filter_map(count).sum::<u64>()).sum()
    }

    /// Ends the input and reads the report.
    pub(super) fn finish(self) -> Ran {
        let Self { mut child, commands, lines, .. } = self;
        drop(commands);
        let report = lines.recv_timeout(BOUND).unwrap();
        let code = child.wait().unwrap().code().unwrap();
        let mut complaint = String::new();
        child.stderr.unwrap().read_to_string(&mut complaint).unwrap();
        assert_eq!(lines.recv_timeout(BOUND), Err(RecvTimeoutError::Disconnected));
        ran(&report, complaint, code)
    }
}

pub(super) fn count(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::SeqCst)
}

/// Waits until `happened` returns true.
pub(super) fn wait_for(name: &str, mut happened: impl FnMut() -> bool) {
    let start = Instant::now();
    while !happened() {
        assert!(start.elapsed() < BOUND, "{name}");
        sleep(Duration::from_millis(2));
    }
}

/// Closes a connection, even while a process that another test starts has inherited it.
pub(super) fn close(stream: &TcpStream) {
    stream.shutdown(Shutdown::Both).unwrap();
    wait_for_delivery(stream);
}

/// Waits until the client's kernel has all bytes, and the end of the connection if it was closed.
pub(super) fn wait_for_delivery(stream: &TcpStream) {
    let ports = [stream.local_addr(), stream.peer_addr()].map(|address| address.unwrap().port());
    let [local, remote] = ports.map(|port| format!(":{port:04X}"));
    wait_for("the kernel delivers", || {
        let connections = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let mut connections = connections.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        // A line has a number, two addresses, the state, and the bytes that are not acknowledged.
        let found = connections.find(|fields| fields[1].ends_with(&local) && fields[2].ends_with(&remote));
        found.is_none_or(|fields| fields[4].starts_with("00000000:"))
    });
}
