//! Open loops, starts, and connections that are held, on a server of ours: what `bench measure` stores of each.
#![allow(clippy::unwrap_used, reason = "a test says what is wrong by its panic")]

use std::path::Path;
use std::process::{Command, Output};

use bench::store::record::{Record, TaskRecord};

/// Loads go by count, so that they end on a slow machine too.
const SUITE: &str = r#"
about = "tasks"
repetitions = 1

[[workload]]
name = "open"
title = "a share of the peak"
path = "/abc"
answer = "Hello, visitor! You've requested: /abc\n"
tool = "visit"
connections = 4
requests = 200
share_of_peak = 0.1
peak = "peak"
mode = "keep-alive"
warm_up_seconds = 0
timeout_seconds = 10

[[workload]]
name = "peak"
title = "the peak"
path = "/abc"
answer = "Hello, visitor! You've requested: /abc\n"
tool = "visit"
connections = 4
requests = 2000
mode = "keep-alive"
warm_up_seconds = 0
timeout_seconds = 10

[[workload]]
name = "start"
title = "a start"
path = "/abc"
answer = "Hello, visitor! You've requested: /abc\n"
task = "start"
repetitions = 2

[[workload]]
name = "hold"
title = "connections"
path = "/abc"
answer = "Hello, visitor! You've requested: /abc\n"
task = "hold"
connections = 50
"#;

/// Measures workloads of that suite on a server of ours.
fn measure(folder: &Path, suite: &str) -> Output {
    let path = folder.join("tasks.toml");
    std::fs::write(&path, suite).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).arg("measure").arg(path);
    command.args(["--servers", "threads", "--attempts", "1", "--out"]).arg(folder.join("out"));
    command.output().unwrap()
}

#[test]
fn each_task_has_its_figures() {
    let folder = tempfile::tempdir().unwrap();
    let output = measure(folder.path(), SUITE);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let records = bench::store::results::load(&folder.path().join("out")).unwrap().records;
    let names: Vec<&str> = records.iter().map(|run| run.workload.name.as_str()).collect();
    // What a rate is a share of comes before it, whatever the file's order.
    assert_eq!(names, ["peak", "open", "start", "hold", "start"]);
    let [peak, open, start, hold, _]: [Record; 5] = records.try_into().unwrap();

    let open_loop = open.load.unwrap().open_loop.unwrap();
    assert_eq!(open_loop.peak_per_second, peak.per_second());
    assert!((open_loop.rate_per_second - 0.1 * peak.per_second().unwrap()).abs() < 1e-6);
    assert!(open_loop.held.is_some() && open_loop.lag_p99_seconds.is_some());
    assert!(peak.verdict.is_some() && peak.load.unwrap().open_loop.is_none());

    let times = start.start.unwrap();
    assert!(0.0 < times.ready_seconds && times.ready_seconds <= times.first_answer_seconds);
    assert!(start.load.is_none() && start.verdict.is_none());

    assert_eq!((hold.workload.task, hold.connections.unwrap().seen), (TaskRecord::Hold, Some(50)));
    assert!(hold.memory_per_connection().is_some_and(|bytes| bytes >= 0.0));

    let text = String::from_utf8_lossy(&output.stdout);
    for head in ["Begun late, p99", "First answer", "Memory/connection"] {
        assert!(text.contains(head), "{text}");
    }
}

#[test]
fn a_peak_that_nobody_knows_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let output = measure(folder.path(), &SUITE.replace("peak = \"peak\"", "peak = \"summit\""));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("the peak of open: unknown workload `summit`"), "{said}");
}
