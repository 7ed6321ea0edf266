//! Closed and open loops, starts, and held connections, on the server `threads`: the records that
//! `bench measure` stores of each.

use std::path::Path;
use std::process::{Command, Output};

use bench::store::record::{Record, TaskRecord};
use visit_output::{Times, VERSION};

use crate::mock::{suite, task, workload};

/// Measures a suite on `threads`. Returns the records and the output. Loads have a number of
/// requests, so that they are the same on a slow machine.
fn measure(suite: &str) -> (Vec<Record>, Output) {
    let folder = tempfile::tempdir().unwrap();
    let (path, out) = (folder.path().join("tasks.toml"), folder.path().join("out"));
    std::fs::write(&path, suite).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).arg("measure").arg(path);
    let output =
        command.args(["--servers", "threads", "--attempts", "1", "--out"]).arg(&out).output().unwrap();
    let stored = std::fs::read_to_string(out.join("measurements.jsonl")).unwrap_or_default();
    (stored.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), output)
}

#[test]
fn each_task_has_its_figures() {
    let load = |name| workload(name).tool("visit").with("connections", 4);
    let suite = suite(&[
        load("open").with("requests", 200).with("share_of_peak", 0.1).with("peak", "peak"),
        load("peak").with("requests", 2000),
        task("start", "start").with("repetitions", 2),
        task("hold", "hold").with("connections", 50),
    ]);
    let (records, output) = measure(&suite);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names: Vec<&str> = records.iter().map(|run| run.workload.name.as_str()).collect();
    // The peak is measured before the rate that is a share of it, whatever the order in the file.
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
    for header in ["Sent late, p99", "First response", "Memory/connection"] {
        assert!(text.contains(header), "{text}");
    }
}

#[test]
fn a_load_by_visit_keeps_its_histogram() {
    let load =
        |mode| workload(mode).tool("visit").with("connections", 4).with("requests", 200).with("mode", mode);
    let (records, output) = measure(&suite(&["keep-alive", "close"].map(load)));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(records.len(), 2);
    for record in records {
        assert_eq!(record.error, None);
        assert_eq!(record.tool.version.as_deref(), Some(VERSION));
        let answered = record.load.as_ref().unwrap().answered;
        assert_eq!((answered, record.error_count()), (200, 0), "{}", record.workload.name);
        let latency = record.latency.unwrap();
        let times = Times::unpack(&[&latency.histogram.unwrap()]).unwrap();
        assert_eq!((latency.percentiles.len(), times.count()), (5, 200));
    }
}

#[test]
fn an_unknown_peak_is_an_error() {
    let open = workload("open").tool("visit").with("share_of_peak", 0.1).with("peak", "summit");
    let (_, output) = measure(&suite(&[open]));
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("the peak of open: unknown workload `summit`"), "{text}");
}
