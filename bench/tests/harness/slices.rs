//! Measuring in slices: all servers of a repetition run at the same time, and the real `visit`
//! loads one of them at a time.

use std::collections::BTreeMap;

use bench::store::record::{ErrorKind, Record};
use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;

use crate::mock::{Checkout, suite, workload};

/// Measures mock servers once, with further flags. Returns the records by server, and the output.
fn measure(servers: &[&str], flags: &str) -> (BTreeMap<String, Record>, String) {
    let load = workload("load").tool("visit").with("connections", 4).without("requests").with("seconds", 0.6);
    let checkout = Checkout::new(servers, &suite(&[load]));
    let (_, text) = checkout.run(format!("measure mock --out out --control none {flags}").trim());
    checkout.assert_nothing_runs();
    let records = checkout.loaded().records;
    (records.into_iter().map(|record| (record.server.name.clone(), record)).collect(), text)
}

#[test]
fn servers_are_loaded_in_turn_and_figures_are_sums_of_slices() {
    let (records, text) = measure(&["good", "other", "another"], "");
    let mut times = Vec::new();
    for (name, record) in &records {
        assert_eq!(record.error, None, "{text}");
        let (slices, load) = (record.slices.as_ref().unwrap(), record.load.as_ref().unwrap());
        let counted: Vec<usize> = slices.counted().collect();
        let answered: u64 = counted.iter().map(|slice| slices.answered[*slice]).sum();
        assert!(slices.len() >= 2 && answered > 0, "{name}: {text}");
        assert_eq!(load.answered, answered, "{name}: {text}");
        let sum = |column: &[f64]| counted.iter().map(|slice| column[*slice]).sum::<f64>();
        assert!((load.elapsed_seconds - sum(&slices.elapsed_seconds)).abs() < 1e-6, "{name}: {text}");
        let cpu = record.cpu.as_ref().unwrap();
        assert!((cpu.server.unwrap().seconds - sum(&slices.server_seconds)).abs() < 1e-6, "{name}: {text}");
        assert!((cpu.tool.seconds - sum(&slices.tool_seconds)).abs() < 1e-6, "{name}: {text}");
        assert!(cpu.idle_share.is_some(), "{name}: {text}");
        assert_eq!(record.workload.slice_seconds, Some(0.02), "{name}: {text}");
        times.extend(
            slices
                .began_seconds
                .iter()
                .zip(&slices.elapsed_seconds)
                .map(|(began, elapsed)| (*began, began + elapsed)),
        );
    }
    assert_eq!(records.len(), 3, "{text}");
    times.sort_unstable_by(|a, b| a.partial_cmp(b).unwrap());
    assert!(times.windows(2).all(|pair| pair[0].1 <= pair[1].0), "two servers at once: {times:?}");
}

/// Measures in slices and in one piece.
#[test]
fn the_busiest_threads_of_a_server_with_several_cores_are_recorded() {
    let allowed = sched_getaffinity(Pid::from_raw(0)).unwrap();
    let cores: Vec<usize> = (0..CpuSet::count()).filter(|core| allowed.is_set(*core).unwrap()).collect();
    let is_known = std::path::Path::new("/proc/thread-self/schedstat").exists();
    let [one, other, ..] = cores[..] else { return };
    for flags in ["", " --slices none"] {
        let (records, text) =
            measure(&["good"], &format!("--server-cores {one},{other} --tool-cores {other}{flags}"));
        let record = &records["good"];
        let threads = record.cpu.as_ref().unwrap().thread_seconds.clone().unwrap_or_default();
        assert_eq!(!threads.is_empty(), is_known, "{text}");
        assert!(threads.len() <= 2 && threads.is_sorted_by(|a, b| a >= b), "{threads:?}: {text}");
        assert!(threads.first().is_none_or(|seconds| *seconds > 0.0), "{threads:?}: {text}");
        let utilisation = record.verdict.as_ref().unwrap().thread_utilisation;
        assert_eq!(utilisation.is_some(), is_known, "{text}");

        let (records, text) =
            measure(&["good"], &format!("--server-cores {one} --tool-cores {other}{flags}"));
        let record = &records["good"];
        assert_eq!(record.cpu.as_ref().unwrap().thread_seconds, None, "{text}");
        assert_eq!(record.verdict.as_ref().unwrap().thread_utilisation, None, "{text}");
    }
}

#[test]
fn a_server_that_fails_leaves_the_others_their_slices() {
    let cases = [
        ("expires", ErrorKind::Died, "ended with exit status: 3: killed by the test"),
        ("turns", ErrorKind::WrongAnswer, "an answer was wrong under load"),
    ];
    for (server, kind, message) in cases {
        let (records, text) = measure(&["good", server], "");
        let failure = records[server].error.as_ref().unwrap();
        assert_eq!(failure.kind, kind, "{server}: {text}");
        assert!(failure.message.contains(message) && text.contains(message), "{server}: {text}");
        assert!(records[server].load.is_none() && records[server].slices.is_none(), "{server}: {text}");
        assert!(records["good"].slices.as_ref().is_some_and(|slices| !slices.is_empty()), "{server}: {text}");
    }
}

#[test]
fn a_server_that_is_never_idle_is_measured_alone() {
    let (records, text) = measure(&["good", "restless"], "");
    let restless = &records["restless"];
    assert!(restless.slices.is_none() && restless.load.as_ref().unwrap().answered > 0, "{text}");
    assert!(restless.cpu.as_ref().unwrap().idle_share.unwrap() > 0.01, "{text}");
    assert!(records["good"].slices.is_some(), "{text}");
    assert!(text.contains("load restless: measured alone, since it uses "), "{text}");
}

#[test]
fn a_server_that_keeps_no_connections_is_measured_alone() {
    let (records, text) = measure(&["good", "capped"], "");
    // `capped` keeps five connections. The harness may see more, if it looks before the server
    // closes the others.
    let load =
        workload("load").tool("visit").with("connections", 20).without("requests").with("seconds", 0.3);
    let checkout = Checkout::new(&["capped"], &suite(&[load]));
    let (_, alone) = checkout.run("measure mock --out out --control none");
    let capped = &checkout.loaded().records[0];
    assert!(records["capped"].slices.is_some() && records["good"].slices.is_some(), "{text}");
    assert!(capped.slices.is_none() && capped.load.is_some(), "{alone}");
    assert!(alone.contains("load capped: measured alone, since it keeps "), "{alone}");
}

#[test]
fn a_slow_server_has_longer_slices_in_some_blocks() {
    let (records, text) = measure(&["good", "slow"], "");
    let [good, slow] = ["good", "slow"].map(|name| records[name].slices.as_ref().unwrap());
    // Ten round trips of 50 ms would take longer than all 23 blocks of 20 ms.
    assert_eq!((slow.block.as_slice(), slow.seconds), ([23].as_slice(), 0.46), "{text}");
    assert!(good.block.len() > 1 && good.seconds < slow.seconds, "{text}");
}

#[test]
fn slices_can_be_turned_off_and_have_bounds() {
    let (records, text) = measure(&["good"], "--slices none");
    let good = &records["good"];
    assert!(good.slices.is_none() && good.workload.slice_seconds.is_none(), "{text}");
    assert!(good.load.as_ref().unwrap().answered > 0 && good.cpu.as_ref().unwrap().idle_share.is_none());
    let checkout = Checkout::new(&["good"], &suite(&[workload("load")]));
    for wrong in ["20", "0", "-1", "x", "NaN"] {
        let said = "it is a number of seconds from 0.01 to 10, or `none`";
        checkout.expect(&format!("measure mock --slices={wrong}"), 2, said);
    }
}

/// Measures in slices and in one piece. Each cell has one series, unless its tool reports none.
#[test]
fn a_load_over_time_is_a_run_of_its_own() {
    let load = |name| workload(name).tool("visit").with("connections", 4).without("requests");
    let checkout = Checkout::new(
        &["good", "other"],
        &suite(&[load("load").with("seconds", 0.6), workload("by-hey").tool("hey")])
            .replace("repetitions = 1", "repetitions = 2"),
    );
    for flags in ["", " --slices none"] {
        let text = checkout.succeed(&format!("measure mock --out out --control none --series{flags}"));
        for record in checkout.loaded().records {
            let name = format!("{} {} {:?}", record.workload.name, record.server.name, record.repetition);
            let is_first = record.workload.name == "load" && record.repetition == Some(1);
            assert_eq!(record.series.is_some(), is_first, "{name}: {text}");
            assert_eq!(record.slices.is_some(), record.workload.slice_seconds.is_some(), "{name}: {text}");
            let Some(series) = record.series else { continue };
            assert_eq!((series.interval_seconds, series.answered.len()), (0.1, 6), "{name}: {text}");
            assert!(series.answered.iter().sum::<u64>() > 0, "{name}: {text}");
            assert_eq!((series.p50_seconds.len(), series.p99_seconds.len()), (6, 6), "{name}: {text}");
            // The series comes from a run of its own, so no other figure depends on it.
            assert!(!record.tool.command.iter().any(|word| word == "--series"), "{name}: {text}");
        }
        let page = std::fs::read_to_string(checkout.path("out/report/index.html")).unwrap();
        assert!(page.contains("How does a load go over time?") && page.contains("good: Requests per second"));
        assert!(page.contains("Not shown: by-hey (hey reported none)."), "{text}");
        std::fs::remove_dir_all(checkout.path("out")).unwrap();
    }
    checkout.expect("measure by-hey --out out --series", 1, "--series: none of these workloads is a load by");
    assert!(!checkout.path("out").exists());
    checkout.assert_nothing_runs();
}
