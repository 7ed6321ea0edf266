//! Fault injection: `bench measure` with the real `visit` against servers that fail in the middle
//! of a run. The failure has to be reported, and the run must have no figures like those of a
//! correct server.

use std::process::{Child, Command};

use bench::store::record::{Bound, ErrorKind, Record};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

use crate::mock::{Checkout, suite, workload};

/// Measures a mock server once, with further flags. Returns its only record, and the output.
fn measure(server: &str, flags: &str) -> (Record, String) {
    measure_requests(3000, server, flags)
}

/// The load has a number of requests, so that every fault occurs on a slow machine too.
fn measure_requests(requests: u32, server: &str, flags: &str) -> (Record, String) {
    let load = workload("load").tool("visit").with("connections", 20).with("requests", requests);
    let checkout = Checkout::new(&[server], &suite(&[load]));
    let (_, text) = checkout.run(format!("measure mock --out out {flags}").trim());
    checkout.assert_nothing_runs();
    let mut records = checkout.loaded().records;
    assert_eq!(records.len(), 1, "{server}: {text}");
    (records.remove(0), text)
}

#[test]
fn a_server_without_a_fault_is_valid() {
    let (record, text) = measure("good", "");
    assert_eq!((record.load.as_ref().unwrap().answered, record.error_count()), (3000, 0), "{text}");
    assert_ne!(record.verdict.unwrap().bound, Bound::Invalid, "{text}");
}

/// Python's `http.server` does so: it answers correctly, but neither keeps connections nor
/// pipelines.
#[test]
fn a_server_that_closes_after_each_answer_is_measured() {
    let (record, text) = measure("once", "");
    assert_eq!(record.load.as_ref().map(|load| load.answered), Some(3000), "{text}");
}

#[test]
fn a_failure_in_the_middle_leaves_no_figures() {
    let cases = [
        ("expires", ErrorKind::Died, "ended with exit status: 3: killed by the test"),
        ("turns", ErrorKind::WrongAnswer, "an answer was wrong under load"),
    ];
    for (server, kind, message) in cases {
        let (record, text) = measure_requests(300, server, "");
        assert!(record.load.is_none() && record.verdict.is_none(), "{server}: {text}");
        let failure = record.error.unwrap();
        assert_eq!(failure.kind, kind, "{server}: {text}");
        assert!(failure.message.contains(message), "{server}: {text}");
        assert!(text.contains(message), "{server} is missing in the report: {text}");
    }
}

#[test]
fn errors_make_a_run_invalid() {
    let cases = [
        ("capped", "Errors: capped ("),
        // The server gets 3,001 requests, since the harness makes one before the load.
        ("busy", "Errors: busy (3 × status 503)"),
    ];
    for (server, note) in cases {
        let (record, text) = measure(server, "");
        assert!(record.error_count() > 0, "{server}: {text}");
        assert_eq!(record.verdict.unwrap().bound, Bound::Invalid, "{server}: {text}");
        for said in ["invalid", note] {
            assert!(text.contains(said), "{server}: `{said}` is missing in the report: {text}");
        }
    }
}

/// On a machine that is busy with other processes, the reason may be that the run was disturbed.
#[test]
fn a_server_that_stops_for_a_second_has_no_valid_figures() {
    let (record, text) = measure("stops", "");
    assert_eq!(record.error_count(), 0, "{text}");
    let verdict = record.verdict.unwrap();
    let reason = verdict.reason.unwrap();
    match verdict.bound {
        Bound::Invalid => assert!(reason.contains("something stood still: an answer took 1."), "{text}"),
        bound => assert_eq!(bound, Bound::Disturbed, "{text}"),
    }
    assert!(text.contains(&reason), "{text}");
}

/// The tool gets at most half of its core. It may open its connections so late that the harness
/// does not see all of them, which is then the first reason.
#[test]
fn a_tool_without_its_core_is_reported() {
    let allowed = sched_getaffinity(Pid::from_raw(0)).unwrap();
    let cores: Vec<usize> = (0..CpuSet::count()).filter(|core| allowed.is_set(*core).unwrap()).collect();
    let [server, tool, ..] = cores[..] else { return };
    let spinner = Spinner::on(tool);
    let (record, text) = measure("good", &format!("--server-cores {server} --tool-cores {tool}"));
    drop(spinner);
    let verdict = record.verdict.unwrap();
    assert!(verdict.external_share.unwrap() > 0.05, "{text}");
    let reason = match verdict.bound {
        Bound::Invalid => "of 20 connections were open",
        Bound::Disturbed => "other work took ",
        bound => panic!("{bound}: {text}"),
    };
    assert!(verdict.reason.unwrap().contains(reason) && text.contains(reason), "{text}");
}

/// A process that keeps a core busy until it is dropped.
struct Spinner(Child);

impl Spinner {
    /// Starts the process on a core: it inherits the core from the thread that starts it.
    fn on(core: usize) -> Self {
        let spin = move || {
            let mut only = CpuSet::new();
            only.set(core).unwrap();
            sched_setaffinity(Pid::from_raw(0), &only).unwrap();
            Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap()
        };
        Self(std::thread::spawn(spin).join().unwrap())
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
