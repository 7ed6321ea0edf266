//! `bench compare` on result folders that a test made.
//!
//! `UPDATE_GOLDEN=1 cargo test --package bench --test compare` writes `golden.txt` anew, for you to read what changed in it.
#![allow(clippy::unwrap_used, reason = "a test says what is wrong by its panic")]

#[path = "../folder/mod.rs"]
mod folder;

use std::fs;
use std::path::Path;
use std::process::Command;

use folder::{Folder, busy, duplicate, failed, floor, hold, load, open_loop, scale, start};

/// One comparison: how A and B are made of the same folder, the flags, the exit code, and what is said.
struct Case {
    name: &'static str,
    a: fn(&mut Folder),
    b: fn(&mut Folder),
    flags: &'static [&'static str],
    code: i32,
    says: &'static [&'static str],
}

/// What `bench compare` says in a folder, with its exit code. Standard error comes last.
fn compare(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
    let output = command.arg("compare").args(arguments).current_dir(folder).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), text)
}

/// The text in lines whose words have one space between, to find rows by.
fn words(text: &str) -> String {
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n").collect()
}

fn as_it_is(_: &mut Folder) {}

/// What both have beside the example, in a folder that has all kinds of workloads.
fn all_tasks(folder: &mut Folder) {
    folder.add(&open_loop("one", 1000, 0.001));
    folder.add(&duplicate(open_loop("one", 1000, 0.001)));
    folder.add(&start("one", 0.004));
    folder.add(&hold("one", 4000));
}

const CASES: &[Case] = &[
    Case {
        name: "nothing changed",
        a: as_it_is,
        b: as_it_is,
        flags: &[],
        code: 0,
        says: &[
            "0 figures are worse, 0 better, 4 cannot be told apart.\n",
            "one CPU µs/request 10.0 10.0 1.00×",
        ],
    },
    Case {
        name: "a floor, which shows how the machine drifted",
        a: |folder| folder.add(&floor(load("busy", "least", 5.0))),
        b: |folder| {
            folder.add(&floor(load("busy", "least", 5.0)));
            folder.change("least", |run| scale(run, 1.1));
        },
        flags: &[],
        code: 1,
        says: &["2 figures are worse, 0 better", "least CPU µs/request 5.00 5.50 1.10×"],
    },
    Case {
        name: "a tenth more CPU time",
        a: as_it_is,
        // Fewer requests in the same CPU time are less throughput, too.
        b: |folder| folder.change("one", |run| scale(run, 1.1)),
        flags: &[],
        code: 1,
        says: &[
            "2 figures are worse, 0 better, 2 cannot be told apart.\n",
            "one CPU µs/request 10.0 11.0 1.10× 1.09×–1.11× worse\n",
            "one Requests/s 95,000 86,364 0.91×",
        ],
    },
    Case {
        name: "a little more than is let through",
        a: as_it_is,
        b: |folder| folder.change("one", |run| scale(run, 1.1)),
        flags: &["--fail-above", "9.5"],
        code: 1,
        says: &["1 figure is worse by more than 9.5 %\n"],
    },
    Case {
        name: "less than is let through",
        a: as_it_is,
        b: |folder| folder.change("one", |run| scale(run, 1.03)),
        flags: &["--fail-above", "5"],
        code: 0,
        says: &[
            "2 figures are worse, 0 better",
            "1.03× 1.02×–1.04× worse\n",
            "0 figures are worse by more than 5 %",
        ],
    },
    Case {
        name: "less than a server differs from itself in A",
        a: |folder| folder.change("one-duplicate", |run| scale(run, 1.05)),
        b: |folder| folder.change("one", |run| scale(run, 1.03)),
        flags: &[],
        code: 0,
        says: &[
            "0 figures are worse, 0 better, 4 cannot",
            "1.03× 1.02×–1.04× same\n",
            "differences below 5.",
        ],
    },
    Case {
        name: "less than a server differs from itself in B",
        a: as_it_is,
        b: |folder| {
            folder.change("two", |run| scale(run, 1.03));
            folder.change("one-duplicate", |run| scale(run, 1.05));
        },
        flags: &[],
        code: 0,
        says: &["0 figures are worse", "two CPU µs/request 20.0 20.6 1.03× 1.02×–1.04× same\n"],
    },
    Case {
        name: "no duplicate in either",
        a: |folder| folder.records.retain(|run| run.server.duplicate_of.is_none()),
        b: |folder| {
            folder.records.retain(|run| run.server.duplicate_of.is_none());
            folder.change("one", |run| scale(run, 1.03));
        },
        flags: &[],
        code: 1,
        says: &["worse\n", "Neither has an A/A control here"],
    },
    Case {
        name: "better",
        a: as_it_is,
        b: |folder| folder.change("one", |run| scale(run, 0.9)),
        flags: &[],
        code: 0,
        says: &["0 figures are worse, 2 better, 2 cannot", "better\n"],
    },
    Case {
        name: "four repetitions",
        a: as_it_is,
        b: |folder| {
            folder.change("one", |run| scale(run, 1.5));
            folder.records.retain(|run| run.repetition <= Some(4));
        },
        flags: &[],
        code: 0,
        says: &[
            "0 figures are worse, 0 better, 0 cannot be told apart. Of 4 there are fewer than 5",
            "too few\n",
        ],
    },
    Case {
        name: "half the throughput of a tool that is busy",
        a: |folder| folder.change("one", |run| run.cpu.as_mut().unwrap().tool.seconds = 0.95),
        b: |folder| {
            folder.change("one", |run| {
                run.cpu.as_mut().unwrap().tool.seconds = 0.95;
                busy(run, 0.475, 10.0);
            });
        },
        flags: &[],
        code: 0,
        says: &["0 figures are worse, 0 better, 3 cannot", "Requests/s of 1 cell is not compared"],
    },
    Case {
        name: "half the throughput of a server that is busy",
        a: as_it_is,
        b: |folder| folder.change("one", |run| scale(run, 2.0)),
        flags: &["--fail-above", "49"],
        code: 1,
        says: &["one Requests/s 95,000 47,500 0.50× 0.50×–0.50× worse\n"],
    },
    Case {
        name: "servers that only one has",
        a: as_it_is,
        b: |folder| {
            folder.records.retain(|run| run.server.name != "two");
            folder.add(&load("busy", "three", 10.0));
        },
        flags: &[],
        code: 0,
        says: &["Only in A: busy by visit: two\n", "Only in B: busy by visit: three\n"],
    },
    Case {
        name: "a tool that only one has",
        a: as_it_is,
        b: |folder| folder.records.iter_mut().for_each(|run| run.tool.name = "wrk".into()),
        flags: &[],
        code: 0,
        says: &[
            "There is nothing to compare",
            "Only in A: busy by visit: one, two\n",
            "Only in B: busy by wrk: one, two\n",
        ],
    },
    Case {
        name: "the check of another tool",
        a: |folder| {
            let mut check = load("busy", "one", 10.0);
            check.tool.name = "wrk".into();
            folder.add(&check);
        },
        b: |folder| {
            let mut check = load("busy", "one", 12.0);
            check.tool.name = "wrk".into();
            folder.add(&check);
        },
        flags: &[],
        code: 1,
        says: &["2 figures are worse, 0 better, 4 cannot", "100 connections (busy, by wrk, the check)\n"],
    },
    Case {
        name: "another machine",
        a: as_it_is,
        b: |folder| {
            folder.machine.processor = None;
            folder.machine.cores = Some(4);
            folder.machine.memory_bytes = Some(16 << 30);
            folder.machine.kernel = "Linux 7".into();
            folder.machine.tool_cores = vec![2, 3];
            folder.machine.bench = "0.2.0".into();
        },
        flags: &[],
        code: 0,
        says: &[
            "THESE ARE TWO MACHINES",
            "processor: A: a processor B: unknown\n",
            "cores: A: 2 B: 4\n",
            "memory: A: 8,192 MiB B: 16,384 MiB\n",
            "kernel: A: Linux 6.18 x86_64 B: Linux 7\n",
            "tool on: A: core 1 B: cores 2, 3\n",
            "bench: A: 0.1.0 B: 0.2.0\n",
            "4 cannot be told apart",
        ],
    },
    Case {
        name: "other versions",
        a: as_it_is,
        b: |folder| {
            folder.records.iter_mut().for_each(|run| run.tool.version = Some("visit 2".into()));
            folder.change("one", |run| {
                run.server.version = Some("server-one 2".into());
                run.server.conformance.as_mut().unwrap().passed = 400;
            });
        },
        flags: &[],
        code: 0,
        says: &[
            "visit: A: visit 1 B: visit 2\n",
            "one: A: server-one 1 B: server-one 2\n",
            "HTTP cases of one: A: 500/500, 0 smuggled B: 400/500, 0 smuggled\n",
        ],
    },
    Case {
        name: "another workload of the same name",
        a: as_it_is,
        b: |folder| folder.records.iter_mut().for_each(|run| run.workload.seconds = Some(5.0)),
        flags: &[],
        code: 0,
        says: &[
            "There is nothing to compare",
            "workload busy, not compared: A: seconds 1.0 B: seconds 5.0\n",
        ],
    },
    Case {
        name: "another title of the same workload",
        a: as_it_is,
        b: |folder| folder.records.iter_mut().for_each(|run| run.workload.title = "a hundred".into()),
        flags: &[],
        code: 0,
        says: &["0 figures are worse, 0 better, 4 cannot"],
    },
    Case {
        name: "invalid in B",
        a: as_it_is,
        b: |folder| {
            folder.change("one", |run| {
                scale(run, 2.0);
                run.load.as_mut().unwrap().errors = [("reset".to_owned(), 1)].into();
            });
        },
        flags: &[],
        code: 1,
        says: &["2 cannot be told apart. 1 broken in B.\n", "10.0 20.0 – – broken: B is invalid, 7 of "],
    },
    Case {
        name: "disturbed in A",
        a: |folder| folder.change("one", |run| run.cpu.as_mut().unwrap().external_seconds = Some(0.4)),
        b: |folder| folder.change("one", |run| scale(run, 2.0)),
        flags: &[],
        code: 0,
        says: &["1 not judged.\n", "not judged: A is disturbed, others took 20 % of the cores' time\n"],
    },
    Case {
        name: "nothing works in B",
        a: as_it_is,
        b: |folder| folder.change("one", failed),
        flags: &[],
        code: 1,
        says: &["one CPU µs/request 10.0 – – – broken: B has no figures\n"],
    },
    Case {
        name: "a last line that is half written",
        a: as_it_is,
        b: |folder| folder.is_torn = true,
        flags: &[],
        code: 0,
        says: &[
            "4 cannot be told apart",
            "b/measurements.jsonl:22: the last line is only half written and is left out\n",
        ],
    },
    Case {
        name: "all tasks, and all is worse",
        a: all_tasks,
        b: |folder| {
            folder.add(&open_loop("one", 1000, 0.002));
            folder.add(&start("one", 0.008));
            folder.add(&hold("one", 8000));
        },
        flags: &[],
        code: 1,
        says: &[
            "3 figures are worse, 0 better, 5 cannot",
            "one p99 1.00 ms 2.00 ms 2.00×",
            "one First answer 4.00 ms 8.00 ms 2.00×",
            "one Memory/connection 4,000 B 8,000 B 2.00× 2.00×–2.00× worse\n",
        ],
    },
    Case {
        name: "a rate that is a little higher",
        a: all_tasks,
        b: |folder| folder.add(&open_loop("one", 1050, 0.002)),
        flags: &[],
        code: 1,
        says: &[
            "one was asked at another rate: A: 1,000/s B: 1,050/s",
            "one p99 1.00 ms 2.00 ms 2.00× 1.98×–2.02× worse\n",
        ],
    },
    Case {
        name: "a rate that is another",
        a: all_tasks,
        b: |folder| folder.add(&open_loop("one", 1200, 0.002)),
        flags: &[],
        code: 0,
        says: &[
            "A: 1,000/s B: 1,200/s",
            "one p99 1.00 ms 2.00 ms – – not judged: the rates are too far apart\n",
        ],
    },
    Case {
        name: "a rate that was not held",
        a: all_tasks,
        b: |folder| {
            let mut run = open_loop("one", 1000, 0.002);
            run.load.as_mut().unwrap().open_loop.as_mut().unwrap().held = Some(false);
            folder.add(&run);
        },
        flags: &[],
        code: 0,
        says: &["not judged: B is invalid, the rate of 1000/s was not held"],
    },
    Case {
        name: "another meaning of latency",
        a: all_tasks,
        b: |folder| {
            let mut run = open_loop("one", 1000, 0.002);
            run.tool.semantics.as_mut().unwrap().connect_included = true;
            folder.add(&run);
        },
        flags: &[],
        code: 0,
        says: &["– – not judged: the tool's latency means something else in B\n"],
    },
];

#[test]
fn what_got_worse_is_said_and_is_the_exit_code() {
    for case in CASES {
        let place = tempfile::tempdir().unwrap();
        let mut folders = [Folder::example(), Folder::example()];
        (case.a)(&mut folders[0]);
        (case.b)(&mut folders[1]);
        folders[0].write(&place.path().join("a"));
        folders[1].write(&place.path().join("b"));
        let (code, text) = compare(place.path(), &[&["a", "b"], case.flags].concat());
        assert_eq!(code, case.code, "{}:\n{text}", case.name);
        for said in case.says {
            assert!(words(&text).contains(said), "{}: {said} is missing:\n{text}", case.name);
        }
        let is_of_machines = case.name == "another machine";
        assert_eq!(text.contains("TWO MACHINES"), is_of_machines, "{}", case.name);
    }
}

#[test]
fn what_cannot_be_compared_is_one_clear_line() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    Folder::example().write(&path("a"));
    Folder::example().write(&path("damaged"));
    let whole = fs::read_to_string(path("a/measurements.jsonl")).unwrap();
    fs::write(path("damaged/measurements.jsonl"), whole.replacen("\"schema\"", "\"scheme\"", 1)).unwrap();
    std::os::unix::fs::symlink("a", path("link")).unwrap();
    let cases: [(&[&str], i32, &str); 8] = [
        (&["a", "a"], 1, "error: a and a are the same folder: name another to compare it with"),
        (&["a", "link"], 1, "error: a and link are the same folder"),
        (&["a", "absent"], 1, "error: absent is not a folder of results"),
        (&["a/machine.json", "a"], 1, "error: a/machine.json is not a folder of results"),
        (&["a", "."], 1, "error: cannot read ./machine.json"),
        (&["a", "damaged"], 1, "error: damaged/measurements.jsonl:1: it is damaged"),
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
fn words_have_colours_on_a_terminal() {
    let place = tempfile::tempdir().unwrap();
    let (mut a, mut b) = (Folder::example(), Folder::example());
    b.change("one", |run| scale(run, 1.1));
    a.change("two", |run| scale(run, 1.1));
    b.machine.kernel = "Linux 7".into();
    a.write(&place.path().join("a"));
    b.write(&place.path().join("b"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
    command
        .args(["compare", "a", "b"])
        .current_dir(place.path())
        .env("CLICOLOR_FORCE", "1")
        .env_remove("NO_COLOR");
    let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
    for coloured in
        ["\u{1b}[31mworse\u{1b}[0m\n", "\u{1b}[32mbetter\u{1b}[0m\n", "\u{1b}[31mTHESE ARE TWO MACHINES"]
    {
        assert!(text.contains(coloured), "{coloured:?} is missing: {text:?}");
    }
}

/// All that a comparison can say, in one.
#[test]
fn the_text_is_as_it_was() {
    let place = tempfile::tempdir().unwrap();
    let (mut a, mut b) = (Folder::example(), Folder::example());
    for (folder, times) in [(&mut a, 1.0), (&mut b, 1.25)] {
        for name in ["one", "one-duplicate"] {
            let mut run = load("easy", name, 8.0);
            run.server.duplicate_of = (name != "one").then(|| "one".to_owned());
            run.cpu.as_mut().unwrap().tool.seconds = 0.95;
            folder.add(&run);
        }
        folder.add(&load("easy", "two", 16.0 / times));
        folder.add(&open_loop("one", 1000, 0.001));
        folder.add(&open_loop("two", if times > 1.0 { 1060 } else { 1000 }, 0.002 * times));
        folder.add(&start("one", 0.004 * times));
        folder.add(&start("three", 0.004));
        folder.add(&hold("one", 4000));
    }
    a.add(&hold("two", 4000));
    b.change("one", |run| scale(run, 1.1));
    b.change("three", failed);
    b.machine.started = "2026-01-02T12:00:00Z".into();
    b.machine.kernel = "Linux 6.19 x86_64".into();
    a.write(&place.path().join("before"));
    b.write(&place.path().join("after"));
    let (code, text) = compare(place.path(), &["before", "after"]);
    assert_eq!(code, 1, "{text}");

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compare/golden.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap();
    assert!(text == golden, "other than {}:\n{text}", path.display());
}
