//! The figures of a load by several hosts are the sums of the figures of each host.

use std::fs;
use std::path::Path;

use bench::analysis::verdict;
use bench::store::record::{Bound, LoadHostRecord, Record, StartRecord, TlsRecord};
use bench::text::numbers::as_f64;
use visit_output::{Report, TimesReport, Tls};

use crate::mock::{suite, task, workload};
use crate::testbed::{Testbed, records};

/// The lines that the load hosts have printed, one per host.
fn printed(testbed: &Testbed, record: &Record) -> Vec<String> {
    let raw = testbed.checkout.path("out/raw").join(record.raw.as_ref().unwrap());
    fs::read_to_string(raw).unwrap().lines().map(str::to_owned).collect()
}

/// Asserts that the figures of a run by `visit` are the sums of those that the load hosts have
/// printed. Returns the reports of the load hosts.
fn assert_sums(testbed: &Testbed, record: &Record, loads: usize) -> Vec<Report> {
    let name = &record.workload.name;
    let (hosts, load) = (record.hosts.as_ref().unwrap(), record.load.as_ref().unwrap());
    let reports: Vec<Report> =
        printed(testbed, record).iter().map(|line| Report::parse(line).unwrap()).collect();
    let answered: Vec<u64> = reports.iter().map(|report| report.answered).collect();
    assert_eq!(answered.len(), loads, "{name}");
    assert_eq!(answered, hosts.loads.iter().map(|load| load.answered).collect::<Vec<_>>(), "{name}");
    assert_eq!(answered.iter().sum::<u64>(), load.answered, "{name}");
    let errors = reports.iter().flat_map(|report| report.errors.occurred().into_values());
    assert_eq!(record.error_count(), errors.sum::<u64>(), "{name}: {:?}", load.errors);

    let latency = record.latency.as_ref().unwrap();
    let own = reports.iter().filter_map(|report| report.latency.as_ref());
    let merged = TimesReport::merge(own).unwrap().unwrap();
    assert_eq!(latency.histogram, Some(merged.pack().unwrap()), "{name}");
    assert_eq!(merged.count, load.answered, "{name}");
    assert_eq!(latency.max_seconds, Some(merged.max_seconds), "{name}");

    let cpu = record.cpu.as_ref().unwrap();
    assert!(cpu.server.unwrap().seconds > 0.0 && cpu.tool.seconds > 0.0, "{name}: {cpu:?}");
    let tools: f64 = hosts.loads.iter().map(|load| load.tool.seconds).sum();
    assert!((tools - cpu.tool.seconds).abs() < 1e-6, "{name}: {cpu:?}");
    assert!(record.memory.as_ref().unwrap().after_bytes.unwrap() > 0, "{name}");
    let connections = record.connections.as_ref().unwrap();
    // A short load may end before the harness looks at its connections.
    let asked = u64::from(connections.asked);
    assert!(connections.seen.is_none_or(|seen| seen <= asked), "{name}: {connections:?}");
    let network = hosts.network.as_ref().unwrap();
    // An answer is longer than its body.
    let bytes = load.answered * 40;
    assert!(network.sent_bytes > bytes && network.received_bytes > bytes, "{name}: {network:?}");

    assert_common_start(record, &reports);
    let judged = record.verdict.as_ref().unwrap();
    // On a busy machine the run may also be unranked for another reason, such as closed
    // connections.
    let is_ranked = !matches!(judged.bound, Bound::Disturbed | Bound::Invalid);
    let by_count = record.workload.requests.is_some();
    let least = if by_count { verdict::OVERLAP_BY_COUNT_FROM } else { verdict::OVERLAP_FROM };
    assert!(hosts.overlap >= least || !is_ranked, "{name}: {hosts:?} {judged:?}");
    reports
}

/// A time in seconds: far more than the error of `visit` when it reads its clock twice, and far
/// less than a line takes to a host.
const READING: f64 = 1e-5;

/// Asserts that the load hosts began at the same instant, within the error of their clock offsets.
/// The hosts of the rig share one clock, so the times that they have printed can be compared.
fn assert_common_start(record: &Record, reports: &[Report]) {
    let hosts = &record.hosts.as_ref().unwrap().loads;
    let known: f64 = hosts.iter().map(|host| host.round_trip_seconds / 2.0).fold(0.0, f64::max);
    let began: Vec<u64> = reports.iter().map(|report| report.began_nanoseconds.unwrap()).collect();
    let apart = began.iter().max().unwrap() - began.iter().min().unwrap();
    // A closed loop that is busy at that instant begins later, and reports how much later.
    let late = hosts.iter().filter_map(|host| host.late_seconds).fold(0.0, f64::max);
    let late = if record.workload.rate.is_some() { 0.0 } else { late };
    let name = &record.workload.name;
    // Two offsets may be wrong in opposite directions.
    assert!(as_f64(apart) * 1e-9 <= 2.0 * known + late + READING, "{name}: {began:?} {hosts:?}");
    assert_eq!(hosts.iter().all(|host| host.late_seconds.is_some()), hosts.len() > 1, "{name}: {hosts:?}");
    // According to the clock offsets, the hosts of an open loop began when they were told to.
    let as_told = |host: &LoadHostRecord| host.began_seconds < READING;
    assert!(record.workload.rate.is_none() || hosts.iter().all(as_told), "{name}: {hosts:?}");
}

#[test]
fn figures_of_two_load_hosts_are_the_sums_of_what_each_printed() {
    let visit = |name| workload(name).tool("visit").with("connections", 8);
    let suite = suite(&[
        visit("count").with("requests", 3001),
        visit("time").without("requests").with("seconds", 1).with("warm_up_seconds", 1),
        visit("rate").without("requests").with("seconds", 2).with("rate", 100),
        workload("hey").with("connections", 2),
        // Fewer connections than hosts: as many hosts make load as there are connections.
        visit("one").with("connections", 1),
    ]);
    let Some(testbed) = Testbed::new(&["alpha", "beta", "gamma"], &["patient"], &suite) else { return };
    for host in ["beta", "gamma"] {
        // A file that the login shell reads adds the mock tool to `PATH`.
        let tools = concat!("export PATH=", env!("CARGO_MANIFEST_DIR"), "/tests/mock:$PATH\n");
        fs::write(testbed.home(host).join(".bashrc"), tools).unwrap();
    }
    let text = testbed.expect(
        "measure mock --out out --server-host alpha --load-host beta --load-host gamma",
        0,
        "records: out",
    );
    let records = testbed.records();
    let names: Vec<&str> = records.iter().map(|record| record.workload.name.as_str()).collect();
    assert_eq!(names, ["count", "time", "rate", "hey", "one"], "{text}");
    for record in &records {
        assert!(record.error.is_none(), "{:?}: {text}", record.error);
        let hosts = record.hosts.as_ref().unwrap();
        let loads: Vec<_> = hosts.loads.iter().map(|load| load.name.as_deref()).collect();
        let all = [Some("beta"), Some("gamma")];
        let used = if record.workload.connections == 1 { &all[..1] } else { &all };
        assert_eq!((hosts.server.as_deref(), loads.as_slice()), (Some("alpha"), used));
    }
    let [count, time, rate, hey, one] = &records[..] else { panic!("five records") };
    assert_eq!(one.load.as_ref().map(|load| load.answered), Some(10), "{text}");

    let reports = assert_sums(&testbed, count, 2);
    assert_eq!(reports.iter().map(|report| report.sent).collect::<Vec<_>>(), [1501, 1500]);
    assert_sums(&testbed, time, 2);
    assert_eq!(time.connections.as_ref().unwrap().seen, Some(8), "{text}");
    // Each host has every second one of 200 arrivals, whether or not it can send it in time.
    for report in assert_sums(&testbed, rate, 2) {
        assert_eq!(report.sent + report.errors.unsent, 100, "{report:?}");
    }

    // Both hosts print the captured output, which has 200 answers.
    let (load, latency) = (hey.load.as_ref().unwrap(), hey.latency.as_ref().unwrap());
    assert_eq!(load.answered, 400);
    assert_eq!(hey.hosts.as_ref().unwrap().loads.iter().map(|load| load.answered).sum::<u64>(), 400);
    assert!(latency.percentiles.is_empty() && latency.histogram.is_none(), "{latency:?}");
}

/// The mock server does not start with a key that other users can read.
#[test]
fn a_load_over_tls_is_the_sum_of_what_each_host_printed() {
    let visit = |name| workload(name).tool("visit").with("connections", 8).with("protocol", "https");
    let suite = suite(&[
        visit("kept").with("requests", 3001).with("warm_up_seconds", 0.1),
        visit("closed").with("requests", 41).with("mode", "close"),
        visit("resumed").with("requests", 41).with("mode", "close").with("resumes", true),
    ]);
    let Some(testbed) = Testbed::warm(&["alpha", "beta", "gamma"], &["patient"], &suite) else { return };
    testbed.checkout.extend_manifest("patient", "protocols = [\"http/1.1\", \"https\"]\n");
    let (_, text) = testbed.run("measure mock --out here");
    let here = records(&testbed.checkout.path("here"));
    let several = "measure mock --out out --server-host alpha --load-host beta --load-host gamma";
    let several = testbed.expect(several, 0, "records: out");
    let records = testbed.records();
    let names: Vec<&str> = records.iter().map(|record| record.workload.name.as_str()).collect();
    assert_eq!(names, ["kept", "closed", "resumed"], "{several}");
    for (record, here) in records.iter().zip(&here) {
        let name = &record.workload.name;
        assert!(record.error.is_none(), "{name}: {:?}: {several}", record.error);
        let reports = assert_sums(&testbed, record, 2);
        let tls = |record: &Record| record.load.as_ref().unwrap().tls.clone().unwrap();
        let (tls, here) = (tls(record), tls(here));
        let agreed = |tls: &TlsRecord| TlsRecord { full: 0, resumed: 0, ..tls.clone() };
        assert_eq!(agreed(&tls), agreed(&here), "{name}: {text}");
        // A connection may have been opened when no request was left for it.
        let is_as_asked = |tls: &TlsRecord| match name.as_str() {
            "kept" => (tls.full, tls.resumed) == (8, 0),
            "closed" => tls.full >= 41 && tls.resumed == 0,
            _ => tls.full <= 8 && tls.full + tls.resumed >= 41,
        };
        assert!(is_as_asked(&tls) && is_as_asked(&here), "{name}: {tls:?} {here:?}");
        let parts: Vec<_> = reports.iter().map(|report| report.tls.as_ref().unwrap()).collect();
        let sums = |count: fn(&Tls) -> u64| parts.iter().map(|tls| count(tls)).sum::<u64>();
        assert_eq!((sums(|tls| tls.full), sums(|tls| tls.resumed)), (tls.full, tls.resumed), "{name}");
    }
    for host in ["alpha", "beta", "gamma"] {
        let left =
            files(&testbed.home(host).join(".cache/")).into_iter().filter(|file| file.ends_with(".pem"));
        assert_eq!(left.collect::<Vec<_>>(), [] as [String; 0], "{host}");
    }
}

/// The names of all files below a folder.
fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let names = |entry: fs::DirEntry| match entry.file_type().unwrap().is_dir() {
        true => files(&entry.path()),
        false => vec![entry.file_name().into_string().unwrap()],
    };
    entries.flat_map(names).collect()
}

/// This machine can be either side, or one of several load hosts, without ssh.
#[test]
fn this_machine_is_a_host_like_others() {
    let suite = suite(&[workload("load").tool("visit").with("connections", 4).with("requests", 400)]);
    let Some(testbed) = Testbed::warm(&["alpha", "beta"], &["patient"], &suite) else { return };
    // The flags, and the names of the hosts in the record.
    let (alpha, beta) = (Some("alpha"), Some("beta"));
    let cases = [
        ("--load-host alpha --load-host beta", None, vec![alpha, beta]),
        ("--server-host alpha", alpha, vec![None]),
        ("--server-host alpha --load-host localhost --load-host beta", alpha, vec![None, beta]),
    ];
    for (flags, server, loads) in cases {
        let (_, text) = testbed.run(&format!("measure mock --out out {flags}"));
        let [record] = &testbed.records()[..] else { panic!("one record: {text}") };
        assert!(record.error.is_none(), "{:?}: {text}", record.error);
        let hosts = record.hosts.as_ref().unwrap();
        assert_eq!(hosts.server.as_deref(), server);
        assert_eq!(hosts.loads.iter().map(|load| load.name.as_deref()).collect::<Vec<_>>(), loads);
        assert_sums(&testbed, record, loads.len());
        assert_eq!(record.load.as_ref().unwrap().answered, 400);
        fs::remove_dir_all(testbed.checkout.path("out")).unwrap();
    }
    testbed.checkout.assert_nothing_runs();
}

/// Starts, and connections that are held, need no load host: the harness asks the server itself.
#[test]
fn a_server_starts_and_holds_connections_on_another_host() {
    let suite = suite(&[
        task("start", "start"),
        task("hold", "hold").with("connections", 20),
        task("idle", "idle").with("connections", 20).with("seconds", 1),
    ]);
    let Some(testbed) = Testbed::warm(&["alpha", "beta"], &["patient"], &suite) else { return };
    let (_, text) = testbed.run("measure mock --out out --server-host alpha --load-host beta");
    let records = testbed.records();
    let names: Vec<&str> = records.iter().map(|record| record.workload.name.as_str()).collect();
    assert_eq!(names, ["start", "hold", "idle"], "{text}");
    assert!(records.iter().all(|record| record.error.is_none()), "{text}");
    for record in &records {
        let start = record.start.as_ref();
        assert_eq!(start.is_some(), record.workload.name == "start", "{text}");
        let is_in_order = |start: &StartRecord| {
            start.ready_seconds > 0.0 && start.first_answer_seconds > start.ready_seconds
        };
        assert!(start.is_none_or(is_in_order), "{start:?}");
        assert!(record.memory.as_ref().unwrap().after_bytes.unwrap() > 0, "{text}");
        let connections = record.connections.as_ref().map(|held| (held.asked, held.seen));
        assert_eq!(connections, start.is_none().then_some((20, Some(20))), "{text}");
        let cpu = record.cpu.as_ref().map(|cpu| cpu.server.is_some());
        assert_eq!(cpu, (record.workload.name == "idle").then_some(true), "{text}");
    }
}

#[test]
fn sixteen_hosts_make_one_load() {
    let loads: Vec<String> = (1..=16).map(|number| format!("load{number}")).collect();
    let names: Vec<&str> = std::iter::once("server").chain(loads.iter().map(String::as_str)).collect();
    let suite = suite(&[workload("load").tool("visit").with("connections", 16).with("requests", 800)]);
    let Some(testbed) = Testbed::warm(&names, &["patient"], &suite) else { return };
    let loads: String = loads.iter().map(|name| format!(" --load-host {name}")).collect();
    let (_, text) = testbed.run(&format!("measure mock --out out --server-host server{loads}"));
    let records = testbed.records();
    assert_eq!((records.len(), records[0].error.as_ref()), (1, None), "{text}");
    let reports = assert_sums(&testbed, &records[0], 16);
    assert!(reports.iter().all(|report| report.answered == 50), "{text}");
}
