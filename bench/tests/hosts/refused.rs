//! A lost host that refuses connections for a while, or takes long to log in. A mock `ssh`, beside
//! this file, runs the helper on this machine and refuses calls. The tests need no root.

use std::fs;
use std::process::Child;

use bench::store::record::{ErrorKind, Record};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::faults::runs;
use crate::mock::{Checkout, suite, text, wait_until, workload};
use crate::testbed::{await_nothing_of, checkout, mock_ssh, pids, records, with_words};

/// A checkout whose host refuses this many calls after the first.
fn away(refusals: usize) -> Checkout {
    let load = |name| workload(name).tool("visit").with("connections", 4).with("requests", 40);
    let suite = suite(&[load("first"), load("held").path("/held").with("timeout_seconds", 600)]);
    let checkout = checkout(&["patient"], &suite);
    checkout.write("refusals", &refusals.to_string());
    checkout.write("delay", "0");
    checkout.write("hold", "");
    checkout
}

/// Starts a measurement, and waits until it is in the middle of its second run.
fn start(checkout: &Checkout) -> Child {
    let mut bench = checkout.bench("measure mock --out out --attempts 3 --server-host there");
    let ssh = mock_ssh(&format!("away {}", checkout.path("").display()));
    let bench = bench.args(["--ssh", &ssh]).spawn().unwrap();
    wait_until("a request is held", || checkout.path("held").exists());
    fs::remove_file(checkout.path("hold")).unwrap();
    bench
}

/// Starts a measurement, and kills the `ssh` to its host in the middle of the second run.
fn lose(checkout: &Checkout) -> Child {
    let bench = start(checkout);
    send(Signal::SIGKILL, calls(checkout)[0]);
    bench
}

fn send(signal: Signal, pid: i32) {
    kill(Pid::from_raw(pid), signal).unwrap();
}

/// The processes of the mock `ssh`, one per call.
fn calls(checkout: &Checkout) -> Vec<i32> {
    let calls = fs::read_to_string(checkout.path("calls")).unwrap();
    calls.lines().map(|line| line.parse().unwrap()).collect()
}

#[test]
fn a_host_that_refuses_is_reached_again_after_pauses() {
    let checkout = away(1);
    let bench = lose(&checkout);
    let pid = bench.id();
    let output = bench.wait_with_output().unwrap();
    let text = text(&output);
    let records = records(&checkout.path("out"));
    let lost = ("held", Some(ErrorKind::HostLost));
    assert_eq!(runs(&records), [("first", None), lost, lost, ("held", None)], "{text}");
    let message = |record: &Record| record.error.as_ref().map(|error| error.message.clone());
    let refused = records.iter().filter_map(message).nth(1).unwrap();
    let expected = "cannot reach there again: it cannot be reached: ssh ended with exit status: 255: \
                    ssh: connect to host there port 22: Connection refused";
    assert_eq!(refused, expected, "{text}");
    let pauses: Vec<&str> =
        text.lines().filter_map(|line| line.split(": connecting again in ").nth(1)).collect();
    assert_eq!(pauses, ["5 s", "10 s"], "{text}");
    // The first call, the one that was refused, one that ends the processes left on the host, and
    // the last.
    assert_eq!(calls(&checkout).len(), 4, "{text}");
    assert_eq!(output.status.code(), Some(0), "{text}");
    await_nothing_of("refused", pid);
}

#[test]
fn the_user_need_not_wait_for_a_host_that_is_away() {
    let checkout = away(1000);
    let bench = lose(&checkout);
    let pid = bench.id();
    let is_lost = || records(&checkout.path("out")).iter().any(|record| record.error.is_some());
    wait_until("the host is lost", is_lost);
    send(Signal::SIGINT, pid.try_into().unwrap());
    let output = bench.wait_with_output().unwrap();
    let text = text(&output);
    assert_eq!(output.status.code(), Some(130), "{text}");
    assert!(text.contains("interrupted: the runs made until now are kept"), "{text}");
    await_nothing_of("interrupted", pid);
}

/// The second `ssh` ends the helper, which does not end by itself. It needs more than the two
/// seconds after which an interruption kills processes.
#[test]
fn a_stopped_helper_is_ended_however_long_a_login_takes() {
    let checkout = away(0);
    checkout.write("delay", "4");
    let bench = start(&checkout);
    let pid = bench.id();
    let own = format!("bench host --mark {pid}-");
    let [helper] = with_words(&pids(), &[&own])[..] else { panic!("one helper runs") };
    send(Signal::SIGSTOP, helper);
    send(Signal::SIGINT, pid.try_into().unwrap());
    let output = bench.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text(&output));
    await_nothing_of("stopped", pid);
}
