//! Attached servers, which the user has started: they are measured, and left running.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use crate::mock::{Checkout, suite, task, text, workload};
use bench::store::record::{ErrorKind, Record};

/// A checkout with a server, a load for the mock tool, and a start.
fn checkout() -> Checkout {
    let workloads = [workload("load").path("/last"), task("start", "start").path("/last")];
    Checkout::new(&["good"], &suite(&workloads))
}

/// A mock server that `bench` has not started.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(checkout: &Checkout, kind: &str) -> Self {
        let mock = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mock/server.py");
        let mut command = Command::new("python3");
        command.arg(mock).arg(kind).env("HOME", checkout.path(""));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap().to_owned();
        Self { child, address }
    }

    fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn measure(checkout: &Checkout, flags: &[&str]) -> (Output, String) {
    let output = checkout.bench("measure load --control none --out out").args(flags).output().unwrap();
    // Joins the lines, since a report may wrap its sentences anywhere.
    let text = text(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    (output, text)
}

fn run_of<'a>(records: &'a [Record], name: &str) -> &'a Record {
    records.iter().find(|record| record.server.name == name).unwrap()
}

#[test]
fn an_attached_server_is_measured_beside_ours_and_keeps_running() {
    let checkout = checkout();
    let mut server = Server::start(&checkout, "good");
    let pid = server.child.id().to_string();
    let flags =
        ["start", "--address", &server.address, "--pid", &pid, "--as", "mine 1.2", "--servers", "good"];
    let (output, text) = measure(&checkout, &flags);
    // The attached server was named, and cannot be measured under `start`.
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(server.runs(), "{text}");
    let records = checkout.loaded().records;
    let (starts, loads): (Vec<Record>, Vec<Record>) =
        records.into_iter().partition(|run| run.workload.name == "start");
    let run = run_of(&loads, "mine");
    assert!(run.server.is_attached && !run_of(&loads, "good").server.is_attached);
    assert_eq!(run.server.version.as_deref(), Some("1.2"));
    assert!(run.server.conformance.is_some(), "{text}");
    assert!(run.cpu.as_ref().unwrap().server.unwrap().seconds > 0.0, "{run:?}");
    let memory = run.memory.unwrap();
    assert!((memory.at_rest_bytes, memory.peak_bytes) == (None, None) && memory.after_bytes.is_some());
    assert!(!run.server_cores.is_empty());
    assert!(text.contains("Attached to, not started, pinned or stopped by this measurement: mine"), "{text}");
    // `bench` did not start the server, so it is not pinned, and cannot be measured under `start`.
    assert!(text.contains("keeps it on the servers' cores"), "{text}");
    assert!(run_of(&starts, "good").error.is_none());
    let refused = run_of(&starts, "mine").error.as_ref().unwrap();
    assert_eq!(refused.kind, ErrorKind::Unavailable);
    assert!(refused.message.contains("it runs already"), "{}", refused.message);
}

#[test]
fn without_pid_the_figures_of_the_process_are_null() {
    let checkout = checkout();
    let mut server = Server::start(&checkout, "good");
    let (output, text) = measure(&checkout, &["--address", &server.address, "--as", "mine 1.2"]);
    assert!(output.status.success() && server.runs(), "{text}");
    let records = checkout.loaded().records;
    assert_eq!(records.len(), 1, "{text}");
    let run = run_of(&records, "mine");
    let cpu = run.cpu.as_ref().unwrap();
    assert!(cpu.server.is_none() && cpu.external_seconds.is_none() && run.memory.is_none(), "{run:?}");
    assert!(cpu.tool.seconds > 0.0 && run.cpu_per_request().is_none() && run.per_second().is_some());
    assert_eq!(run.verdict.as_ref().unwrap().server_utilisation, None);
    assert!(text.contains("without --pid its CPU time and memory are unknown"), "{text}");
    assert!(text.contains("CPU time unknown, since no process was named (`--pid`): mine"), "{text}");
}

#[test]
fn an_attached_server_that_ends_is_a_row_that_says_so() {
    for has_pid in [true, false] {
        let checkout = checkout();
        let mut server = Server::start(&checkout, "brief");
        let pid = server.child.id().to_string();
        let mut flags = vec!["--address", &server.address, "--as", "mine 1.2"];
        flags.extend(if has_pid { vec!["--pid", &pid] } else { vec![] });
        let (output, text) = measure(&checkout, &flags);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(!server.runs());
        let records = checkout.loaded().records;
        let error = run_of(&records, "mine").error.clone().unwrap();
        let expected = if has_pid { "has ended" } else { "cannot connect to" };
        assert!(error.kind == ErrorKind::Died && error.message.contains(expected), "{error:?}");
    }
}

#[test]
fn a_mistake_names_the_flag_before_anything_runs() {
    let checkout = checkout();
    let server = Server::start(&checkout, "good");
    let elsewhere = Server::start(&checkout, "good");
    let other = elsewhere.child.id().to_string();
    let address = server.address.as_str();
    let cases: [(&[&str], i32, &str); 8] = [
        (&["--address", "127.0.0.1:1", "--as", "mine 1"], 1, "--address: cannot connect to 127.0.0.1:1"),
        (
            &["--address", address, "--as", "mine 1", "--pid", "4194305"],
            1,
            "--pid: there is no process 4194305",
        ),
        (
            &["--address", address, "--as", "mine 1", "--pid", &other],
            1,
            "neither this process nor a child of it listens at",
        ),
        (&["--address", address, "--as", "good 1"], 1, "--as: `good` is the name of "),
        (&["--address", address, "--as", "mine"], 2, "nothing is measured without a version"),
        (&["--address", address, "--as", "my/own 1"], 2, "it is made of letters"),
        (&["--address", address], 2, "--as <NAME VERSION>"),
        (&["--pid", "1"], 2, "--address <HOST:PORT>"),
    ];
    for (flags, code, expected) in cases {
        let (output, text) = measure(&checkout, flags);
        assert_eq!(output.status.code(), Some(code), "{flags:?}: {text}");
        assert!(text.contains(expected), "{flags:?}: {text}");
        assert!(!checkout.path("out").exists(), "{text}");
    }
}
