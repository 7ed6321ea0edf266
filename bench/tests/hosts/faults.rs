//! A host, or the connection to it, fails in the middle of a run. The run has no figures and is
//! repeated, and nothing is left running anywhere.

use std::path::Path;
use std::process::{Child, Output};

use bench::store::record::{Bound, ErrorKind, Record};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::mock::{suite, text, wait_until, workload};
use crate::testbed::{Testbed, pids, with_words};

/// The flags for the hosts of every test.
const HOSTS: &str = "--server-host alpha --load-host beta --load-host gamma";

/// Hosts, and a suite of two workloads: a run that ends, and a run whose requests the server holds
/// as long as the test wants.
pub(crate) fn testbed() -> Option<Testbed> {
    let load = |name| workload(name).tool("visit").with("connections", 4).with("requests", 40);
    let suite = suite(&[load("first"), load("held").path("/held").with("timeout_seconds", 600)]);
    // The first host has the first core, so the two load hosts have different cores.
    Testbed::warm(&["beta", "alpha", "gamma"], &["patient"], &suite)
}

/// Starts a measurement, and waits until it is in the middle of its second run. The server holds no
/// request of a later run.
pub(crate) fn start(testbed: &Testbed, attempts: u32) -> Child {
    let (hold, held) = (testbed.home("alpha").join("hold"), testbed.home("alpha").join("held"));
    std::fs::write(&hold, "").unwrap();
    let bench = testbed.bench(&format!("measure mock --out out --attempts {attempts} {HOSTS}")).spawn();
    wait_until("a request is held", || held.exists());
    std::fs::remove_file(&hold).unwrap();
    bench.unwrap()
}

pub(crate) fn wait(what: &str, mut bench: Child) -> Output {
    wait_until(&format!("{what}: bench ends"), || bench.try_wait().unwrap().is_some());
    bench.wait_with_output().unwrap()
}

/// The workload of each run, and the kind of its error. Leaves out runs that were repeated since
/// other processes of a busy machine disturbed them.
pub(crate) fn runs(records: &[Record]) -> Vec<(&str, Option<ErrorKind>)> {
    let is_kept = |index: &usize| {
        let is_disturbed =
            records[*index].verdict.as_ref().is_some_and(|verdict| verdict.bound == Bound::Disturbed);
        let name = |record: &Record| record.workload.name.clone();
        !(is_disturbed && records.get(index + 1).is_some_and(|next| name(next) == name(&records[*index])))
    };
    let run = |index: usize| {
        let Record { workload, error, .. } = &records[index];
        (workload.name.as_str(), error.as_ref().map(|error| error.kind))
    };
    (0..records.len()).filter(is_kept).map(run).collect()
}

/// A finished run, and one whose host was lost.
const LOST: [(&str, Option<ErrorKind>); 2] = [("first", None), ("held", Some(ErrorKind::HostLost))];

/// The helper on a host.
pub(crate) fn helper(testbed: &Testbed, host: &str) -> i32 {
    let found = with_words(&testbed.rig.pids(host), &["bench host --mark"]);
    let [pid] = found[..] else { panic!("one helper runs on {host}: {found:?}") };
    pid
}

/// The `ssh` of this machine to a host.
fn ssh(testbed: &Testbed, host: &str) -> i32 {
    let ended = format!("-- {host} exec");
    let found = with_words(&pids(), &[&testbed.rig.ssh(), &ended, "hello-bench shell"]);
    let found: Vec<i32> = found.into_iter().filter(|pid| is_program(*pid, "ssh")).collect();
    let [pid] = found[..] else { panic!("one ssh to {host} runs: {found:?}") };
    pid
}

fn is_program(pid: i32, name: &str) -> bool {
    std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|program| program.ends_with(Path::new(name)))
}

fn send(signal: Signal, pid: i32) {
    kill(Pid::from_raw(pid), signal).unwrap();
}

/// A fault of a host.
struct Fault {
    name: &'static str,
    host: &'static str,
    inject: fn(&Testbed, &str),
    /// The possible beginnings of the run's error, after the name of the host.
    said: &'static [&'static str],
}

/// The errors for an unplugged host: of the harness or of ssh, whichever notices it first.
const UNPLUGGED: &[&str] =
    &["nothing was heard of it for 10 s", "the channel to it has ended (exit status: 255): Timeout, server"];

const ENDED: &[&str] = &["the channel to it has ended (exit status: "];

const FAULTS: &[Fault] = &[
    Fault { name: "load host unplugged", host: "gamma", inject: unplug, said: UNPLUGGED },
    Fault { name: "server host unplugged", host: "alpha", inject: unplug, said: UNPLUGGED },
    Fault { name: "session killed", host: "beta", inject: kill_session, said: ENDED },
    Fault { name: "server session killed", host: "alpha", inject: kill_session, said: ENDED },
    Fault { name: "helper killed", host: "gamma", inject: kill_helper, said: ENDED },
    Fault { name: "server helper killed", host: "alpha", inject: kill_helper, said: ENDED },
    Fault {
        name: "helper stopped",
        host: "beta",
        inject: stop_helper,
        said: &["nothing was heard of it for 10 s"],
    },
    Fault {
        name: "ssh killed",
        host: "gamma",
        inject: kill_ssh,
        said: &["the channel to it has ended (signal: 9 (SIGKILL))"],
    },
];

fn unplug(testbed: &Testbed, host: &str) {
    testbed.rig.link(host, false);
    wait_until(&format!("nothing runs on {host}, which is unplugged"), || testbed.runs(host).is_empty());
    wait_until("the run is lost", || testbed.records().iter().any(|record| record.error.is_some()));
    testbed.rig.link(host, true);
}

fn kill_session(testbed: &Testbed, host: &str) {
    for session in testbed.rig.sessions(host) {
        send(Signal::SIGKILL, session);
    }
}

fn kill_helper(testbed: &Testbed, host: &str) {
    send(Signal::SIGKILL, helper(testbed, host));
}

fn stop_helper(testbed: &Testbed, host: &str) {
    send(Signal::SIGSTOP, helper(testbed, host));
}

fn kill_ssh(testbed: &Testbed, host: &str) {
    send(Signal::SIGKILL, ssh(testbed, host));
}

/// All faults are tested at once, since most of the time is spent waiting.
#[test]
fn a_run_whose_host_is_lost_is_done_again() {
    let check = |fault: &Fault| {
        let Fault { name, host, inject, said } = fault;
        let Some(testbed) = testbed() else { return };
        let bench = start(&testbed, 3);
        let pid = bench.id();
        inject(&testbed, host);
        let output = wait(name, bench);
        let text = text(&output);
        let records = testbed.records();
        assert_eq!(runs(&records), [LOST[0], LOST[1], ("held", None)], "{name}: {text}");
        let lost = records.iter().find(|record| record.error.is_some()).unwrap();
        let message = &lost.error.as_ref().unwrap().message;
        let is_said = |said: &&str| message.starts_with(&format!("{host}: {said}"));
        assert!(said.iter().any(is_said), "{name}: {message}");
        assert!(lost.load.is_none() && lost.hosts.is_none(), "{name}: {text}");
        let done = records.last().unwrap();
        assert_eq!(done.load.as_ref().unwrap().answered, 40, "{name}: {text}");
        assert_eq!(output.status.code(), Some(0), "{name}: {text}");
        testbed.await_nothing(name, pid);
    };
    std::thread::scope(|scope| {
        for fault in FAULTS {
            scope.spawn(|| check(fault));
        }
    });
}

/// The sshd of the host has ended, too. The error of every attempt says so, and the measurement
/// does not wait for the host.
#[test]
fn a_host_that_stays_away_is_in_the_records() {
    let Some(testbed) = testbed() else { return };
    let bench = start(&testbed, 2);
    let pid = bench.id();
    let listener = std::fs::read_to_string(testbed.rig.path("hosts/beta/pid")).unwrap();
    send(Signal::SIGKILL, listener.trim().parse().unwrap());
    kill_session(&testbed, "beta");
    let output = wait("away", bench);
    let text = text(&output);
    let records = testbed.records();
    assert_eq!(runs(&records), [LOST[0], LOST[1], LOST[1]], "{text}");
    let message = &records.last().unwrap().error.as_ref().unwrap().message;
    let begins =
        "cannot reach beta again: it cannot be reached: ssh ended with exit status: 255: ssh: connect to ";
    assert!(message.starts_with(begins) && message.ends_with("Connection refused"), "{message}");
    assert_eq!(output.status.code(), Some(1), "{text}");
    testbed.await_nothing("away", pid);
    let text = testbed.checkout.expect("measure --resume out", 1, "error: host beta: it cannot be reached: ");
    assert_eq!(text.trim().lines().count(), 1, "{text}");
}

/// With `--attempts 1` the run stays lost until the measurement is resumed, when the host is back.
#[test]
fn a_measurement_whose_host_is_lost_is_resumed() {
    let Some(testbed) = testbed() else { return };
    let bench = start(&testbed, 1);
    let pid = bench.id();
    testbed.rig.link("gamma", false);
    let output = wait("unplugged", bench);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    wait_until("nothing runs on gamma, which is unplugged", || testbed.runs("gamma").is_empty());
    testbed.rig.link("gamma", true);
    testbed.await_nothing("unplugged", pid);
    assert_eq!(runs(&testbed.records()), LOST, "{}", text(&output));

    let text = testbed.checkout.succeed("measure --resume out");
    let records = testbed.records();
    let done = [LOST[0], LOST[1], ("held", None)];
    assert_eq!(runs(&records), done, "{text}");
    assert!(text.contains("the link is not probed"), "{text}");
    // No run is left, so the link does not matter.
    let text = testbed.checkout.succeed("measure --resume out");
    assert_eq!(runs(&testbed.records()), done, "{text}");
    assert!(!text.contains("the link is not probed"), "{text}");
}

#[test]
fn a_harness_that_ends_leaves_nothing_running_and_is_resumed() {
    let nothing: fn(&Testbed) = |_| {};
    let unplug: fn(&Testbed) = |testbed| testbed.rig.link("gamma", false);
    let stop: fn(&Testbed) = |testbed| send(Signal::SIGSTOP, helper(testbed, "gamma"));
    // The name, the signal, the fault of a load host before the signal, and the exit code.
    let cases = [
        ("killed", Signal::SIGKILL, nothing, None),
        ("interrupted", Signal::SIGINT, nothing, Some(130)),
        ("killed while unplugged", Signal::SIGKILL, unplug, None),
        ("interrupted while unplugged", Signal::SIGINT, unplug, Some(130)),
        ("interrupted while a helper is stopped", Signal::SIGINT, stop, Some(130)),
    ];
    let check = |name, signal, before: fn(&Testbed), code| {
        let Some(testbed) = testbed() else { return };
        let bench = start(&testbed, 1);
        let pid = bench.id();
        before(&testbed);
        send(signal, pid.try_into().unwrap());
        let output = wait(name, bench);
        assert_eq!(output.status.code(), code, "{name}: {}", text(&output));
        testbed.await_nothing(name, pid);
        testbed.rig.link("gamma", true);
        assert_eq!(runs(&testbed.records()), [LOST[0]], "{name}: {}", text(&output));

        let text = testbed.checkout.succeed("measure --resume out");
        assert_eq!(runs(&testbed.records()), [LOST[0], ("held", None)], "{name}: {text}");
    };
    std::thread::scope(|scope| {
        for (name, signal, before, code) in cases {
            scope.spawn(move || check(name, signal, before, code));
        }
    });
}
