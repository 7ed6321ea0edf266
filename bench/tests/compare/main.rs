//! `bench compare` on result folders that a test made.
//!
//! `INSTA_UPDATE=always cargo test --package bench` updates the snapshots, here and elsewhere; `git
//! diff` then shows what changed in them.
#![allow(clippy::unwrap_used, reason = "a test reports a failure by its panic")]

#[path = "../folder/mod.rs"]
mod folder;

use std::fs;
use std::path::Path;
use std::process::Command;

use bench::machine::host::{Interface, Offload, Offloads};
use bench::machine::{HostLink, Hosts, Machine};
use bench::store::record::Record;
use folder::{Folder, busy, duplicate, failed, floor, hold, load, open_loop, scale, start};

/// A change of the example folder.
type Change = fn(&mut Folder);

/// The name, the changes that make A and B of the example, the flags, the exit code, and parts of
/// the output.
type CompareCase = (&'static str, Change, Change, &'static [&'static str], i32, &'static [&'static str]);

/// Runs `bench compare` in a folder. Returns the exit code and the output, standard error last.
fn compare(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
    let output = command.arg("compare").args(arguments).current_dir(folder).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), text)
}

/// Writes two result folders, `a` and `b`, to a new folder.
fn write(a: &Folder, b: &Folder) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    a.write(&place.path().join("a"));
    b.write(&place.path().join("b"));
    place
}

/// The text with one space between words and between lines, to find sentences and rows.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn unchanged(_: &mut Folder) {}

/// Adds all kinds of workloads beside the example's.
fn all_tasks(folder: &mut Folder) {
    folder.add(&open_loop("one", 1000, 0.001));
    folder.add(&duplicate(open_loop("one", 1000, 0.001)));
    folder.add(&start("one", 0.004));
    folder.add(&hold("one", 4000));
}

fn one(folder: &mut Folder, change: impl Fn(&mut Record)) {
    folder.change("one", change);
}

fn slower(folder: &mut Folder, times: f64) {
    one(folder, |run| scale(run, times));
}

fn with_open_loop(folder: &mut Folder, rate: u32, change: impl FnOnce(&mut Record)) {
    let mut run = open_loop("one", rate, 0.002);
    change(&mut run);
    folder.add(&run);
}

fn cross_check(folder: &mut Folder, microseconds: f64) {
    let mut check = load("busy", "one", microseconds);
    check.tool.name = "wrk".into();
    folder.add(&check);
}

/// Changes a folder so that the load came from these machines, over a link of this speed.
fn load_from(folder: &mut Folder, machines: &[&str], megabits_per_second: u64) {
    let link = |name: &str| HostLink {
        name: Some(name.into()),
        address: None,
        interface: Some(Interface {
            name: "eth0".into(),
            driver: Some("igb".into()),
            megabits_per_second: Some(megabits_per_second),
            mtu: Some(1500),
            receive_queues: None,
            offloads: None,
        }),
        round_trip_seconds: 0.0002,
    };
    let load = |name: &&str| (link(name), Machine { host: (*name).into(), ..folder.machine.clone() });
    let loads = machines.iter().map(load).collect();
    folder.machine.hosts = Some(Hosts { harness: "desk".into(), server: link("alpha"), loads });
}

/// Changes a folder so that the load came from another machine, over an interface with these
/// offloads.
fn load_with(folder: &mut Folder, offloads: &[Offload]) {
    load_from(folder, &["b"], 1000);
    let server = &mut folder.machine.hosts.as_mut().unwrap().server;
    server.interface.as_mut().unwrap().offloads = Some(Offloads(offloads.to_vec()));
}

fn failed_requests(run: &mut Record) {
    run.load.as_mut().unwrap().errors = [("reset".to_owned(), 1)].into();
}

const BUSY_TOOL: fn(&mut Record) = |run| run.cpu.as_mut().unwrap().tool.seconds = 0.95;

#[rustfmt::skip]
const CASES: &[CompareCase] = &[
    ("nothing changed", unchanged, unchanged, &[], 0, &[
        "0 figures are worse, 0 are better, 4 cannot be distinguished. ", "one 10.0 10.0 1.00",
    ]),
    ("a floor, which shows how the machine drifted",
        |a| a.add(&floor(load("busy", "least", 5.0))),
        |b| {
            b.add(&floor(load("busy", "least", 5.0)));
            b.change("least", |run| scale(run, 1.1));
        },
        &[], 1, &["2 figures are worse, 0 are better", "least 5.00 5.50 1.10"]),
    // Fewer requests in the same CPU time also mean a lower throughput.
    ("a tenth more CPU time", unchanged, |b| slower(b, 1.1), &[], 1, &[
        "2 figures are worse, 0 are better, 2 cannot be distinguished. ",
        "one 10.0 11.0 1.10 1.09–1.11 worse ", "one 95,000 86,364 0.91",
    ]),
    ("a little more than passes", unchanged, |b| slower(b, 1.1), &["--fail-above", "9.5"], 1, &[
        "1 figure is worse by more than 9.5 %",
    ]),
    ("less than fails", unchanged, |b| slower(b, 1.03), &["--fail-above", "5"], 0, &[
        "2 figures are worse, 0 are better", "1.03 1.02–1.04 worse ", "0 figures are worse by more than 5 %",
    ]),
    ("less than a server differs from itself in A",
        |a| a.change("one-duplicate", |run| scale(run, 1.05)), |b| slower(b, 1.03),
        &[], 0, &["0 figures are worse, 0 are better, 4 cannot", "1.03 1.02–1.04 same ", "Differences below 5."]),
    ("less than a server differs from itself in B", unchanged,
        |b| {
            b.change("two", |run| scale(run, 1.03));
            b.change("one-duplicate", |run| scale(run, 1.05));
        },
        &[], 0, &["0 figures are worse", "two 20.0 20.6 1.03 1.02–1.04 same "]),
    ("no duplicate in either",
        |a| a.records.retain(|run| run.server.duplicate_of.is_none()),
        |b| {
            b.records.retain(|run| run.server.duplicate_of.is_none());
            slower(b, 1.03);
        },
        &[], 1, &[" worse ", "The noise is unknown: neither folder has a duplicate"]),
    ("better", unchanged, |b| slower(b, 0.9), &[], 0, &["0 figures are worse, 2 are better, 2 cannot", " better "]),
    ("four repetitions", unchanged,
        |b| {
            slower(b, 1.5);
            b.records.retain(|run| run.repetition <= Some(4));
        },
        &[], 3, &[
            "0 figures are worse, 0 are better, 0 cannot be distinguished, 4 are of fewer than 5 repetitions.",
            "too few repetitions", "it cannot be said whether B is worse: 4 figures of A have none to compare with",
        ]),
    ("half the throughput of a tool that is busy", |a| one(a, BUSY_TOOL),
        |b| one(b, |run| {
            BUSY_TOOL(run);
            busy(run, 0.475, 10.0);
        }),
        &[], 0, &[
            "0 figures are worse, 0 are better, 3 cannot",
            "busy visit Requests/s one the server was not the bottleneck in A and in B",
        ]),
    ("half the throughput of a server that is busy", unchanged, |b| slower(b, 2.0), &["--fail-above", "49"], 1, &[
        "one 95,000 47,500 0.50 0.50–0.50 worse ",
    ]),
    ("servers that only one has", unchanged,
        |b| {
            b.records.retain(|run| run.server.name != "two");
            b.add(&load("busy", "three", 10.0));
        },
        &[], 3, &[
            "busy visit all two only in A", "busy visit all three only in B",
            "it cannot be said whether B is worse: a figure of A has none to compare with",
        ]),
    ("a server that is new in B", unchanged, |b| b.add(&load("busy", "three", 10.0)), &[], 0, &[
        "busy visit all three only in B",
    ]),
    ("one server that is missing, and one that is worse", unchanged,
        |b| {
            b.records.retain(|run| run.server.name != "two");
            slower(b, 2.0);
        },
        &["--fail-above", "5"], 1, &["2 figures are worse by more than 5 %"]),
    ("invalid in A, which is no baseline", |a| one(a, failed_requests), |b| one(b, failed_requests), &[], 0, &[
        "not judged: A is invalid, ",
    ]),
    ("all that A has is invalid", |a| a.records.iter_mut().for_each(failed_requests), unchanged, &[], 3, &[
        "it cannot be said whether B is worse: no figure was compared",
    ]),
    ("a tool that only one has", unchanged,
        |b| b.records.iter_mut().for_each(|run| run.tool.name = "wrk".into()),
        &[], 3, &[
            "There is nothing to compare", "busy visit all one, two only in A", "busy wrk all one, two only in B",
        ]),
    ("the cross-check of another tool", |a| cross_check(a, 10.0), |b| cross_check(b, 12.0), &[], 1, &[
        "2 figures are worse, 0 are better, 4 cannot", "100 connections (busy, by wrk, cross-check)",
    ]),
    ("another machine", unchanged,
        |b| {
            b.machine.processor = None;
            b.machine.cores = Some(4);
            b.machine.memory_bytes = Some(16 << 30);
            b.machine.kernel = "Linux 7".into();
            b.machine.tool_cores = vec![2, 3];
            b.machine.bench = "0.2.0".into();
        },
        &[], 0, &[
            "different machines", "processor a processor unknown", "cores 2 4", "memory 8,192 MiB 16,384 MiB",
            "kernel Linux 6.18 x86_64 Linux 7", "tool on core 1 cores 2, 3", "bench 0.1.0 0.2.0",
            "4 cannot be distinguished",
        ]),
    ("a load over a network", unchanged, |b| load_from(b, &["b", "c"], 1000),
        &[], 0, &[
            "The load of A and that of B came from different machines or over different networks",
            "load from the same machine b (a processor, 2 cores, Linux 6.18 x86_64); c (a processor,",
            "link of the server's host none: the loopback interface eth0 (igb), 1,000 Mbit/s, 1,500 bytes per packet",
            "tool on core 1 core 1 of b, core 1 of c", "4 cannot be distinguished",
        ]),
    ("another host of the load, and another link",
        |a| load_from(a, &["b", "c"], 1000), |b| load_from(b, &["b", "d"], 10_000),
        &[], 0, &[
            "over different networks", "c (a processor, 2 cores, Linux 6.18 x86_64) d (a processor, 2 cores,",
            "link of the server's host eth0 (igb), 1,000 Mbit/s, 1,500 bytes per eth0 (igb), 10,000 Mbit/s, 1,500 bytes per",
            "tool on core 1 of b, core 1 of c core 1 of b, core 1 of d",
        ]),
    ("the same hosts", |a| load_from(a, &["b"], 1000), |b| load_from(b, &["b"], 1000), &[], 0, &[
        "4 cannot be distinguished",
    ]),
    ("other offloads", |a| load_with(a, &[Offload::Tso, Offload::Gro]), |b| load_with(b, &[]), &[], 0, &[
        "over different networks", "offloads of the server's host TSO, GRO none",
    ]),
    ("offloads that A does not have", |a| load_from(a, &["b"], 1000), |b| load_with(b, &[]), &[], 0, &[
        "4 cannot be distinguished",
    ]),
    ("other versions", unchanged,
        |b| {
            b.records.iter_mut().for_each(|run| run.tool.version = Some("visit 2".into()));
            one(b, |run| {
                run.server.version = Some("server-one 2".into());
                run.server.conformance.as_mut().unwrap().passed = 400;
                run.server.warm_up_seconds = Some(6.0);
            });
        },
        &[], 0, &[
            "visit visit 1 visit 2", "one server-one 1 server-one 2",
            "HTTP cases of one 500/500, 0 smuggled 400/500, 0 smuggled", "warm-up of one as the workload 6 s",
        ]),
    ("another workload of the same name", unchanged,
        |b| b.records.iter_mut().for_each(|run| run.workload.seconds = Some(5.0)),
        &[], 3, &[
            "There is nothing to compare", "workload busy, not compared seconds 1.0 seconds 5.0",
            "busy visit all one, two another workload in B",
        ]),
    ("another title of the same workload", unchanged,
        |b| b.records.iter_mut().for_each(|run| run.workload.title = "a hundred".into()),
        &[], 0, &["0 figures are worse, 0 are better, 4 cannot"]),
    ("measured in slices", unchanged,
        |b| b.records.iter_mut().for_each(|run| run.workload.slice_seconds = Some(0.02)),
        &[], 0, &[
            "measured under busy one server after another in slices of 20.0 ms",
            "0 figures are worse, 0 are better, 4 cannot",
        ]),
    ("invalid in B", unchanged,
        |b| one(b, |run| {
            scale(run, 2.0);
            failed_requests(run);
        }),
        &[], 1, &["2 cannot be distinguished, 1 is broken in B.", "10.0 20.0 – – broken: B is invalid, 7 of "]),
    ("disturbed in A",
        |a| one(a, |run| run.cpu.as_mut().unwrap().external_seconds = Some(0.4)), |b| slower(b, 2.0),
        &[], 3, &[", 1 is not judged.", "not judged: A is disturbed, "]),
    ("nothing works in B", unchanged, |b| one(b, failed), &[], 1, &["one 10.0 – – – broken: B has no figures"]),
    ("a last line that is half written", unchanged, |b| b.is_torn = true, &[], 0, &[
        "4 cannot be distinguished",
        "b/measurements.jsonl:22: the last line is only half written and is left out",
    ]),
    ("all tasks, and all is worse", all_tasks,
        |b| {
            b.add(&open_loop("one", 1000, 0.002));
            b.add(&start("one", 0.008));
            b.add(&hold("one", 8000));
        },
        &[], 1, &[
            "3 figures are worse, 0 are better, 5 cannot", "one 1.00 2.00 2.00 1.98–2.02 worse", "one 4.00 8.00 2.00",
            "one 3.91 7.81 2.00 2.00–2.00 worse ",
        ]),
    ("a rate that is a little higher", all_tasks, |b| with_open_loop(b, 1050, |_| ()), &[], 1, &[
        "one had another rate of requests: A: 1,000/s, B: 1,050/s", "one 1.00 2.00 2.00 1.98–2.02 worse ",
    ]),
    ("another rate", all_tasks, |b| with_open_loop(b, 1200, |_| ()), &[], 3, &[
        "A: 1,000/s, B: 1,200/s", "one 1.00 2.00 – – not judged: the rates are too far apart",
    ]),
    ("a rate that was not held", all_tasks,
        |b| with_open_loop(b, 1000, |run| {
            run.load.as_mut().unwrap().open_loop.as_mut().unwrap().held = Some(false);
        }),
        &[], 3, &["not judged: B is invalid, the rate of 1000/s was not held"]),
    ("another meaning of latency", all_tasks,
        |b| with_open_loop(b, 1000, |run| run.tool.semantics.as_mut().unwrap().connect_included = true),
        &[], 3, &["– – not judged: the tool defines latency differently in B"]),
];

#[test]
fn what_got_worse_is_printed_and_is_the_exit_code() {
    for (name, change_a, change_b, flags, expected, printed) in CASES {
        let [mut a, mut b] = [Folder::example(), Folder::example()];
        change_a(&mut a);
        change_b(&mut b);
        let place = write(&a, &b);
        let (code, text) = compare(place.path(), &[&["a", "b"], *flags].concat());
        assert_eq!(code, *expected, "{name}:\n{text}");
        for part in *printed {
            assert!(words(&text).contains(part), "{name}: {part} is missing:\n{text}");
        }
        assert_eq!(text.contains("on different machines"), *name == "another machine", "{name}");
        let is_network =
            ["a load over a network", "another host of the load, and another link", "other offloads"]
                .contains(name);
        assert_eq!(text.contains("over different networks"), is_network, "{name}");
    }
}

/// Checks the figures of a comparison in JSON, and that the other formats can be written to a file.
#[test]
fn a_comparison_has_every_form() {
    let (a, mut b) = (Folder::example(), Folder::example());
    slower(&mut b, 1.1);
    let place = write(&a, &b);
    let (code, json) = compare(place.path(), &["a", "b", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    let cost = &document["sections"][0];
    let row = &cost["tables"][0]["rows"][0];
    let near = |value: &serde_json::Value, expected: f64| {
        assert!((value.as_f64().unwrap() / expected - 1.0).abs() < 1e-3, "{value} {expected}");
    };
    assert_eq!((code, &cost["id"], &row[0], &row[4]), (1, &"cost".into(), &"one".into(), &"worse".into()));
    near(&row[1]["value"], 10e-6);
    near(&row[2]["value"], 11e-6);
    near(&row[3]["value"], 1.1);
    assert!(row[3]["interval"][0].as_f64() < row[3]["interval"][1].as_f64(), "{row}");
    for (format, expected) in [
        ("csv", "cost,cost-busy-visit,one,B : A,"),
        ("markdown", "| one | 10.0 | 11.0 | 1.10 |"),
        ("html", "<table id=\"table-cost-busy-visit\""),
    ] {
        let (code, text) = compare(place.path(), &["a", "b", "--format", format, "--output", "out"]);
        assert_eq!((code, text.as_str()), (1, ""), "{format}");
        let written = fs::read_to_string(place.path().join("out")).unwrap();
        assert!(written.contains(expected), "{format}: {written}");
    }
}

#[test]
fn folders_that_cannot_be_compared_are_one_error_line() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    Folder::example().write(&path("a"));
    Folder::example().write(&path("damaged"));
    let whole = fs::read_to_string(path("a/measurements.jsonl")).unwrap();
    fs::write(path("damaged/measurements.jsonl"), whole.replacen("\"schema\"", "\"scheme\"", 1)).unwrap();
    std::os::unix::fs::symlink("a", path("link")).unwrap();
    let cases: [(&[&str], i32, &str); 8] = [
        (&["a", "a"], 3, "error: a and a are the same folder: name another to compare it with"),
        (&["a", "link"], 3, "error: a and link are the same folder"),
        (&["a", "absent"], 3, "error: absent is not a folder of results"),
        (&["a/machine.json", "a"], 3, "error: a/machine.json is not a folder of results"),
        (&["a", "."], 3, "error: cannot read ./machine.json"),
        (&["a", "damaged"], 3, "error: damaged/measurements.jsonl:1: it is damaged"),
        (&["a", "damaged", "--fail-above", "-1"], 2, "it is a number that is 0 or more"),
        (&["a"], 2, "<B>"),
    ];
    for (arguments, expected, says) in cases {
        let (code, text) = compare(place.path(), arguments);
        assert_eq!(code, expected, "{arguments:?}: {text}");
        assert!(text.contains(says), "{arguments:?}: {text}");
        assert!(code == 2 || text.lines().count() == 1, "{arguments:?}: {text}");
    }
}

#[test]
fn judgements_have_colours_on_a_terminal() {
    let (mut a, mut b) = (Folder::example(), Folder::example());
    slower(&mut b, 1.1);
    a.change("two", |run| scale(run, 1.1));
    let place = write(&a, &b);
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
    let command = command.args(["compare", "a", "b"]).current_dir(place.path());
    let output = command.env("CLICOLOR_FORCE", "1").env_remove("NO_COLOR").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for coloured in ["\u{1b}[31mworse\u{1b}[0m\n", "\u{1b}[32mbetter\u{1b}[0m\n"] {
        assert!(text.contains(coloured), "{coloured:?} is missing: {text:?}");
    }
}

/// One comparison whose output has every part that is possible.
#[test]
fn the_text_is_as_it_was() {
    let (mut a, mut b) = (Folder::example(), Folder::example());
    for (folder, times) in [(&mut a, 1.0), (&mut b, 1.25)] {
        let mut run = load("easy", "one", 8.0);
        BUSY_TOOL(&mut run);
        folder.add(&run);
        folder.add(&duplicate(run));
        folder.add(&load("easy", "two", 16.0 / times));
        folder.add(&open_loop("one", 1000, 0.001));
        folder.add(&open_loop("two", if times > 1.0 { 1060 } else { 1000 }, 0.002 * times));
        folder.add(&start("one", 0.004 * times));
        folder.add(&start("three", 0.004));
        folder.add(&hold("one", 4000));
    }
    a.add(&hold("two", 4000));
    slower(&mut b, 1.1);
    b.change("three", failed);
    b.machine.started = "2026-01-02T12:00:00Z".into();
    b.machine.kernel = "Linux 6.19 x86_64".into();
    let place = write(&a, &b);
    let (code, text) = compare(place.path(), &["a", "b"]);
    assert_eq!(code, 1, "{text}");
    insta::assert_snapshot!("compare", text);
}
