//! `bench measure` end to end, with mock servers and a mock load tool. Nothing here depends on time.

use std::fs;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Output};

use bench::store::record::ErrorKind;
use bench::store::results::Loaded;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::mock::{Checkout, suite, task, wait_until, workload};

/// A checkout with workloads for the mock tool, each with its number of connections.
fn checkout(servers: &[&str], workloads: &[(&str, u32)]) -> Checkout {
    let workload = |(name, connections): &(&str, u32)| workload(name).with("connections", *connections);
    Checkout::new(servers, &suite(&workloads.iter().map(workload).collect::<Vec<_>>()))
}

/// Waits until a mock has started.
fn wait_for_pid(checkout: &Checkout, prefix: &str) {
    wait_until(prefix, || checkout.pids().iter().any(|name| name.starts_with(prefix)));
}

fn wait(mut child: Child) -> Output {
    wait_until("bench ends", || child.try_wait().unwrap().is_some());
    child.wait_with_output().unwrap()
}

/// The repetition and the workload of each run, in order.
fn runs(checkout: &Checkout) -> Vec<(Option<u32>, String)> {
    let records = checkout.loaded().records.into_iter();
    records.map(|record| (record.repetition, record.workload.name)).collect()
}

#[test]
fn repetitions_are_the_outer_loop_and_every_run_is_a_record() {
    let checkout = checkout(&["good"], &[("normal", 1), ("also", 1)]);
    let text = checkout.succeed("measure mock --repetitions 3 --out out --seed 1");

    let expected = [1, 2, 3].map(|n| [(Some(n), "normal".to_owned()), (Some(n), "also".to_owned())]);
    assert_eq!(runs(&checkout), expected.concat());
    for record in checkout.loaded().records {
        let (load, cpu) = (record.load.unwrap(), record.cpu.unwrap());
        assert_eq!(load.answered, 200);
        assert!((load.elapsed_seconds - 0.846).abs() < 1e-9);
        assert!(cpu.server.unwrap().seconds > 0.0 && cpu.tool.seconds > 0.0);
        assert_eq!(record.server.version.as_deref(), Some("server-good 1 (mock 1)"));
        let raw = fs::read_to_string(checkout.path("out/raw").join(record.raw.unwrap())).unwrap();
        assert!(raw.contains("236.3939"));
    }
    // The rate is 200 answers in 0.846 s, and not the rate that the tool claims.
    assert!(text.contains("236"), "{text}");
    checkout.assert_nothing_runs();
}

#[test]
fn suites_are_measured_in_the_order_given_each_with_its_repetitions() {
    let checkout = checkout(&["good"], &[("first", 1), ("second", 1)]);
    checkout.write("bench/workloads/other.toml", &suite(&[workload("other-one")]));
    let text = checkout.succeed("measure other mock --repetitions 2 --out out");
    let expected =
        [(1, "other-one"), (2, "other-one"), (1, "first"), (1, "second"), (2, "first"), (2, "second")];
    let expected = expected.map(|(repetition, workload)| (Some(repetition), workload.to_owned()));
    assert_eq!(runs(&checkout), expected, "{text}");
}

/// The article ran each scenario once. In slices, nine repetitions are made in the time of five.
#[test]
fn a_sweep_runs_quick_several_times_and_then_the_article_once() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let workloads = bench::servers::checkout::Checkout::read(Some(&root)).unwrap();
    let workloads = workloads.choose_workloads(&["quick".into(), "article".into()]).unwrap();
    let repetitions: Vec<_> =
        workloads.iter().map(|workload| (workload.suite.as_str(), workload.repetitions)).collect();
    assert_eq!(repetitions, [("quick", 5), ("quick", 5), ("article", 1), ("article", 1), ("article", 1)]);
    let sweep = fs::read_to_string(root.join("scripts/sweep")).unwrap();
    assert!(sweep.contains("workloads=(quick article)"), "{sweep}");
}

#[test]
fn each_record_has_the_conformance_of_its_server() {
    let checkout = checkout(&["good", "tidy"], &[("normal", 1)]);
    let (_, text) = checkout.run("measure mock --repetitions 1 --out out");
    for record in checkout.loaded().records {
        let conformance = &record.server.conformance;
        assert_eq!(conformance.is_some(), record.server.name.starts_with("tidy"), "{text}");
        if let Some(found) = conformance {
            assert!(0 < found.passed && found.passed < found.cases, "{found:?}");
            assert!(text.contains(&format!("{}/{}", found.passed, found.cases)), "{text}");
        }
    }
    checkout.assert_nothing_runs();
}

/// A floor is measured among the servers, but is sent no conformance cases and no drills.
#[test]
fn a_floor_is_measured_and_is_not_a_server() {
    let checkout = checkout(&["good", "tidy"], &[("normal", 1)]);
    checkout.extend_manifest("tidy", "floor = true\n");
    let text = checkout.succeed("measure mock --out out");
    assert!(text.contains("1 server and the floor under 1 workload"), "{text}");
    assert!(text.contains("tidy (not a server)") && text.contains("To the floor"), "{text}");
    let records = checkout.loaded().records;
    // A single server has no duplicate: there is nothing to compare it with.
    assert_eq!(records.len(), 2, "{text}");
    for record in records {
        assert_eq!(record.server.is_floor, record.server.name == "tidy");
        assert!(record.load.is_some() && record.server.conformance.is_none(), "{text}");
    }

    let cases = [
        ("verify --servers tidy", 0, "as known: 3 of 3 cases pass"),
        ("list servers", 0, "not a server"),
        (
            "measure mock --control tidy",
            1,
            "error: --control tidy: it is a floor, not a server: name a server",
        ),
        ("verify --conformance --servers tidy", 1, "error: tidy: it is a floor, not a server, and "),
        ("drill --servers tidy,good --drills idle", 1, "error: tidy: it is a floor, not a server, and "),
    ];
    for (arguments, code, expected) in cases {
        checkout.expect(arguments, code, expected);
    }
    checkout.assert_nothing_runs();
}

/// Each of the two builds waits for the other.
#[test]
fn servers_with_different_build_programs_are_built_at_the_same_time() {
    let checkout = checkout(&["good", "other"], &[("normal", 1)]);
    let wait = "echo > $HOME/OWN; until [ -e $HOME/OTHER ]; do sleep 0.01; done";
    for (server, program, other) in [("good", r#""sh""#, "other"), ("other", r#""env", "sh""#, "good")] {
        let script = wait.replace("OWN", server).replace("OTHER", other);
        checkout.extend_manifest(server, &format!("build = [{program}, \"-c\", \"{script}\"]\n"));
    }
    let text = checkout.succeed("measure mock --out out");
    assert!(text.contains("building good, ") && text.contains("building other, "), "{text}");
    assert!(checkout.loaded().records.iter().all(|record| record.load.is_some()), "{text}");
}

#[test]
fn a_server_that_misbehaves_is_a_row_that_says_so() {
    let checkout = checkout(&["dead", "good", "mortal", "mute", "wrong"], &[("normal", 1)]);
    let text = checkout.expect("measure mock --out out", 1, "");

    let records = checkout.loaded().records;
    let failure = |server: &str| {
        let record = records.iter().find(|record| record.server.name == server).unwrap();
        record.error.as_ref().map(|failure| (failure.kind, failure.message.clone()))
    };
    assert_eq!(failure("good"), None);
    let cases = [
        ("dead", ErrorKind::Start, "no luck today"),
        ("mortal", ErrorKind::Died, "killed by the test"),
        ("mute", ErrorKind::Build, "has no version"),
        ("wrong", ErrorKind::WrongAnswer, "Nobody is here"),
    ];
    for (server, kind, message) in cases {
        let (got, said) = failure(server).unwrap();
        assert_eq!(got, kind, "{server}: {said}");
        assert!(said.contains(message), "{server}: {said}");
        assert!(text.contains(message), "{server} is missing in the report: {text}");
    }
    checkout.assert_nothing_runs();
}

#[test]
fn a_tool_that_misbehaves_is_a_row_that_says_so() {
    let checkout = checkout(&["good"], &[("fails", 2), ("cut", 4), ("refused", 5), ("normal", 1)]);
    let text = checkout.expect("measure mock --out out", 1, "");

    let records = checkout.loaded().records;
    let record = |name: &str| records.iter().find(|record| record.workload.name == name).unwrap();
    let failure = |name: &str| record(name).error.as_ref().unwrap();
    assert_eq!(failure("fails").kind, ErrorKind::Tool);
    assert!(failure("fails").message.contains("out of luck"), "{text}");
    assert!(failure("cut").message.contains("cut off"), "{text}");
    assert!(record("cut").raw.is_some());
    // The tool claims 15,652 requests per second and exits with 0, but no request was answered.
    let refused = record("refused");
    assert_eq!((refused.load.as_ref().unwrap().answered, refused.error_count()), (0, 20));
    assert_eq!(refused.cpu_per_request(), None);
    assert!(record("normal").load.is_some());
}

/// The test interrupts `bench` once the mock of that moment runs, so that nothing depends on time.
#[test]
fn ctrl_c_ends_everything_at_any_moment() {
    let slow_build = "build = [\"sh\", \"-c\", \"echo > $HOME/pids/build-$$; exec sleep 60\"]\n";
    let mute_for_ever = "version = [\"sh\", \"-c\", \"echo > $HOME/pids/version-$$; exec sleep 60\"]\n";
    // The moment, the signal, the server, a changed line of its manifest, the seconds of warm-up of
    // the workload that hangs, the mock that runs then, and the number of runs that are kept.
    let cases = [
        ("a build", Signal::SIGINT, "good", slow_build, 0, "build-", 0),
        ("a version", Signal::SIGTERM, "good", mute_for_ever, 0, "version-", 0),
        ("the cases", Signal::SIGINT, "stubborn", "", 0, "server-", 0),
        ("a warm-up", Signal::SIGINT, "good", "", 1, "tool-", 1),
        ("a run", Signal::SIGTERM, "good", "", 0, "tool-", 1),
    ];
    for (moment, signal, server, line, warm_up, runs_then, kept) in cases {
        let hanging = workload("hangs").with("connections", 3).with("warm_up_seconds", warm_up);
        let checkout = Checkout::new(&[server], &suite(&[workload("normal"), hanging]));
        checkout.extend_manifest(server, line);
        let child = checkout.bench("measure normal hangs --out out").spawn().unwrap();
        wait_for_pid(&checkout, runs_then);
        kill(Pid::from_raw(child.id().cast_signed()), signal).unwrap();
        let output = wait(child);

        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{moment}: {said}");
        let records = checkout.loaded().records;
        assert_eq!(records.len(), kept, "{moment}: {said}");
        assert!(records.iter().all(|record| record.load.is_some()), "{moment}: {records:?}");
        let report = String::from_utf8_lossy(&output.stdout);
        assert!(report.contains(if kept == 0 { "no figures" } else { "236" }), "{moment}: {report}");
        checkout.assert_nothing_runs();
    }
}

/// A process inherits an ignored SIGCHLD and a blocked SIGTERM from its parent.
#[test]
fn what_a_parent_has_ignored_and_blocked_changes_nothing() {
    let checkout = checkout(&["tidy"], &[("normal", 1)]);
    let parent = ["env", "--ignore-signal=CHLD", "--block-signal=TERM"];
    let output = checkout.bench_by(&parent, "measure normal --control none --out out").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(checkout.loaded().records.iter().all(|record| record.load.is_some()));
    checkout.assert_nothing_runs();
}

/// The test reads the report only after Ctrl-C, so `bench` cannot end before that.
#[test]
fn ctrl_c_during_the_report_exits_with_130() {
    let checkout = checkout(&["good"], &[("normal", 1)]);
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    let mut filled = 0;
    while let Ok(more) = (&theirs).write(&[b' '; 1024]) {
        filled += more;
    }
    theirs.set_nonblocking(false).unwrap();
    let mut bench = checkout.bench("measure normal --out out");
    let child = bench.stdout(OwnedFd::from(theirs)).spawn().unwrap();
    drop(bench);
    let measurements = checkout.path("out/measurements.jsonl");
    wait_until("a run is kept", || fs::read_to_string(&measurements).is_ok_and(|text| text.ends_with('\n')));
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
    let mut report = Vec::new();
    ours.read_to_end(&mut report).unwrap();

    assert_eq!(wait(child).status.code(), Some(130));
    assert!(String::from_utf8_lossy(&report[filled..]).contains("236"));
    checkout.assert_nothing_runs();
}

/// Each workload has a table when every server has run once, and again after its last repetition,
/// unless the report follows.
#[test]
fn preliminary_tables_are_printed_as_repetitions_complete() {
    let checkout = checkout(&["good", "other"], &[("first", 1), ("second", 1)]);
    checkout.write("bench/workloads/other.toml", &suite(&[workload("third")]));
    let (output, text) = checkout.run("measure mock other --repetitions 2 --control none --out out");
    assert!(output.status.success(), "{text}");
    let said = String::from_utf8(output.stderr).unwrap();
    let captions: Vec<&str> = said.lines().filter(|line| line.starts_with("Preliminary, ")).collect();
    let expected = [(1, "first"), (1, "second"), (2, "first"), (2, "second"), (1, "third")];
    assert_eq!(captions.len(), expected.len(), "{said}");
    for (caption, (repetitions, workload)) in captions.into_iter().zip(expected) {
        let plural = if repetitions == 1 { "" } else { "s" };
        let start = format!("Preliminary, {repetitions} repetition{plural}: {workload} ");
        assert!(caption.starts_with(&start), "{start}: {caption}");
    }
    // The first table comes before the second repetition, with a row for each server.
    let (before, after) = said.split_once("Preliminary, 1 repetition").unwrap();
    assert!(before.contains(" first good #1") && !before.contains("#2"), "{said}");
    let rows = after.lines().take_while(|line| !line.starts_with("- ")).map(str::trim_start);
    assert_eq!(rows.filter(|row| row.starts_with("good ") || row.starts_with("other ")).count(), 2, "{said}");
    assert!(!String::from_utf8(output.stdout).unwrap().contains("Preliminary"), "{text}");
}

#[test]
fn quiet_leaves_only_warnings() {
    let checkout = checkout(&["good", "wrong"], &[("normal", 1)]);
    let said = |flags: &str| {
        let (output, _) = checkout.run(&format!("measure normal --control none {flags}"));
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (report, loud) = said("--out loud");
    assert!(loud.contains("2 runs, about ") && loud.contains(" in total, "), "{loud}");
    let (quiet_report, quiet) = said("--out quiet -q");
    assert_eq!(report.contains("236"), quiet_report.contains("236"));
    assert!(["2 runs", " in total, ", "Preliminary"].iter().all(|line| !quiet.contains(line)), "{quiet}");
    assert!(quiet.contains("normal wrong #1: failed: GET /abc: "), "{quiet}");
}

/// A measurement that was killed in its third run continues there, wherever its file is cut off.
#[test]
fn a_measurement_that_was_killed_is_resumed() {
    let checkout = checkout(&["good"], &[("normal", 1), ("hangs-once", 6)]);
    let mut child = checkout.bench("measure normal hangs-once --repetitions 2 --out out").spawn().unwrap();
    wait_for_pid(&checkout, "tool-");
    child.kill().unwrap();
    child.wait().unwrap();
    // The processes that `bench` has started may still be running.
    for name in checkout.pids() {
        let _ = kill(Pid::from_raw(name.rsplit('-').next().unwrap().parse().unwrap()), Signal::SIGKILL);
    }
    let path = checkout.path("out/measurements.jsonl");
    let line = fs::read(&path).unwrap();
    assert_eq!(checkout.loaded().records.len(), 1);

    let cut_at = [line.len(), line.len() - 1, 1];
    for (round, cut_at) in cut_at.into_iter().enumerate() {
        fs::write(&path, &line[..cut_at]).unwrap();
        let text = checkout.succeed("measure --resume out");
        let expected = [1, 2].map(|n| [(Some(n), "normal".to_owned()), (Some(n), "hangs-once".to_owned())]);
        assert_eq!(runs(&checkout), expected.concat(), "{cut_at}: {text}");
        // A half written line is set aside, and output of tools is never overwritten.
        let is_torn = cut_at < line.len();
        assert_eq!(text.contains("the last line is only half written"), is_torn, "{cut_at}: {text}");
        let torn = fs::read(checkout.path("out/measurements.torn")).unwrap_or_default();
        assert_eq!(torn.ends_with(&[&line[..cut_at], b"\n"].concat()), is_torn, "{cut_at}");
        let raw_files = fs::read_dir(checkout.path("out/raw")).unwrap().count();
        assert_eq!(raw_files, 4 + round * 4, "{cut_at}");
    }
    checkout.expect("measure --resume out", 0, "0 runs");
    checkout.assert_nothing_runs();
}

#[test]
fn a_measurement_that_has_changed_is_not_resumed() {
    let checkout = checkout(&["good"], &[("normal", 1)]);
    let (_, text) = checkout.run("measure normal --out out");
    assert_eq!(checkout.loaded().records.len(), 1, "{text}");
    let change = |path: &str, from: &str, to: &str| {
        checkout.change(path, |text| {
            assert!(text.contains(from), "{text}");
            text.replace(from, to)
        });
    };
    let cases = [
        ("out/machine.json", "\"measure\"", "\"list\"", "is not a command that can be resumed"),
        ("bench/workloads/mock.toml", "requests = 10", "requests = 20", "normal has changed since"),
        ("out/measurements.jsonl", "server-good 1", "server-good 0", "and was `server-good 0 (mock 1)`"),
    ];
    for (path, from, to, expected) in cases {
        change(path, from, to);
        checkout.expect("measure --resume out", 1, expected);
        change(path, to, from);
    }
    assert_eq!(checkout.loaded().records.len(), 1);
}

#[test]
fn a_server_that_cannot_run_here_is_unavailable_and_not_a_failure() {
    // A line of the manifest that makes the server unavailable, and the reason that is printed.
    let cases = [
        (
            r#"requires = [{ program = "no-such", hint = "write it" }]"#,
            "there is no `no-such` here; write it",
        ),
        (r#"check = ["sh", "-c", "echo 'no rings here' >&2; exit 1"]"#, "no rings here"),
    ];
    for (line, reason) in cases {
        let checkout = checkout(&["good", "lacking"], &[("normal", 1)]);
        checkout.extend_manifest("lacking", line);
        let expected = format!("lacking is left out: {reason}");
        let text = checkout.expect("measure mock --out out", 0, &expected);
        let records = checkout.loaded().records;
        assert_eq!(records.len(), 2, "{text}");
        assert_eq!(records[0].error.as_ref().unwrap().kind, ErrorKind::Unavailable);
        assert!(records[1].load.is_some());
        // If a server that was named has no figures, this is not a success.
        for arguments in [
            "measure mock --servers good,lacking --out named",
            "measure mock --server-dir servers/mock/lacking --servers good --out given",
            "verify lacking",
            "drill lacking --short",
        ] {
            checkout.expect(arguments, 3, reason);
        }
        fs::remove_dir_all(checkout.path("servers/mock/good")).unwrap();
        for arguments in ["measure mock --out nothing", "verify", "drill --short"] {
            checkout.expect(arguments, 3, reason);
        }
    }
}

#[test]
fn another_tool_can_be_chosen_and_is_given_its_script() {
    let timed = workload("normal").without("requests").with("seconds", 1);
    let checkout = Checkout::new(&["good"], &suite(&[timed]));
    checkout.succeed("measure mock --tool wrk --out out");

    let record = checkout.loaded().records.remove(0);
    assert_eq!((record.tool.name.as_str(), record.tool.version.as_deref()), ("wrk", Some("wrk 4.1.0-mock")));
    assert_eq!(record.load.unwrap().answered, 20_453);
    checkout.assert_nothing_runs();
}

/// wrk lets the server close the connections. The mock of wrk makes one request and claims 20,453.
#[test]
fn a_server_that_keeps_connections_is_not_measured_as_if_it_closed_them() {
    let load = workload("load").tool("wrk").with("mode", "close").without("requests").with("seconds", 1);
    let checkout = Checkout::new(&["good", "keeps"], &suite(&[load]));
    let text = checkout.expect("measure mock --control none --out out", 1, "");
    let mut records = checkout.loaded().records;
    records.sort_by(|one, other| one.server.name.cmp(&other.server.name));
    let reason = records[0].verdict.as_ref().unwrap().reason.as_ref().unwrap();
    assert!(reason.starts_with("the server kept connections open: 20453 answers over "), "{text}");
    let error = records[1].error.as_ref().unwrap();
    assert_eq!(error.kind, ErrorKind::WrongAnswer, "{text}");
    assert!(
        error.message.starts_with("GET /abc, whose connection has to be closed: expected"),
        "{}",
        error.message
    );
}

#[test]
fn what_a_tool_cannot_do_is_said_before_anything_runs() {
    let checkout = checkout(&["good"], &[("normal", 1)]);
    let text = checkout.expect("measure mock --tool wrk --out out", 3, "");
    let reason = "wrk takes a time, not a number of requests";
    let warning = format!("normal is left out: {reason}");
    assert!(text.lines().any(|line| line.starts_with(&warning)), "{text}");

    let records = checkout.loaded().records;
    let failure = records[0].error.as_ref().unwrap();
    assert_eq!((records.len(), failure.kind), (1, ErrorKind::Unavailable), "{text}");
    assert!(failure.message.contains(reason), "{text}");
    assert!(text.contains(&format!("Left out: good (normal): {reason}")), "{text}");
}

/// A `visit` of another build could end with its usage, or print figures with another meaning.
#[test]
fn a_visit_of_another_build_is_not_used() {
    let checkout = Checkout::new(&["good"], &suite(&[workload("load").tool("visit")]));
    // The first folder in which the harness looks for a tool.
    let stale = "target/tools/bin/visit";
    checkout.write(stale, "#!/bin/sh\necho visit 0.1.0\n");
    fs::set_permissions(checkout.path(stale), fs::Permissions::from_mode(0o755)).unwrap();
    let text = checkout.expect("measure mock --out out", 3, "");
    let path = checkout.path(stale).canonicalize().unwrap();
    let line = format!(
        "load is left out: the `visit` at {} is of another build than this harness; build it: cargo build --release -p visit",
        path.display()
    );
    assert!(text.lines().any(|printed| printed == line), "{line}: {text}");
}

/// The workloads that the second tool cannot make, or makes in another way, do not affect the rest.
#[test]
fn a_cross_check_leaves_out_what_the_second_tool_cannot_do() {
    let timed = |name| workload(name).without("requests").with("seconds", 1);
    let encrypted = |name| timed(name).tool("visit").with("protocol", "https");
    let checkout = Checkout::new(&["good"], &suite(&[workload("count"), timed("time")]));
    checkout.write("bench/workloads/others.toml", &suite(&[task("start", "start"), encrypted("tls")]));
    let reason = "count is not cross-checked: wrk takes a time, not a number of requests";
    let text = checkout.expect("measure count time --cross-check wrk --out out", 0, reason);
    assert!(text.contains("time by hey and by wrk"), "{text}");
    let mut made: Vec<_> =
        checkout.loaded().records.into_iter().map(|run| (run.workload.name, run.tool.name)).collect();
    made.sort();
    let made: Vec<_> = made.iter().map(|(workload, tool)| (workload.as_str(), tool.as_str())).collect();
    assert_eq!(made, [("count", "hey"), ("time", "hey"), ("time", "wrk")], "{text}");

    let none = "error: --cross-check: none of these workloads ";
    let cases = [
        ("count --cross-check wrk", "can be checked by wrk, which takes a time, not a number of requests"),
        ("count time --cross-check zrk", "can be checked by zrk, which has open loops alone"),
        (
            "tls --cross-check oha",
            "can be checked by oha, which makes other work over TLS, by another cipher",
        ),
        ("start --cross-check wrk", "has a load, which wrk could make too"),
    ];
    for (arguments, why) in cases {
        checkout.expect(&format!("measure {arguments} --out none"), 1, &format!("{none}{why}"));
        assert!(!checkout.path("none").exists(), "{arguments}");
    }
}

#[test]
fn bad_input_is_one_clear_line() {
    let checkout = checkout(&["good"], &[("normal", 1)]);
    checkout.write("bad.toml", "about = \"x\"\nrepetitions = \"three\"\nworkload = []\n");
    checkout.write("taken/measurements.jsonl", "precious");
    checkout.write("damaged/machine.json", "{\n}\n");
    let cases = [
        ("measure mock --servers goood", "error: unknown server `goood`: did you mean `good`?"),
        ("measure moc", "error: unknown workload `moc`: did you mean `mock`?"),
        ("measure bad.toml", "bad.toml:2: invalid type: string \"three\", expected u32"),
        ("measure absent.toml", "error: cannot read absent.toml"),
        ("measure mock --servers good,good", "error: server `good` is named twice"),
        (
            "verify --address 127.0.0.1:1",
            "error: --address: cannot connect to 127.0.0.1:1: does the server run?",
        ),
        ("measure mock --tool wrkk", "error: unknown tool `wrkk`: did you mean `wrk`?"),
        ("measure mock --tool zzz", "error: unknown tool `zzz`: there are h2load, hey, oha, visit, wrk, zrk"),
        ("measure mock --out taken", "error: taken is there already"),
        ("measure mock --out /proc/no/where", "error: cannot make /proc/no"),
        ("measure mock --server-cores 9999", "error: --server-cores: there is no core 9999"),
        ("report absent", "error: absent is not a folder"),
        ("report taken", "error: cannot read taken/machine.json"),
        ("report damaged", "error: damaged/machine.json:2: it is damaged: missing field `bench`"),
        ("--root taken list", "taken: it is not a checkout: it has no folder `servers`"),
        ("measure mock --control goood", "error: --control: unknown server `goood`: did you mean `good`?"),
    ];
    for (arguments, expected) in cases {
        let text = checkout.expect(arguments, 1, expected);
        assert_eq!(text.trim().lines().count(), 1, "{arguments}: {text}");
    }
    assert_eq!(fs::read_to_string(checkout.path("taken/measurements.jsonl")).unwrap(), "precious");
    for arguments in ["mesure mock", "measure mock --repetitons 3", "measure mock --repetitions 0"] {
        checkout.expect(arguments, 2, "");
    }
}

#[test]
fn a_half_written_last_line_is_set_aside_and_a_damaged_one_is_named() {
    let checkout = checkout(&["good"], &[("normal", 1)]);
    let (_, text) = checkout.run("measure mock --repetitions 2 --out out");
    let path = checkout.path("out/measurements.jsonl");
    let whole = fs::read_to_string(&path).unwrap();
    assert_eq!(whole.lines().count(), 2, "{text}");

    fs::write(&path, &whole[..whole.len() - 20]).unwrap();
    let text = checkout.succeed("report out");
    assert!(text.contains("measurements.jsonl:2: the last line is only half written"), "{text}");
    assert!(text.contains("236"), "{text}");

    fs::write(&path, whole.replacen("\"schema\"", "\"scheme\"", 1)).unwrap();
    checkout.expect("report out", 1, "measurements.jsonl:1: it is damaged");
}

/// The number of cores of this machine is unknown here. With one core, no scaling can be measured.
#[test]
fn a_server_is_scaled_as_far_as_there_are_cores() {
    let scaled = |name, cores: usize| workload(name).with("server_cores", cores);
    let checkout =
        Checkout::new(&["good"], &suite(&[scaled("one", 1), scaled("many", 4096), workload("all")]));
    let text = checkout.succeed("measure mock --control none --out out");
    let expected = "many is left out: a server on N cores is measured from 2 N cores on";
    assert!(text.contains(expected) || text.contains("one, many are left out: a server on N"), "{text}");
    let Loaded { machine, records, .. } = checkout.loaded();
    let run = |name: &str| records.iter().find(|record| record.workload.name == name).unwrap();
    assert_eq!(run("many").error.as_ref().unwrap().kind, ErrorKind::Unavailable);
    assert_eq!(
        (&run("all").server_cores, &run("all").tool_cores),
        (&machine.server_cores, &machine.tool_cores)
    );
    if run("one").error.is_none() {
        assert_eq!((run("one").server_cores.len(), run("one").workload.server_cores), (1, Some(1)));
    }
    assert!(machine.topology.is_some_and(|topology| topology.usable_cores().next().is_some()));
}
